//! What a body of PL/pgSQL is once it has been read: a list of small steps with jumps. It must never hold more than
//! one SQL statement in a step, because each is a point.

use retrial_sim::engine::SqlError;

use crate::expression::Expression;
use crate::sql::Sql;
use crate::variable::Type;

/// A body that has been read.
#[derive(Debug)]
pub(crate) struct Body {
    /// The types of its variables, by their places.
    pub(crate) types: Vec<Type>,
    pub(crate) ops: Vec<Op>,
}

/// One step of a body.
#[derive(Debug)]
pub(crate) enum Op {
    /// Sends a statement.
    Send(Send),
    /// Gives a variable a value.
    Assign {
        slot: usize,
        value: Expression,
    },
    /// Gives a variable the number of rows that the last statement touched.
    RowCount(usize),
    /// Goes on elsewhere unless the condition is true.
    Unless {
        condition: Expression,
        to: usize,
    },
    Jump(usize),
    /// Begins a FOR loop over integers.
    For {
        lower: Expression,
        upper: Expression,
        counter: Counter,
    },
    /// Gives the variable of a FOR loop the next number, or goes on behind the loop.
    Iterate {
        counter: Counter,
        variable: usize,
        to: usize,
    },
    /// Says whether a FOR loop has gone round at all.
    EndFor(Counter),
    Commit,
    Rollback,
    /// A RAISE below EXCEPTION: nobody hears it, but what it would say is evaluated.
    Notice(Vec<Expression>),
    /// RAISE EXCEPTION: its text around the values.
    Raise {
        pieces: Vec<String>,
        values: Vec<Expression>,
    },
}

/// A statement that is sent, and what becomes of its rows.
#[derive(Debug)]
pub(crate) struct Send {
    pub(crate) sql: Sql,
    pub(crate) into: Vec<usize>,
    pub(crate) result: Rows,
}

/// What the rows of a statement mean for FOUND, ROW_COUNT and its targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// They are thrown away and counted.
    Performed,
    /// The first goes into the targets. The server reads no other, so that `locks`, a clause that locks rows, would
    /// lock no other.
    First { locks: bool },
    /// It changes rows and returns one of them at the most.
    Returned,
    /// It changes rows.
    Changed,
    /// It is about no rows.
    Utility,
}

/// The places in which a FOR loop keeps what its body cannot reach.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counter {
    pub(crate) next: usize,
    pub(crate) last: usize,
    pub(crate) ran: usize,
}

/// The body loops without ever sending anything, which nobody would see the end of.
pub(crate) const OPS_BETWEEN_POINTS: u32 = 1_000_000;

/// What the server says of a NULL that bounds a FOR loop.
pub(crate) fn null_bound(which: &str) -> SqlError {
    crate::variable::error("22004", &format!("{which} bound of FOR loop cannot be null"))
}
