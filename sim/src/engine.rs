//! Where SQL runs: the trait that one kernel drives a model, an embedded database or a live server through.
//!
//! An engine is synchronous. It must never wait: a statement that cannot go on is [`Reply::Blocked`], and the
//! kernel decides who moves next. It must never answer what it does not know: it refuses by name.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::digest::Digest;
use crate::error::Error;
use crate::footprint::{Footprint, Use, part};
use crate::seed::Seed;

/// A connection of the engine, open from [`Engine::connect`] to [`Engine::close`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionId(pub u32);

/// An SQL value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// SQL's NULL.
    Null,
    /// A signed 64-bit integer.
    Integer(i64),
    /// A text.
    Text(Rc<str>),
    /// Bytes.
    Blob(Rc<[u8]>),
    /// A truth value, where the engine has a type of its own for it.
    Bool(bool),
    /// Microseconds since 2000-01-01 00:00:00 UTC, as Postgres counts a `timestamptz`.
    Timestamp(i64),
    /// A one-dimensional array.
    Array(Rc<[Value]>),
}

impl Value {
    /// The integer, if it is one.
    pub fn integer(&self) -> Option<i64> {
        if let Value::Integer(number) = self { Some(*number) } else { None }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        if let Value::Text(text) = self { Some(text) } else { None }
    }

    pub(crate) fn digest(&self, digest: &mut Digest) {
        match self {
            Value::Null => digest.word(0),
            Value::Integer(number) => {
                digest.word(1);
                digest.word(*number as u64);
            }
            Value::Text(text) => {
                digest.word(2);
                digest.text(text);
            }
            Value::Blob(bytes) => {
                digest.word(3);
                bytes.iter().for_each(|byte| digest.word(u64::from(*byte)));
            }
            Value::Bool(truth) => {
                digest.word(4);
                digest.word(u64::from(*truth));
            }
            // A live server's clock is not ours, and the model's follows from the times of the events.
            Value::Timestamp(_) => digest.word(5),
            Value::Array(items) => {
                digest.word(6);
                digest.word(items.len() as u64);
                items.iter().for_each(|item| item.digest(digest));
            }
        }
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Integer(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text.into())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("NULL"),
            Value::Integer(number) => write!(f, "{number}"),
            Value::Text(text) => write!(f, "'{text}'"),
            Value::Blob(bytes) => write!(f, "{} bytes", bytes.len()),
            Value::Bool(truth) => write!(f, "{truth}"),
            Value::Timestamp(time) => write!(f, "time {time}"),
            Value::Array(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
        }
    }
}

/// One row of a result or a table.
pub type Row = Rc<[Value]>;

/// A table's name and its columns in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<String>,
}

impl Table {
    /// The value of the named column in one of this table's rows.
    pub fn value<'r>(&self, row: &'r Row, column: &str) -> Option<&'r Value> {
        row.get(self.columns.iter().position(|name| name == column)?)
    }
}

/// What a committed transaction did to one row: the store's own account of versions, in commit order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowChange {
    /// The table.
    pub table: Rc<Table>,
    /// What tells the row from others of its table: SQLite's rowid; in Postgres a primary key of one number, or a
    /// digest of any other.
    pub key: i64,
    /// The row as it was before the statement; none for an insert.
    pub before: Option<Row>,
    /// The row as the statement left it; none for a delete.
    pub after: Option<Row>,
}

impl RowChange {
    /// The named column's value before, where the row existed.
    pub fn value_before(&self, column: &str) -> Option<&Value> {
        self.table.value(self.before.as_ref()?, column)
    }

    /// The named column's value after, where the row still exists.
    pub fn value_after(&self, column: &str) -> Option<&Value> {
        self.table.value(self.after.as_ref()?, column)
    }
}

/// The work a statement did, in the engine's own units; never wall-clock time. Nothing where the engine does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Work {
    /// Instructions executed or rows visited: SQLite's `SQLITE_STMTSTATUS_VM_STEP`.
    pub steps: u64,
    /// Steps forward in a scan of a whole table: SQLite's `SQLITE_STMTSTATUS_FULLSCAN_STEP`.
    pub full_scan_steps: u64,
}

/// What a unit of work costs in virtual time. A scenario states it.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// For each statement, whatever it does: the way to the engine and back.
    pub per_statement: Duration,
    /// For each of [`Work::steps`], which a live server does not tell.
    pub per_step: Duration,
    /// For each row returned or changed, which every engine tells alike.
    pub per_row: Duration,
    /// For making a transaction durable, its locks still held.
    pub per_commit: Duration,
    /// The unit of the delays that a timed schedule draws: a delay of exponent `e` lasts `2^e - 1` units.
    pub delay_unit: Duration,
}

impl Cost {
    /// Nothing takes any time.
    pub const FREE: Cost = Cost {
        per_statement: Duration::ZERO,
        per_step: Duration::ZERO,
        per_row: Duration::ZERO,
        per_commit: Duration::ZERO,
        delay_unit: Duration::ZERO,
    };

    /// The virtual duration of a statement that did that work and was answered like that.
    pub fn of(&self, work: Work, result: &Result<Answer, SqlError>) -> Duration {
        let rows = result.as_ref().map_or(0, |answer| answer.rows.len() as u64 + answer.changed);
        let times = |each: Duration, number: u64| Duration::from_nanos(each.as_nanos() as u64 * number);
        self.per_statement + times(self.per_step, work.steps) + times(self.per_row, rows)
    }
}

/// What a statement returned.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Answer {
    /// The rows of a query or of RETURNING.
    pub rows: Vec<Row>,
    /// How many rows a write touched, as the driver reports it.
    pub changed: u64,
}

/// The error that a real driver would hand to the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlError {
    /// SQLite's result code by name (`SQLITE_BUSY`), or Postgres' SQLSTATE.
    pub code: String,
    /// The engine's own words.
    pub message: String,
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

/// A statement that has run, well or not.
#[derive(Clone, Debug)]
pub struct Done {
    /// What the application gets.
    pub result: Result<Answer, SqlError>,
    /// The work it took.
    pub work: Work,
    /// What became visible to others by it, if it ended a transaction.
    pub committed: Vec<RowChange>,
    /// What it read, locked and wrote; rows by their keys as [`RowChange::key`] has them.
    pub footprint: Footprint,
    /// Whether the statement's own implicit transaction is still open; [`Engine::settle`] ends it once the
    /// statement's virtual duration has passed, so that its locks are held for as long as it takes.
    pub unsettled: bool,
    /// Whether the session holds a lock that keeps other writers out: of the database, of a table or of a row.
    pub holds_write_lock: bool,
}

/// The engine's answer to a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// The statement has run.
    Done(Done),
    /// The statement waits for locks held by these sessions.
    Blocked(Vec<SessionId>),
    /// The statement shows by which plan it is run, and statistics would say by which: what each plan but the usual one
    /// does, in a sentence. [`Engine::choose`] goes on.
    Choose(&'static [&'static str]),
}

/// The database as a trial finds it. Two trials that share one share its image.
#[derive(Clone, Debug)]
pub struct InitialState {
    /// The schema, as SQL text.
    pub schema: Cow<'static, str>,
    /// The rows of each table, in the order of its columns.
    pub rows: Vec<(&'static str, Vec<Value>)>,
}

/// A statement on one line, and not all of it where it is long: to be named in a sentence.
pub fn statement_in_short(sql: &str) -> String {
    const LONGEST: usize = 120;
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}..", &line[..end]),
        None => line,
    }
}

/// A database under trial.
pub trait Engine {
    /// The engine's name, as `--engine` takes it.
    fn name(&self) -> &'static str;

    /// Whether it is a server with a will of its own: who of several waiters goes on is its choice, so two runs of one
    /// tape need not be the same to the letter.
    fn is_live(&self) -> bool {
        false
    }

    /// Goes back to the initial rows, all sessions closed, and seeds the engine's own randomness.
    ///
    /// # Errors
    /// Where the database cannot be made: no room, a schema that does not parse.
    fn open(&mut self, initial_state: &Rc<InitialState>, ambient: Seed) -> Result<(), Error>;

    /// Opens a connection.
    ///
    /// # Errors
    /// Where the engine has no more of them.
    fn connect(&mut self) -> Result<SessionId, Error>;

    /// Runs a statement on a session that is not blocked.
    ///
    /// # Errors
    /// Where the engine refuses the statement by name; what SQL itself says is in [`Done::result`].
    fn submit(&mut self, session: SessionId, sql: &str, params: &[Value]) -> Result<Reply, Error>;

    /// Goes on with the statement of a session that was answered [`Reply::Choose`], by its usual plan, 0, or by one of
    /// the others.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    fn choose(&mut self, session: SessionId, plan: usize) -> Result<Reply, Error> {
        Err(Error::refused(format!("session {} has no plan {plan} to choose", session.0)))
    }

    /// Goes on with the blocked statement of a session that [`Engine::wake`] named.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    fn resume(&mut self, session: SessionId) -> Result<Reply, Error>;

    /// Gives up the blocked statement of a session whose lock timeout has passed, with the driver's own error.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    fn expire(&mut self, session: SessionId) -> Result<Done, Error>;

    /// Has `sql`, which the session was about to run, fail before it takes effect, with an error that is not the
    /// application's fault, and does to an open transaction what such an error does. Where `sql` would have ended the
    /// transaction for good, the transaction is over and has left nothing behind. Never blocks.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    fn fail(&mut self, session: SessionId, sql: &str) -> Result<Done, Error>;

    /// Ends the implicit transaction that [`Done::unsettled`] left open.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    fn settle(&mut self, session: SessionId) -> Result<Reply, Error>;

    /// Rolls back whatever the session has open, as a driver does with a connection that is given back; does
    /// nothing outside a transaction.
    fn rollback(&mut self, session: SessionId);

    /// Moves the sessions whose statement may go on into `ready`.
    fn wake(&mut self, ready: &mut Vec<SessionId>);

    /// When the engine's own clock next changes something: a timeout, a deadlock check, the end of a sleep. None
    /// where the engine has no clock of its own.
    fn alarm(&self) -> Option<Duration> {
        None
    }

    /// Tells the engine what time it is, now that it has become later; sessions that it frees are told by
    /// [`Engine::wake`].
    fn advance(&mut self, now: Duration) {
        let _ = now;
    }

    /// Whether the engine is to keep account of what is used from here on; it may cost time.
    fn track(&mut self, tracks: bool) {
        let _ = tracks;
    }

    /// Adds what has been used since the last call, by whichever session: also by statements that wait, that go on
    /// because somebody else's end, and by sessions that are closed. An engine that cannot tell has used everything.
    fn take_footprint(&mut self, used: &mut Footprint) {
        used.add_part(part("database", ""), Use::Write);
    }

    /// Ends a session: what it had not committed is rolled back, its locks fall.
    fn close(&mut self, session: SessionId);

    /// A table's definition and committed rows, in the order of their keys.
    ///
    /// # Errors
    /// Where there is no such table, or where [`Done::committed`] does not account for its rows.
    fn rows(&mut self, table: &str) -> Result<(Rc<Table>, Vec<Row>), Error>;
}
