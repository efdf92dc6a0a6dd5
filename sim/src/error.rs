//! The crate's one error: opaque, with a public kind. A violated invariant is a verdict and an SQL error belongs to the
//! actor that sent the statement; neither is an [`Error`].

use std::fmt;

/// Something that kept a trial from being run or a case from being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    why: String,
}

/// Whose fault an [`Error`] is, which decides what may be concluded from it and what a command exits with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The engine cannot do what was asked of it.
    Refused,
    /// The engine does not do what was asked as a server would, and says so instead.
    NotModelled,
    /// A recorded choice does not apply to this trial.
    Diverged,
    /// A text is not what it should be.
    Unreadable,
    /// The machine or the server failed. Nothing may be concluded from the trial.
    Machine,
    /// The scenario is at fault: two parts of one name, a generator or an invariant that panics, an initial state that
    /// is none. Nothing may be concluded from the trial.
    Scenario,
}

impl Error {
    /// The engine cannot do what was asked.
    pub fn refused(why: impl Into<String>) -> Error {
        Error { kind: ErrorKind::Refused, why: why.into() }
    }

    /// The engine does not do what was asked as a server would: the name of what it lacks.
    pub fn not_modelled(what: impl Into<String>) -> Error {
        Error { kind: ErrorKind::NotModelled, why: what.into() }
    }

    /// A recorded choice does not apply to this trial.
    pub fn diverged(at: impl Into<String>) -> Error {
        Error { kind: ErrorKind::Diverged, why: at.into() }
    }

    /// A text is not what it should be.
    pub fn unreadable(why: impl Into<String>) -> Error {
        Error { kind: ErrorKind::Unreadable, why: why.into() }
    }

    /// The machine or the server failed.
    pub fn machine(cause: impl Into<String>) -> Error {
        Error { kind: ErrorKind::Machine, why: cause.into() }
    }

    /// The scenario is at fault.
    pub fn scenario(why: impl Into<String>) -> Error {
        Error { kind: ErrorKind::Scenario, why: why.into() }
    }

    /// Whose fault it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The name of what the engine lacks, where that is the error.
    pub fn lacks(&self) -> Option<&str> {
        (self.kind == ErrorKind::NotModelled).then_some(&*self.why)
    }

    /// Whether a recorded choice did not apply.
    pub fn is_divergence(&self) -> bool {
        self.kind == ErrorKind::Diverged
    }

    /// Whether the machine or the server failed.
    pub fn is_machine(&self) -> bool {
        self.kind == ErrorKind::Machine
    }

    /// The same error, with what was being done when it came up.
    #[must_use]
    pub fn during(self, what: impl fmt::Display) -> Error {
        Error { kind: self.kind, why: format!("{}, {what}", self.why) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ErrorKind::NotModelled => write!(f, "not modelled: {}", self.why),
            ErrorKind::Diverged => write!(f, "diverged at {}", self.why),
            _ => f.write_str(&self.why),
        }
    }
}

impl std::error::Error for Error {}
