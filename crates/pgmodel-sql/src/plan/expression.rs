//! Expressions with resolved names and types.

use std::rc::Rc;

use super::Query;
use crate::catalog::Routine;
use crate::error::Result;
use crate::value::{Type, Value};

/// A function that depends on its arguments only. It gets NULL arguments only if [`Expr::Apply`] is not strict.
pub type Apply = fn(&[Value]) -> Result<Value>;

/// An expression with resolved names and types.
#[derive(Clone, Debug)]
pub enum Expr {
    /// A constant.
    Const(Value),
    /// A parameter, counted from 0: `$1` is 0.
    Param(usize),
    /// A column of a slot, `up` query levels above. Whole-row references are refused.
    Column { up: usize, slot: usize, column: usize },
    /// A key of GROUP BY, `up` levels above.
    Group { up: usize, key: usize },
    /// An aggregate, `up` levels above.
    Aggregate { up: usize, index: usize },
    /// The current value of a set-returning function of this level's select list.
    Set(usize),
    /// A column of this level's result; in ORDER BY only.
    Output(usize),
    /// A function or operator; if `strict`, the result is NULL if any argument is.
    Apply { apply: Apply, strict: bool, args: Vec<Expr> },
    /// A comparison of two values of one type that a btree index can answer; NULL if an operand is NULL.
    Compare { comparison: Comparison, apply: Apply, left: Box<Expr>, right: Box<Expr> },
    /// A strict function applied to each element of an array, with `extra` as its second argument; for casts of arrays.
    Elements { apply: Apply, extra: Option<i64>, array: Box<Expr> },
    /// `greatest` and `least`; NULL arguments are ignored.
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
    /// CASE; a simple CASE is converted to a searched one.
    Case { arms: Vec<(Expr, Expr)>, otherwise: Box<Expr> },
    /// `operand IN (list)`, with all operands cast to one type.
    InList { operand: Box<Expr>, list: Vec<Expr> },
    /// `operand op ANY (array)` or ALL with a strict `apply`; `equal` means that the operator is `=`.
    AnyArray { apply: Apply, equal: bool, operand: Box<Expr>, array: Box<Expr>, all: bool },
    /// ARRAY[…].
    Array(Vec<Expr>),
    /// A subquery.
    Sub { kind: SubKind, query: Rc<Query> },
    /// A function that depends on the session, the clock or a sequence.
    System { call: System, args: Vec<Expr>, site: usize },
    /// A user-defined function, with its arguments cast to `types`.
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

/// The use of a subquery in an expression. Its query is a level of its own.
#[derive(Clone, Debug)]
pub enum SubKind {
    /// Its single value; 21000 if there are more rows.
    Scalar,
    /// One column of its single row, for `(a, b) = (SELECT …)`; all columns share the same [`Rc`].
    ScalarColumn(usize),
    /// EXISTS.
    Exists,
    /// `operand op ANY (…)` or ALL; IN is `= ANY`. There is one operand per column; `equal` means that the operator is
    /// `=`.
    Any { apply: Vec<Apply>, equal: bool, operands: Vec<Expr>, all: bool },
    /// ARRAY(SELECT …).
    Array,
}

/// A function that depends on the session, the clock or a sequence.
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
    /// `pg_advisory_lock` and its variants, with one int8 or two int4 arguments.
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
    /// `txid_current()`. (`random()` is refused by name.)
    TransactionId,
}

/// The direct subexpressions of an expression.
pub fn parts(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Const(_)
        | Expr::Param(_)
        | Expr::Column { .. }
        | Expr::Group { .. }
        | Expr::Aggregate { .. }
        | Expr::Set(_)
        | Expr::Output(_) => Vec::new(),
        Expr::Compare { left, right, .. } | Expr::Same(left, right) => vec![left, right],
        Expr::Apply { args, .. }
        | Expr::Extreme { args, .. }
        | Expr::And(args)
        | Expr::Or(args)
        | Expr::Coalesce(args)
        | Expr::Array(args)
        | Expr::System { args, .. }
        | Expr::Routine { args, .. } => args.iter().collect(),
        Expr::Not(operand) | Expr::IsNull(operand) | Expr::IsBool(operand, _) => vec![operand],
        Expr::Elements { array, .. } => vec![array],
        Expr::Case { arms, otherwise } => {
            arms.iter().flat_map(|(when, then)| [when, then]).chain([&**otherwise]).collect()
        }
        Expr::InList { operand, list } => list.iter().chain([&**operand]).collect(),
        Expr::AnyArray { operand, array, .. } => vec![operand, array],
        Expr::Sub { kind: SubKind::Any { operands, .. }, .. } => operands.iter().collect(),
        Expr::Sub { .. } => Vec::new(),
    }
}
