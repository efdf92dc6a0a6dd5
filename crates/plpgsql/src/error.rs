//! The crate's one error: why a file is not stepped, in one line. What a statement fails with is the engine's own
//! error and never this one.

use std::fmt;

/// Why a file cannot be stepped.
#[derive(Debug)]
pub struct Error {
    line: usize,
    what: String,
}

impl Error {
    /// The file is not what it should be, from there on.
    pub(crate) fn new(text: &str, at: usize, what: impl Into<String>) -> Error {
        let before = text.get(..at).unwrap_or(text);
        Error { line: 1 + before.matches('\n').count(), what: what.into() }
    }

    /// The file has something there that the server knows and the stepper does not.
    pub(crate) fn refused(text: &str, at: usize, what: &str) -> Error {
        Error::new(text, at, format!("not stepped: {what}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for Error {}
