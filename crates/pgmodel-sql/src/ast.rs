//! Statements as written, before name resolution. Each distinct statement text is lowered to this once.

pub use definition::{
    AlterAction, ColumnDef, Constraint, ConstraintKind, CreateIndex, CreateTable, KeyAction, Serial,
};
pub use expression::Expr;
pub use from::{Alias, FromItem, JoinKind};
pub use routine::{
    CreateFunction, CreateTrigger, Declared, Language, Parameter, Returns, Signature, Volatility, Which,
};

mod definition;
mod expression;
mod from;
mod routine;

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// SELECT, VALUES, INSERT, UPDATE, DELETE, each with its WITH.
    Query(Box<With>),
    /// BEGIN or START TRANSACTION.
    Begin(TransactionModes),
    /// COMMIT or END.
    Commit,
    /// ROLLBACK or ABORT.
    Rollback,
    /// SAVEPOINT.
    Savepoint(String),
    /// ROLLBACK TO.
    RollbackTo(String),
    /// RELEASE.
    Release(String),
    /// SET TRANSACTION.
    SetTransaction(TransactionModes),
    /// SET SESSION CHARACTERISTICS AS TRANSACTION.
    SetSessionCharacteristics(TransactionModes),
    /// SET, SET LOCAL; no value means DEFAULT. A number is kept as its digits, a string as its content.
    Set { local: bool, name: String, value: Option<String> },
    /// RESET of one parameter.
    Reset(String),
    /// SHOW.
    Show(String),
    /// LISTEN.
    Listen(String),
    /// UNLISTEN; no channel means all.
    Unlisten(Option<String>),
    /// NOTIFY.
    Notify { channel: String, payload: String },
    /// LOCK TABLE.
    Lock { tables: Vec<String>, mode: TableLockMode, nowait: bool },
    /// CREATE TABLE.
    CreateTable(CreateTable),
    /// CREATE TABLE … AS, with the column names if given.
    CreateTableAs { name: String, columns: Vec<String>, query: Box<With> },
    /// DROP TABLE.
    DropTable { names: Vec<String>, if_exists: bool, cascade: bool },
    /// ALTER TABLE, its actions in order.
    AlterTable { table: String, if_exists: bool, actions: Vec<AlterAction> },
    /// CREATE INDEX.
    CreateIndex(CreateIndex),
    /// DROP INDEX.
    DropIndex { names: Vec<String>, if_exists: bool, concurrently: bool },
    /// CREATE SEQUENCE with START and INCREMENT.
    CreateSequence { name: String, if_not_exists: bool, start: i64, increment: i64 },
    /// DROP SEQUENCE.
    DropSequence { names: Vec<String>, if_exists: bool },
    /// TRUNCATE.
    Truncate { tables: Vec<String>, restart_identity: bool, cascade: bool },
    /// CREATE FUNCTION.
    CreateFunction(Box<CreateFunction>),
    /// DROP FUNCTION.
    DropFunction { functions: Vec<Signature>, if_exists: bool },
    /// CREATE TRIGGER.
    CreateTrigger(Box<CreateTrigger>),
    /// DROP TRIGGER.
    DropTrigger { name: String, table: String, if_exists: bool },
    /// DO, with its PL/pgSQL body.
    Do(String),
    /// VACUUM, ANALYZE: they affect neither visibility nor any lock that the model keeps longer than the statement.
    Maintenance { kind: Maintenance, tables: Vec<String> },
}

/// A maintenance command; it changes no row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maintenance {
    /// VACUUM without FULL.
    Vacuum,
    /// ANALYZE.
    Analyze,
}

/// The modes of BEGIN and SET TRANSACTION; `None` where a mode is not given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransactionModes {
    /// ISOLATION LEVEL.
    pub isolation: Option<Isolation>,
    /// READ ONLY (true) or READ WRITE (false).
    pub read_only: Option<bool>,
    /// DEFERRABLE.
    pub deferrable: Option<bool>,
}

/// The isolation levels (manual, 13.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Behaves like read committed.
    ReadUncommitted,
    /// One snapshot per statement.
    ReadCommitted,
    /// One snapshot per transaction.
    RepeatableRead,
    /// One snapshot per transaction, and an outcome that equals that of some serial order.
    Serializable,
}

/// The table-lock modes, weakest first (manual, 13.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableLockMode {
    /// SELECT.
    AccessShare,
    /// SELECT FOR UPDATE and its variants.
    RowShare,
    /// INSERT, UPDATE, DELETE.
    RowExclusive,
    /// CREATE INDEX CONCURRENTLY, VACUUM, ANALYZE.
    ShareUpdateExclusive,
    /// CREATE INDEX.
    Share,
    /// CREATE TRIGGER, ADD FOREIGN KEY.
    ShareRowExclusive,
    /// REFRESH MATERIALIZED VIEW CONCURRENTLY.
    Exclusive,
    /// DROP, TRUNCATE, most of ALTER TABLE; the default of LOCK TABLE.
    AccessExclusive,
}

/// A query or data-modifying statement with its common table expressions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct With {
    /// In textual order.
    pub ctes: Vec<Cte>,
    /// The statement that uses them.
    pub body: Body,
}

/// A common table expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cte {
    /// Its name.
    pub name: String,
    /// Its column names, if given.
    pub columns: Vec<String>,
    /// MATERIALIZED (true) or NOT MATERIALIZED (false), if given.
    pub materialized: Option<bool>,
    /// Whether it is in a WITH RECURSIVE.
    pub recursive: bool,
    /// Whether its query reads a relation of its own name.
    pub reads_itself: bool,
    /// Its query.
    pub query: With,
}

/// The statement that follows WITH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// SELECT, VALUES and set operations.
    Select(Select),
    /// INSERT.
    Insert(Insert),
    /// UPDATE.
    Update(Update),
    /// DELETE.
    Delete(Delete),
}

/// A SELECT, a VALUES or a set operation, with its trailing clauses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Select {
    /// The query without its trailing clauses.
    pub core: SelectCore,
    /// ORDER BY.
    pub order: Vec<OrderBy>,
    /// LIMIT or FETCH FIRST.
    pub limit: Option<Expr>,
    /// OFFSET.
    pub offset: Option<Expr>,
    /// FOR UPDATE and its variants, in order.
    pub locking: Vec<Locking>,
}

/// A query without its trailing clauses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SelectCore {
    /// SELECT.
    Simple(Box<Simple>),
    /// VALUES.
    Values(Vec<Vec<Expr>>),
    /// UNION, INTERSECT or EXCEPT, ALL or not.
    Set { operation: SetOperation, all: bool, left: Box<Select>, right: Box<Select> },
}

/// A set operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOperation {
    /// UNION.
    Union,
    /// INTERSECT.
    Intersect,
    /// EXCEPT.
    Except,
}

/// SELECT up to HAVING.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simple {
    /// DISTINCT.
    pub distinct: bool,
    /// DISTINCT ON; then `distinct` is false.
    pub distinct_on: Vec<Expr>,
    /// The select list.
    pub output: Vec<Output>,
    /// FROM, its items in order.
    pub from: Vec<FromItem>,
    /// WHERE.
    pub filter: Option<Expr>,
    /// GROUP BY.
    pub group: Vec<Expr>,
    /// HAVING.
    pub having: Option<Expr>,
}

/// An item of a select list or of RETURNING.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// `*` or `t.*`.
    All(Option<String>),
    /// An expression, with its alias.
    Expr { expr: Expr, alias: Option<String> },
}

/// A key of ORDER BY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderBy {
    /// The key; a bare integer is a position, a bare name may be the name of an output column.
    pub expr: Expr,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST (true) or NULLS LAST (false), if given.
    pub nulls_first: Option<bool>,
}

/// A row-lock strength, weakest first (manual, 13.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockStrength {
    /// FOR KEY SHARE.
    KeyShare,
    /// FOR SHARE.
    Share,
    /// FOR NO KEY UPDATE.
    NoKeyUpdate,
    /// FOR UPDATE.
    Update,
}

/// What a locking clause does when a row is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockWait {
    /// Wait.
    Block,
    /// NOWAIT: fail with 55P03.
    Nowait,
    /// SKIP LOCKED.
    SkipLocked,
}

/// A locking clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locking {
    /// The lock strength.
    pub strength: LockStrength,
    /// OF; empty means all.
    pub of: Vec<String>,
    /// NOWAIT, SKIP LOCKED.
    pub wait: LockWait,
}

/// INSERT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Insert {
    /// The table.
    pub table: String,
    /// AS.
    pub alias: Option<String>,
    /// The named columns; empty means all.
    pub columns: Vec<String>,
    /// VALUES or a query; `None` is DEFAULT VALUES. In VALUES an item may be [`Expr::Default`].
    pub source: Option<Box<With>>,
    /// ON CONFLICT.
    pub on_conflict: Option<OnConflict>,
    /// RETURNING.
    pub returning: Vec<Output>,
}

/// ON CONFLICT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnConflict {
    /// The arbiter.
    pub target: Option<ConflictTarget>,
    /// The action.
    pub action: ConflictAction,
}

/// The arbiter of ON CONFLICT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConflictTarget {
    /// Columns or expressions of a unique index, with the predicate of a partial one.
    Columns { exprs: Vec<Expr>, filter: Option<Expr> },
    /// ON CONSTRAINT.
    Constraint(String),
}

/// The action of ON CONFLICT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConflictAction {
    /// DO NOTHING.
    Nothing,
    /// DO UPDATE.
    Update { set: Vec<Assignment>, filter: Option<Expr> },
}

/// `column = expr` of SET. `(a, b) = (x, y)` is two assignments; `(a, b) = (SELECT …)` is one with two columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// One column; several only if `value` is a subquery ([`Expr::Scalar`]) with as many columns.
    pub columns: Vec<String>,
    /// The value, which may be [`Expr::Default`].
    pub value: Expr,
}

/// UPDATE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The table.
    pub table: String,
    /// AS.
    pub alias: Option<String>,
    /// SET.
    pub set: Vec<Assignment>,
    /// FROM.
    pub from: Vec<FromItem>,
    /// WHERE; CURRENT OF is refused.
    pub filter: Option<Expr>,
    /// RETURNING.
    pub returning: Vec<Output>,
}

/// DELETE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delete {
    /// The table.
    pub table: String,
    /// AS.
    pub alias: Option<String>,
    /// USING.
    pub using: Vec<FromItem>,
    /// WHERE.
    pub filter: Option<Expr>,
    /// RETURNING.
    pub returning: Vec<Output>,
}
