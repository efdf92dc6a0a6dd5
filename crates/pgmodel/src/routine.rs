//! Functions created by CREATE FUNCTION, in SQL and PL/pgSQL (manual, 38.5 and chapter 43), and DO. Their statements
//! are planned and run like any others and see, lock and wait accordingly. Unsupported parts of a body are refused when
//! the function is created, not when it is called.

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
    /// Its return type.
    pub(crate) returns: Returns,
    /// VOLATILE, STABLE or IMMUTABLE.
    pub(crate) volatility: Volatility,
    /// STRICT.
    pub(crate) strict: bool,
    pub(crate) code: Code,
}

/// The code of a function.
#[derive(Debug)]
pub(crate) enum Code {
    /// SQL statements; the result is the first row of the last one.
    Sql(Vec<Sql>),
    /// A PL/pgSQL body.
    Plpgsql(Program),
}

impl fmt::Debug for Routine {
    /// Prints only name and id, which is enough where a plan is printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Routine").field(&self.name).field(&self.id).finish()
    }
}
