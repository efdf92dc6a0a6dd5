//! Functions that CREATE FUNCTION has made, in SQL and PL/pgSQL (manual, 38.5 and chapter 43), and DO. Their statements
//! are planned and run as any others, so that they see, lock and wait as those do. What a body has that is not modelled
//! is refused when the function is made, not when it is called.

use std::fmt;

use crate::ast::{Parameter, Returns, Volatility};

mod assign;
mod call;
mod catalog;
mod compile;
mod condition;
mod create;
mod execute;
mod frame;
mod handler;
mod inner;
mod looped;
mod program;
mod raise;
mod scope;

pub(crate) use self::call::{Called, Calls, anonymous};
pub(crate) use self::catalog::Routines;
pub(crate) use self::frame::Row;
pub(crate) use self::program::{ARGUMENTS, TriggerVariable};

use self::inner::Sql;
use self::program::Program;

/// A function.
pub struct Routine {
    /// Its identity.
    pub(crate) id: u32,
    /// Its name.
    pub(crate) name: String,
    /// Its parameters.
    pub(crate) params: Vec<Parameter>,
    /// What it returns.
    pub(crate) returns: Returns,
    /// VOLATILE, STABLE or IMMUTABLE.
    pub(crate) volatility: Volatility,
    /// STRICT.
    pub(crate) strict: bool,
    pub(crate) code: Code,
}

/// What a function does.
#[derive(Debug)]
pub(crate) enum Code {
    /// These statements; the last one's first row is the result.
    Sql(Vec<Sql>),
    /// A body of PL/pgSQL.
    Plpgsql(Program),
}

impl fmt::Debug for Routine {
    /// Its name says enough where a plan is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Routine").field(&self.name).field(&self.id).finish()
    }
}
