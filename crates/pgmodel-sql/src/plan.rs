//! Plans: statements with all names resolved and all types known, as the executor runs them. A plan is made once per
//! statement text and catalogue, and shared by all trials that send the text.
//!
//! At run time rows are frames: a query level has numbered slots, one per item of FROM, and each slot contains one
//! tuple at a time. [`Expr::Column`] gives level, slot and column.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::ast::{JoinKind, LockStrength, LockWait, SetOperation, TableLockMode};
use crate::catalog::{TableDef, TableId};
use crate::value::Type;

pub use expression::{Apply, Comparison, Expr, SubKind, System, parts};
pub use lateral::depends;
pub(crate) use lateral::laterals;
pub use path::{Access, Lateral, List, Path, Step, Wary};

pub(crate) mod effect;
mod expression;
mod lateral;
mod path;
pub(crate) mod planner;
pub(crate) mod survey;

/// A query or data-modifying statement, ready to run.
#[derive(Debug)]
pub struct Plan {
    /// The statement.
    pub query: Query,
    /// The inferred types of `$1`, `$2`, …
    pub params: Vec<Type>,
    /// The tables that it uses and their lock modes, each once, in the order in which analysis meets them.
    pub locks: Vec<(TableId, TableLockMode)>,
    /// Whether the server may run a subquery of it once or once per row, with different results.
    pub reruns: bool,
}

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
}

/// A query level: a WITH and the query it belongs to.
#[derive(Debug)]
pub struct Query {
    /// Its common table expressions, in order; [`Slot::Cte`] names one by level and index.
    pub ctes: Vec<Cte>,
    /// The query without its WITH, ORDER BY, LIMIT, OFFSET and locking clauses.
    pub core: Core,
    /// ORDER BY.
    pub order: Vec<SortKey>,
    /// LIMIT, of type int8.
    pub limit: Option<Expr>,
    /// OFFSET, of type int8.
    pub offset: Option<Expr>,
    /// The rows to lock, by slot.
    pub locks: Vec<RowLock>,
    /// The columns of the result.
    pub columns: Vec<OutputColumn>,
    /// Whether an expression in it, at any depth, references a column of an outer level.
    pub correlated: bool,
    /// Whether the number of its runs is observable; computed on first use.
    pub effect: OnceCell<bool>,
}

/// A common table expression.
#[derive(Debug)]
pub struct Cte {
    /// Its name.
    pub name: String,
    /// Its query, shared with the executor.
    pub query: Rc<Query>,
    /// The number of references to it.
    pub references: usize,
    /// Whether it is a UNION whose right side reads the rows of the previous round.
    pub recursive: bool,
    /// MATERIALIZED or NOT MATERIALIZED, if given.
    pub materialized: Option<bool>,
}

/// The core of a query level.
#[derive(Debug)]
pub enum Core {
    /// SELECT.
    Select(Select),
    /// VALUES; each row has the width of the result.
    Values(Vec<Vec<Expr>>),
    /// A set operation of two queries with the same column types. Each side is a query level of its own inside this
    /// one, which has no slots.
    Set { operation: SetOperation, all: bool, left: Rc<Query>, right: Rc<Query> },
    /// INSERT; the columns of its result are those of RETURNING.
    Insert(Insert),
    /// UPDATE.
    Update(Update),
    /// DELETE.
    Delete(Delete),
}

/// SELECT.
#[derive(Debug)]
pub struct Select {
    /// The items of FROM, numbered.
    pub slots: Vec<Slot>,
    /// How they are joined; `None` without FROM. A comma is an inner join without ON.
    pub join: Option<Join>,
    /// WHERE.
    pub filter: Option<Expr>,
    /// GROUP BY and aggregates; `None` if the query has neither.
    pub grouping: Option<Grouping>,
    /// The set-returning functions in the select list and in ORDER BY; [`Expr::Set`] names one.
    pub sets: Vec<SetCall>,
    /// The select list.
    pub output: Vec<Expr>,
    /// DISTINCT.
    pub distinct: bool,
    /// The number of leading ORDER BY keys that DISTINCT ON covers; 0 without DISTINCT ON.
    pub distinct_on: usize,
    /// The access path of the rows; computed when the query first runs.
    pub path: OnceCell<Path>,
}

impl Select {
    /// Whether duplicate rows are removed, by DISTINCT or DISTINCT ON.
    #[inline]
    pub fn is_distinct(&self) -> bool {
        self.distinct || self.distinct_on > 0
    }
}

/// GROUP BY and aggregates. With grouping, select list, HAVING and ORDER BY use [`Expr::Group`] and
/// [`Expr::Aggregate`], never columns of this level.
#[derive(Debug)]
pub struct Grouping {
    /// The keys. Without keys there is exactly one group, even of no rows.
    pub keys: Vec<Expr>,
    /// The aggregates.
    pub aggregates: Vec<Aggregate>,
    /// HAVING.
    pub having: Option<Expr>,
}

/// An aggregate.
#[derive(Debug)]
pub struct Aggregate {
    /// The function.
    pub function: AggregateFunction,
    /// Its argument; `None` for `count(*)`.
    pub argument: Option<Expr>,
    /// The second argument of `string_agg` and `jsonb_object_agg`.
    pub second: Option<Expr>,
    /// ORDER BY.
    pub order: Vec<SortKey>,
    /// DISTINCT.
    pub distinct: bool,
    /// FILTER (WHERE …).
    pub filter: Option<Expr>,
    /// The type of the result.
    pub ty: Type,
}

/// The supported aggregates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggregateFunction {
    /// `count`.
    Count,
    /// `sum` of integers; the result type is [`Aggregate::ty`].
    SumInt,
    /// `sum` of numeric.
    SumNumeric,
    /// `avg` of integers or numeric; the result is numeric.
    Avg,
    /// `min`.
    Min,
    /// `max`.
    Max,
    /// `bool_and`, `every`.
    BoolAnd,
    /// `bool_or`.
    BoolOr,
    /// `array_agg`.
    ArrayAgg,
    /// `string_agg`.
    StringAgg,
    /// `jsonb_agg`.
    JsonAgg,
    /// `jsonb_object_agg`.
    JsonObjectAgg,
}

/// An item of FROM.
#[derive(Debug)]
pub enum Slot {
    /// A table.
    Table(Rc<TableDef>),
    /// A derived table; if `lateral`, it may reference earlier slots of this level (one level up from inside it).
    Query { query: Rc<Query>, lateral: bool },
    /// The common table expression `index` of the level that is `up` levels above the one this slot belongs to.
    Cte { up: usize, index: usize, width: usize },
    /// A set-returning function; with `ordinality` it has an extra column that numbers the rows.
    Function { call: SetCall, ordinality: bool },
    /// `excluded`: the row that ON CONFLICT would have inserted.
    Excluded,
}

/// A call of a set-returning function.
#[derive(Debug)]
pub struct SetCall {
    /// The function.
    pub function: SetFunction,
    /// Its arguments.
    pub args: Vec<Expr>,
}

/// A set-returning function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetFunction {
    /// `generate_series(from, to[, step])` over integers.
    GenerateSeries,
    /// `generate_series` over numeric.
    NumericSeries,
    /// `generate_series(from, to, step)` over timestamps.
    TimeSeries,
    /// `unnest`, of one array or of several side by side.
    Unnest,
    /// `pg_listening_channels`.
    ListeningChannels,
    /// `jsonb_array_elements[_text]`.
    JsonElements { text: bool },
    /// `jsonb_object_keys`.
    JsonKeys,
    /// `jsonb_each[_text]`.
    JsonPairs { text: bool },
}

/// A tree of joined slots.
#[derive(Debug)]
pub enum Join {
    /// One slot.
    Slot(usize),
    /// Two trees.
    Pair { kind: JoinKind, left: Box<Join>, right: Box<Join>, on: Option<Expr> },
}

/// A key of ORDER BY.
#[derive(Debug)]
pub struct SortKey {
    /// The key: [`Expr::Output`] for a column of the result, otherwise an expression over the level's rows or groups.
    pub expr: Expr,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST; the default is last, or first with DESC.
    pub nulls_first: bool,
}

/// A slot whose rows are locked, by FOR UPDATE and similar.
#[derive(Clone, Copy, Debug)]
pub struct RowLock {
    /// The slot: a table, or a derived table whose own query takes the lock.
    pub slot: usize,
    /// The strength; the strongest if several clauses name the slot.
    pub strength: LockStrength,
    /// The wait policy; if several clauses name the slot, NOWAIT takes precedence over SKIP LOCKED, and that over
    /// waiting.
    pub wait: LockWait,
}

/// INSERT.
#[derive(Debug)]
pub struct Insert {
    /// The target table.
    pub table: Rc<TableDef>,
    /// The rows to insert, as a query level of its own. DEFAULT VALUES is a VALUES of one empty row.
    pub source: Rc<Query>,
    /// The value of each column of the table: an expression over slot 0, the source's row, including assignment casts
    /// and defaults.
    pub row: Vec<Expr>,
    /// ON CONFLICT.
    pub on_conflict: Option<OnConflict>,
    /// RETURNING, over slot 0, which is the new row.
    pub returning: Vec<Expr>,
}

/// ON CONFLICT.
#[derive(Debug)]
pub struct OnConflict {
    /// Positions in [`TableDef::indexes`]; `None` means any unique index.
    pub arbiters: Option<Vec<usize>>,
    /// DO UPDATE; `None` is DO NOTHING.
    pub update: Option<ConflictUpdate>,
}

/// ON CONFLICT DO UPDATE. Slot 0 is the existing row, slot 1 is `excluded`.
#[derive(Debug)]
pub struct ConflictUpdate {
    /// Column positions and their new values, with casts.
    pub set: Vec<(usize, Expr)>,
    /// WHERE.
    pub filter: Option<Expr>,
}

/// UPDATE. Slot 0 is the target.
#[derive(Debug)]
pub struct Update {
    /// The table.
    pub table: Rc<TableDef>,
    /// The target, then the items of FROM.
    pub slots: Vec<Slot>,
    /// How they are joined, with the target leftmost.
    pub join: Join,
    /// WHERE.
    pub filter: Option<Expr>,
    /// Column positions and their new values, with casts.
    pub set: Vec<(usize, Expr)>,
    /// RETURNING, with the new row in slot 0.
    pub returning: Vec<Expr>,
    /// The access path of the rows; computed when the statement first runs.
    pub path: OnceCell<Path>,
}

/// DELETE. Slot 0 is the target.
#[derive(Debug)]
pub struct Delete {
    /// The table.
    pub table: Rc<TableDef>,
    /// The target, then the items of USING.
    pub slots: Vec<Slot>,
    /// How they are joined, with the target leftmost.
    pub join: Join,
    /// WHERE.
    pub filter: Option<Expr>,
    /// RETURNING, with the old row in slot 0.
    pub returning: Vec<Expr>,
    /// The access path of the rows; computed when the statement first runs.
    pub path: OnceCell<Path>,
}
