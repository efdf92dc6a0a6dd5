//! Functions created by CREATE FUNCTION, in SQL and PL/pgSQL (manual, 38.5 and chapter 43), and DO. Their statements
//! are planned and run like any others and see, lock and wait accordingly. Unsupported parts of a body are refused when
//! the function is created, not when it is called.

use std::rc::Rc;

use crate::catalog::Routine;

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

/// A function that can be called.
#[derive(Debug)]
pub(crate) struct Function {
    /// What a call of it is bound to.
    pub(crate) definition: Rc<Routine>,
    code: Code,
}

/// The code of a function.
#[derive(Debug)]
enum Code {
    /// SQL statements; the result is the first row of the last one.
    Sql(Vec<Sql>),
    /// A PL/pgSQL body.
    Plpgsql(Program),
}
