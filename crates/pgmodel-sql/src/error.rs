//! Failures of a statement: an error that Postgres itself would raise, or a refusal by name of what the model does not
//! implement. A refusal must not reach an application as an error.

use std::fmt;

/// The result type of this crate.
pub type Result<T> = std::result::Result<T, Failure>;

/// Why a statement failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// An error that the real server raises.
    Sql(Box<PgError>),
    /// A feature that the model does not implement. The text names it, without the prefix `not modelled:`.
    NotModelled(String),
}

/// An error reported by the server (manual, 55.8 "Error and Notice Message Fields").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PgError {
    /// SQLSTATE (manual, Appendix A).
    pub code: &'static str,
    /// The primary message, in the server's wording.
    pub message: String,
    /// DETAIL, if the server gives one.
    pub detail: Option<String>,
}

impl Failure {
    /// An error of the server.
    pub fn sql(code: &'static str, message: impl Into<String>) -> Failure {
        Failure::Sql(Box::new(PgError { code, message: message.into(), detail: None }))
    }

    /// An error of the server with its DETAIL.
    pub fn detailed(code: &'static str, message: impl Into<String>, detail: impl Into<String>) -> Failure {
        let detail = Some(detail.into());
        Failure::Sql(Box::new(PgError { code, message: message.into(), detail }))
    }

    /// A refusal by name.
    pub fn not_modelled(what: impl Into<String>) -> Failure {
        Failure::NotModelled(what.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Sql(error) => write!(f, "{} ({})", error.message, error.code),
            Failure::NotModelled(what) => write!(f, "not modelled: {what}"),
        }
    }
}

impl std::error::Error for Failure {}
