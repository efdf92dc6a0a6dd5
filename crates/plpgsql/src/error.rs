//! The crate's error type: why a file cannot be stepped, in one line. The error of a failing statement is the engine's,
//! not this one.

use std::fmt;

/// Why a file cannot be stepped.
#[derive(Debug)]
pub struct Error(retrial_plpgsql_syntax::Error);

impl From<retrial_plpgsql_syntax::Error> for Error {
    fn from(error: retrial_plpgsql_syntax::Error) -> Error {
        Error(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused = if self.0.refused { "not stepped: " } else { "" };
        write!(f, "line {}: {refused}{}", self.0.line, self.0.what)
    }
}

impl std::error::Error for Error {}
