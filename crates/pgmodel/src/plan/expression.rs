//! Expressions whose names and types are known.

use std::rc::Rc;

use super::Query;
use crate::error::Result;
use crate::routine::Routine;
use crate::value::{Type, Value};

/// A function of its arguments alone. NULL arguments reach it only where [`Expr::Apply`] is not strict.
pub type Apply = fn(&[Value]) -> Result<Value>;

/// An expression whose names and types are known.
#[derive(Clone, Debug)]
pub enum Expr {
    /// A constant.
    Const(Value),
    /// `$1` is 0.
    Param(usize),
    /// A column of a slot, `up` query levels out. A whole-row reference is refused.
    Column { up: usize, slot: usize, column: usize },
    /// A key of GROUP BY, `up` levels out.
    Group { up: usize, key: usize },
    /// An aggregate, `up` levels out.
    Aggregate { up: usize, index: usize },
    /// The current value of a set-returning function of this level's select list.
    Set(usize),
    /// A column of this level's result; in ORDER BY only.
    Output(usize),
    /// A function or operator; if `strict`, NULL as soon as an argument is NULL.
    Apply { apply: Apply, strict: bool, args: Vec<Expr> },
    /// A comparison of two values of one type that a btree index can answer; NULL as soon as an operand is.
    Compare { comparison: Comparison, apply: Apply, left: Box<Expr>, right: Box<Expr> },
    /// A strict function applied to each element of an array, `extra` as its second argument: a cast of an array.
    Elements { apply: Apply, extra: Option<i64>, array: Box<Expr> },
    /// `greatest`, `least`: NULL arguments are left out.
    Extreme { greatest: bool, args: Vec<Expr> },
    /// AND.
    And(Vec<Expr>),
    /// OR.
    Or(Vec<Expr>),
    /// NOT.
    Not(Box<Expr>),
    /// IS NULL.
    IsNull(Box<Expr>),
    /// IS TRUE, FALSE or UNKNOWN.
    IsBool(Box<Expr>, Option<bool>),
    /// `a IS NOT DISTINCT FROM b`.
    Same(Box<Expr>, Box<Expr>),
    /// COALESCE.
    Coalesce(Vec<Expr>),
    /// CASE, a simple one turned into a searched one.
    Case { arms: Vec<(Expr, Expr)>, otherwise: Box<Expr> },
    /// `operand IN (list)`, all cast to one type.
    InList { operand: Box<Expr>, list: Vec<Expr> },
    /// `operand op ANY (array)` or ALL, `apply` being strict; `equal` says that the operator is `=`.
    AnyArray { apply: Apply, equal: bool, operand: Box<Expr>, array: Box<Expr>, all: bool },
    /// ARRAY[…].
    Array(Vec<Expr>),
    /// A subquery.
    Sub { kind: SubKind, query: Rc<Query> },
    /// What depends on the session, the clock or a sequence.
    System { call: System, args: Vec<Expr>, site: usize },
    /// A function that CREATE FUNCTION has made, its arguments cast to `types`.
    Routine { routine: Rc<Routine>, types: Rc<[Type]>, result: Type, args: Vec<Expr>, site: usize },
}

impl AsRef<Expr> for Expr {
    fn as_ref(&self) -> &Expr {
        self
    }
}

/// A comparison that a btree index can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`.
    Equal,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
}

/// What is made of a subquery. Its query is a level of its own.
#[derive(Clone, Debug)]
pub enum SubKind {
    /// Its only value; 21000 where there are more rows.
    Scalar,
    /// One column of its only row, for `(a, b) = (SELECT …)`; the same [`Rc`] for each column.
    ScalarColumn(usize),
    /// EXISTS.
    Exists,
    /// `operand op ANY (…)` or ALL; IN is `= ANY`. The operands are as many as the columns; `equal` says that the
    /// operator is `=`.
    Any { apply: Vec<Apply>, equal: bool, operands: Vec<Expr>, all: bool },
    /// ARRAY(SELECT …).
    Array,
}

/// What depends on the session, the clock or a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// `now()`, `current_timestamp`, `transaction_timestamp()`.
    Now,
    /// `statement_timestamp()`.
    StatementTimestamp,
    /// `clock_timestamp()`.
    ClockTimestamp,
    /// `pg_sleep(seconds)`, the argument numeric.
    Sleep,
    /// `nextval(text)`.
    NextVal,
    /// `currval(text)`.
    CurrVal,
    /// `lastval()`.
    LastVal,
    /// `setval(text, int8[, bool])`.
    SetVal,
    /// `pg_advisory_lock` and its kin, one int8 or two int4 arguments.
    AdvisoryLock { shared: bool, transaction: bool, attempt: bool },
    /// `pg_advisory_unlock[_shared]`.
    AdvisoryUnlock { shared: bool },
    /// `pg_advisory_unlock_all()`.
    AdvisoryUnlockAll,
    /// `pg_backend_pid()`.
    BackendPid,
    /// `current_setting(text)`.
    CurrentSetting,
    /// `set_config(text, text, bool)`.
    SetConfig,
    /// `pg_notify(text, text)`.
    Notify,
    /// `gen_random_uuid()`.
    RandomUuid,
    /// `random()` is refused by name; this is `txid_current()`.
    TransactionId,
}
