//! Why a text is not read: where, what, and whether the language knows what the reader does not.

/// Why a text cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there, or what is not read.
    pub what: String,
    /// The server knows it, the reader does not.
    pub refused: bool,
}

impl Error {
    /// The text is not what it should be, from there on.
    pub fn new(text: &str, at: usize, what: impl Into<String>) -> Error {
        let before = text.get(..at).unwrap_or(text);
        Error { line: 1 + before.matches('\n').count(), what: what.into(), refused: false }
    }

    /// The text has something there that the server knows and the reader does not.
    pub fn refused(text: &str, at: usize, what: &str) -> Error {
        Error { refused: true, ..Error::new(text, at, what) }
    }
}
