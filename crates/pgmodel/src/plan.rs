//! Statements with every name looked up and every type known: what the executor runs. A plan is made once per
//! statement text and catalogue, and shared by every trial that sends the text.
//!
//! Rows at run time are frames: a query level has numbered slots, one per item of FROM, and each slot holds one
//! tuple at a time. [`Expr::Column`] names level, slot and column.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::access::Path;
use crate::ast::{JoinKind, LockStrength, LockWait, SetOperation, TableLockMode};
use crate::catalog::{TableDef, TableId};
use crate::value::Type;

pub use expression::{Apply, Comparison, Expr, SubKind, System};

pub(crate) mod effect;
mod expression;
pub(crate) mod planner;
pub(crate) mod survey;

/// A query or data-modifying statement, ready to run.
#[derive(Debug)]
pub struct Plan {
    /// The statement.
    pub query: Query,
    /// The types that `$1`, `$2`, … turned out to have.
    pub params: Vec<Type>,
    /// The tables that it uses and how they are locked, in the order in which analysis meets them, each once.
    pub locks: Vec<(TableId, TableLockMode)>,
    /// Whether the server may run a subquery of it once, or once for each row, and it shows.
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

/// A query level: a WITH and what it serves.
#[derive(Debug)]
pub struct Query {
    /// Its common table expressions, in order; [`Slot::Cte`] names one by level and index.
    pub ctes: Vec<Cte>,
    /// What is computed.
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
    /// Whether an expression in it, at any depth, names a column of a level outside it.
    pub correlated: bool,
    /// Whether it shows how often it is run; found when that is first asked.
    pub effect: OnceCell<bool>,
}

/// A common table expression.
#[derive(Debug)]
pub struct Cte {
    /// Its name.
    pub name: String,
    /// Its query, shared with whoever runs it.
    pub query: Rc<Query>,
    /// How often it is read.
    pub references: usize,
    /// Whether it is a UNION whose right side reads what the round before has made.
    pub recursive: bool,
    /// MATERIALIZED or NOT MATERIALIZED, where it is said.
    pub materialized: Option<bool>,
}

/// The core of a query level.
#[derive(Debug)]
pub enum Core {
    /// SELECT.
    Select(Select),
    /// VALUES, each row as wide as the result.
    Values(Vec<Vec<Expr>>),
    /// A set operation of two queries of the same column types. Neither opens a level: they are levels themselves,
    /// inside this one, which has no slots.
    Set { operation: SetOperation, all: bool, left: Rc<Query>, right: Rc<Query> },
    /// INSERT; its columns are those of RETURNING.
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
    /// How they are joined; none where there is no FROM. A comma is an inner join without ON.
    pub join: Option<Join>,
    /// WHERE.
    pub filter: Option<Expr>,
    /// GROUP BY and aggregates; none where the query has neither.
    pub grouping: Option<Grouping>,
    /// The set-returning functions in the select list and in ORDER BY; [`Expr::Set`] names one.
    pub sets: Vec<SetCall>,
    /// The select list.
    pub output: Vec<Expr>,
    /// DISTINCT.
    pub distinct: bool,
    /// DISTINCT ON so many of the first keys of ORDER BY.
    pub distinct_on: usize,
    /// How the rows are reached; found when the query first runs.
    pub path: OnceCell<Path>,
}

impl Select {
    /// Whether rows that are alike are one.
    pub(crate) fn is_distinct(&self) -> bool {
        self.distinct || self.distinct_on > 0
    }
}

/// GROUP BY and aggregates. Where it is present, select list, HAVING and ORDER BY speak of [`Expr::Group`] and
/// [`Expr::Aggregate`], never of columns of this level.
#[derive(Debug)]
pub struct Grouping {
    /// The keys; none means one group, also of no rows.
    pub keys: Vec<Expr>,
    /// The aggregates.
    pub aggregates: Vec<Aggregate>,
    /// HAVING.
    pub having: Option<Expr>,
}

/// An aggregate.
#[derive(Debug)]
pub struct Aggregate {
    /// Which.
    pub function: AggregateFunction,
    /// Its argument; none for `count(*)`.
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

/// The aggregates there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggregateFunction {
    /// `count`.
    Count,
    /// `sum` of integers, to `ty`.
    SumInt,
    /// `sum` of numeric.
    SumNumeric,
    /// `avg` of integers or numeric, as numeric.
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
    /// A derived table; `lateral` if it may name earlier slots of this level (one level up from inside it).
    Query { query: Rc<Query>, lateral: bool },
    /// The common table expression `index` of the level `up` levels out from the one this slot belongs to.
    Cte { up: usize, index: usize, width: usize },
    /// A set-returning function, with a column more that numbers its rows if `ordinality` is asked for.
    Function { call: SetCall, ordinality: bool },
    /// The row that ON CONFLICT would have inserted.
    Excluded,
}

/// A call of a set-returning function.
#[derive(Debug)]
pub struct SetCall {
    /// Which.
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
    /// `unnest`, of several arrays side by side.
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

/// How slots are joined.
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
    /// By what: [`Expr::Output`] for a column of the result, else an expression over the level's rows or groups.
    pub expr: Expr,
    /// DESC.
    pub descending: bool,
    /// Where NULLs go; the default is last, or first with DESC.
    pub nulls_first: bool,
}

/// A slot whose rows are locked.
#[derive(Clone, Copy, Debug)]
pub struct RowLock {
    /// The slot: a table, or a derived table whose own query then holds the lock already.
    pub slot: usize,
    /// How strong; the strongest where several clauses name the slot.
    pub strength: LockStrength,
    /// NOWAIT before SKIP LOCKED before waiting, where several clauses name the slot.
    pub wait: LockWait,
}

/// INSERT.
#[derive(Debug)]
pub struct Insert {
    /// Into which table.
    pub table: Rc<TableDef>,
    /// The rows; a level of its own. DEFAULT VALUES is a VALUES of one empty row.
    pub source: Rc<Query>,
    /// For each column of the table, its value: an expression over slot 0, the source's row, with assignment casts
    /// and defaults in place.
    pub row: Vec<Expr>,
    /// ON CONFLICT.
    pub on_conflict: Option<OnConflict>,
    /// RETURNING, over slot 0, the new row.
    pub returning: Vec<Expr>,
}

/// ON CONFLICT.
#[derive(Debug)]
pub struct OnConflict {
    /// Positions in [`TableDef::indexes`]; none means any unique index.
    pub arbiters: Option<Vec<usize>>,
    /// DO UPDATE; none is DO NOTHING.
    pub update: Option<ConflictUpdate>,
}

/// ON CONFLICT DO UPDATE. Slot 0 is the row that is there, slot 1 is `excluded`.
#[derive(Debug)]
pub struct ConflictUpdate {
    /// Column positions and their new values, cast.
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
    /// How they are joined, the target as the leftmost.
    pub join: Join,
    /// WHERE.
    pub filter: Option<Expr>,
    /// Column positions and their new values, cast.
    pub set: Vec<(usize, Expr)>,
    /// RETURNING, slot 0 being the new row.
    pub returning: Vec<Expr>,
    /// How the rows are reached; found when the statement first runs.
    pub path: OnceCell<Path>,
}

/// DELETE. Slot 0 is the target.
#[derive(Debug)]
pub struct Delete {
    /// The table.
    pub table: Rc<TableDef>,
    /// The target, then the items of USING.
    pub slots: Vec<Slot>,
    /// How they are joined, the target as the leftmost.
    pub join: Join,
    /// WHERE.
    pub filter: Option<Expr>,
    /// RETURNING, slot 0 being the old row.
    pub returning: Vec<Expr>,
    /// How the rows are reached; found when the statement first runs.
    pub path: OnceCell<Path>,
}
