//! The crate's one error: opaque, because a caller can only show it. A violated invariant is a verdict and an
//! SQL error belongs to the actor that sent the statement; neither is an [`Error`].

use std::fmt;

/// Something that kept a trial from being held or a case from being read.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Refused(String),
    NotModelled(String),
    Diverged(String),
    Unreadable(String),
}

impl Error {
    /// The engine, or the machine, cannot do what was asked.
    pub fn refused(why: impl Into<String>) -> Error {
        Error { kind: Kind::Refused(why.into()) }
    }

    /// The engine does not do what was asked as a server would, and says so instead: the name of what it lacks.
    pub fn not_modelled(what: impl Into<String>) -> Error {
        Error { kind: Kind::NotModelled(what.into()) }
    }

    /// A recorded choice does not apply to this trial.
    pub fn diverged(at: impl Into<String>) -> Error {
        Error { kind: Kind::Diverged(at.into()) }
    }

    /// A text is not what it should be.
    pub fn unreadable(why: impl Into<String>) -> Error {
        Error { kind: Kind::Unreadable(why.into()) }
    }

    /// The name of what the engine lacks, where that is the error.
    pub fn lacks(&self) -> Option<&str> {
        match &self.kind {
            Kind::NotModelled(what) => Some(what),
            Kind::Refused(_) | Kind::Diverged(_) | Kind::Unreadable(_) => None,
        }
    }

    /// Whether a recorded choice did not apply.
    pub fn is_divergence(&self) -> bool {
        matches!(self.kind, Kind::Diverged(_))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::NotModelled(what) => write!(f, "not modelled: {what}"),
            Kind::Diverged(at) => write!(f, "diverged at {at}"),
            Kind::Refused(why) | Kind::Unreadable(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Error {}
