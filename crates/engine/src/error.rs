//! The crate's error type: opaque, with a public kind. A violated invariant is a verdict, and an SQL error belongs to
//! the actor that sent the statement; neither is an [`Error`].

use std::fmt;

/// A failure to run a trial or to read a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    why: String,
}

/// The cause of an [`Error`]; decides what can be concluded from it and a command's exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The engine cannot do what was asked.
    Refused,
    /// The engine does not do what a server would, and refuses by name.
    NotModelled,
    /// A recorded choice does not apply to this trial.
    Diverged,
    /// A text is malformed.
    Unreadable,
    /// The machine or the server failed. Nothing can be concluded from the trial.
    Machine,
    /// The scenario is wrong: two parts of one name, a generator or an invariant that panics, an invalid initial state.
    /// Nothing can be concluded from the trial.
    Scenario,
}

impl Error {
    /// An error of the kind [`ErrorKind::Refused`].
    pub fn refused(why: impl Into<String>) -> Error {
        Error { kind: ErrorKind::Refused, why: why.into() }
    }

    /// An error of the kind [`ErrorKind::NotModelled`]; `what` names what the engine lacks.
    pub fn not_modelled(what: impl Into<String>) -> Error {
        Error { kind: ErrorKind::NotModelled, why: what.into() }
    }

    /// An error of the kind [`ErrorKind::Diverged`]; `at` says where.
    pub fn diverged(at: impl Into<String>) -> Error {
        Error { kind: ErrorKind::Diverged, why: at.into() }
    }

    /// An error of the kind [`ErrorKind::Unreadable`].
    pub fn unreadable(why: impl Into<String>) -> Error {
        Error { kind: ErrorKind::Unreadable, why: why.into() }
    }

    /// An error of the kind [`ErrorKind::Machine`].
    pub fn machine(cause: impl Into<String>) -> Error {
        Error { kind: ErrorKind::Machine, why: cause.into() }
    }

    /// An error of the kind [`ErrorKind::Scenario`].
    pub fn scenario(why: impl Into<String>) -> Error {
        Error { kind: ErrorKind::Scenario, why: why.into() }
    }

    /// The error's kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The name of what the engine lacks, for [`ErrorKind::NotModelled`].
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

    /// The same error, with what was being done when it occurred.
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
