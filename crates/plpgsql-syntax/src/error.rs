//! The crate's error type: where and why a text cannot be read, and whether the server could read it.

/// Why a text cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there, or not supported.
    pub what: String,
    /// Whether the server knows it and the parser does not.
    pub refused: bool,
}

impl Error {
    /// The text is malformed at `at`.
    pub fn new(text: &str, at: usize, what: impl Into<String>) -> Error {
        let before = text.get(..at).unwrap_or(text);
        Error { line: 1 + before.matches('\n').count(), what: what.into(), refused: false }
    }

    /// The text has something at `at` that the server knows and the parser does not.
    pub fn refused(text: &str, at: usize, what: &str) -> Error {
        Error { refused: true, ..Error::new(text, at, what) }
    }
}
