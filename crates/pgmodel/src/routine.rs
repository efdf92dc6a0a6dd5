//! Functions created by CREATE FUNCTION, in SQL and PL/pgSQL (manual, 38.5 and chapter 43), and DO. Their statements
//! are planned and run like any others and see, lock and wait accordingly. Unsupported parts of a body are refused when
//! the function is created, not when it is called.

use std::fmt;
use std::rc::Rc;

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

use retrial_pgmodel_sql::catalog::Routine;

use self::inner::Sql;
use self::program::Program;

/// A function that can be called.
pub(crate) struct Function {
    /// What a call of it is bound to.
    pub(crate) definition: Rc<Routine>,
    code: Code,
}

impl fmt::Debug for Function {
    /// Prints only the definition: the plans in the code of a recursive function contain the function.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.definition.fmt(f)
    }
}

/// The code of a function.
#[derive(Debug)]
enum Code {
    /// SQL statements; the result is the first row of the last one.
    Sql(Vec<Sql>),
    /// A PL/pgSQL body.
    Plpgsql(Program),
}
