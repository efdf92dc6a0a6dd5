//! A compiled PL/pgSQL body: a list of small steps with jumps. A step has at most one SQL statement, because each
//! statement is a point.

use retrial_sim::engine::SqlError;

use crate::expression::Expression;
use crate::sql::Sql;
use crate::variable::Type;

/// A compiled body.
#[derive(Debug)]
pub(crate) struct Body {
    /// The types of its variables, by slot.
    pub(crate) types: Vec<Type>,
    pub(crate) ops: Vec<Op>,
}

/// One step of a body.
#[derive(Debug)]
pub(crate) enum Op {
    /// Sends a statement.
    Send(Send),
    /// Sets a variable.
    Assign {
        slot: usize,
        value: Expression,
    },
    /// Sets a variable to the number of rows that the last statement affected.
    RowCount(usize),
    /// Jumps unless the condition is true.
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
    /// Sets the variable of a FOR loop to the next number, or jumps past the loop.
    Iterate {
        counter: Counter,
        variable: usize,
        to: usize,
    },
    /// Sets FOUND to whether a FOR loop has iterated.
    EndFor(Counter),
    Commit,
    Rollback,
    /// A RAISE below EXCEPTION: not reported, but its values are evaluated.
    Notice(Vec<Expression>),
    /// RAISE EXCEPTION: its text around the values.
    Raise {
        pieces: Vec<String>,
        values: Vec<Expression>,
    },
}

/// A statement to send, and what to do with its rows.
#[derive(Debug)]
pub(crate) struct Send {
    pub(crate) sql: Sql,
    pub(crate) into: Vec<usize>,
    pub(crate) result: Rows,
}

/// What the rows of a statement mean for FOUND, ROW_COUNT and its targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// They are discarded and counted.
    Performed,
    /// The first goes into the targets. The server reads no other, so with `locks` (a row-locking clause) it would lock
    /// only that one.
    First { locks: bool },
    /// It changes rows and returns at most one of them.
    Returned,
    /// It changes rows.
    Changed,
    /// It has no rows.
    Utility,
}

/// The slots of a FOR loop that its body cannot access.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counter {
    pub(crate) next: usize,
    pub(crate) last: usize,
    pub(crate) ran: usize,
}

/// The number of steps without a statement at which a body counts as looping for ever.
pub(crate) const OPS_BETWEEN_POINTS: u32 = 1_000_000;

/// The server's error for a NULL bound of a FOR loop.
pub(crate) fn null_bound(which: &str) -> SqlError {
    crate::variable::error("22004", &format!("{which} bound of FOR loop cannot be null"))
}
