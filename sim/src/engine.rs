//! The SQL engine interface: one trait through which the kernel drives a model, an embedded database or a live server.
//!
//! An engine is synchronous and never waits: a statement that cannot continue is [`Reply::Blocked`], and the kernel
//! decides which actor runs next. An engine never guesses: it refuses by name what it does not know.

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
    /// A boolean, for engines that have the type.
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
            // Only the kind counts: a live server has its own clock, and the model's timestamps follow from the times
            // of the events.
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

/// What a committed transaction did to one row, as the store reports it, in commit order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowChange {
    /// The table.
    pub table: Rc<Table>,
    /// Identifies the row within its table: SQLite's rowid; in Postgres a primary key of one number, or a digest of any
    /// other key.
    pub key: i64,
    /// The row before the statement; none for an insert.
    pub before: Option<Row>,
    /// The row after the statement; none for a delete.
    pub after: Option<Row>,
}

impl RowChange {
    /// The named column's value before, if the row existed.
    pub fn value_before(&self, column: &str) -> Option<&Value> {
        self.table.value(self.before.as_ref()?, column)
    }

    /// The named column's value after, if the row still exists.
    pub fn value_after(&self, column: &str) -> Option<&Value> {
        self.table.value(self.after.as_ref()?, column)
    }
}

/// The work that a statement did, in the engine's own units, never wall-clock time. Zero if the engine does not report
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Work {
    /// Instructions executed or rows visited: SQLite's `SQLITE_STMTSTATUS_VM_STEP`.
    pub steps: u64,
    /// Steps forward in a scan of a whole table: SQLite's `SQLITE_STMTSTATUS_FULLSCAN_STEP`.
    pub full_scan_steps: u64,
}

/// The cost of work in virtual time, as the scenario states it.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// For each statement, whatever it does: the round trip to the engine.
    pub per_statement: Duration,
    /// For each of [`Work::steps`], which a live server does not report.
    pub per_step: Duration,
    /// For each row returned or changed, which every engine reports alike.
    pub per_row: Duration,
    /// For making a transaction durable, while its locks are held.
    pub per_commit: Duration,
    /// The unit of the delays drawn in timed trials: a delay of exponent `e` lasts `2^e - 1` units.
    pub delay_unit: Duration,
}

impl Cost {
    /// No work takes any time.
    pub const FREE: Cost = Cost {
        per_statement: Duration::ZERO,
        per_step: Duration::ZERO,
        per_row: Duration::ZERO,
        per_commit: Duration::ZERO,
        delay_unit: Duration::ZERO,
    };

    /// The virtual duration of a statement with this work and this result.
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
    /// The number of rows that a write changed, as the driver reports it.
    pub changed: u64,
}

/// The error that a real driver would hand to the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlError {
    /// SQLite's result code by name (`SQLITE_BUSY`), or Postgres' SQLSTATE.
    pub code: String,
    /// The engine's own text.
    pub message: String,
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

/// A statement that has finished, successfully or not.
#[derive(Clone, Debug)]
pub struct Done {
    /// What the application gets.
    pub result: Result<Answer, SqlError>,
    /// The work it took.
    pub work: Work,
    /// What became visible to others, if the statement ended a transaction.
    pub committed: Vec<RowChange>,
    /// What it read, locked and wrote; rows by [`RowChange::key`].
    pub footprint: Footprint,
    /// Whether the statement's implicit transaction is still open. [`Engine::settle`] ends it once the statement's
    /// virtual duration has passed, so that its locks are held for that long.
    pub unsettled: bool,
    /// Whether the session holds a lock that keeps other writers out: of the database, of a table or of a row.
    pub holds_write_lock: bool,
}

/// The engine's answer to a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// The statement has finished.
    Done(Done),
    /// The statement waits for locks held by these sessions.
    Blocked(Vec<SessionId>),
    /// The statement's result shows which plan was used, which statistics would decide. One sentence for each plan but
    /// the usual one says what it does; [`Engine::choose`] continues.
    Choose(&'static [&'static str]),
}

/// The database at the start of a trial. Trials that share one share its image.
#[derive(Clone, Debug)]
pub struct InitialState {
    /// The schema, as SQL text.
    pub schema: Cow<'static, str>,
    /// The rows of each table, in the order of its columns.
    pub rows: Vec<(&'static str, Vec<Value>)>,
}

/// A statement on one line, cut off if it is long, for use in a sentence.
pub fn statement_in_short(sql: &str) -> String {
    const LONGEST: usize = 120;
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}..", &line[..end]),
        None => line,
    }
}

/// A database under test.
pub trait Engine {
    /// The engine's name, as `--engine` takes it.
    fn name(&self) -> &'static str;

    /// Whether it is a live server. A server itself decides which of several waiters continues, so two runs of one tape
    /// may differ.
    fn is_live(&self) -> bool {
        false
    }

    /// Resets the database to the initial rows, closes all sessions and seeds the engine's own randomness.
    ///
    /// # Errors
    /// The database cannot be created: no space, or a schema that does not parse.
    fn open(&mut self, initial_state: &Rc<InitialState>, ambient: Seed) -> Result<(), Error>;

    /// Opens a connection.
    ///
    /// # Errors
    /// The engine has no more of them.
    fn connect(&mut self) -> Result<SessionId, Error>;

    /// Runs a statement on a session that is not blocked.
    ///
    /// # Errors
    /// The engine refuses the statement by name. An SQL error is in [`Done::result`] instead.
    fn submit(&mut self, session: SessionId, sql: &str, params: &[Value]) -> Result<Reply, Error>;

    /// Continues the statement of a session that was answered [`Reply::Choose`], by its usual plan, 0, or by another
    /// one.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    fn choose(&mut self, session: SessionId, plan: usize) -> Result<Reply, Error> {
        Err(Error::refused(format!("session {} has no plan {plan} to choose", session.0)))
    }

    /// Continues the blocked statement of a session that [`Engine::wake`] returned.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    fn resume(&mut self, session: SessionId) -> Result<Reply, Error>;

    /// Cancels the blocked statement of a session whose lock timeout has passed, with the driver's own error.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    fn expire(&mut self, session: SessionId) -> Result<Done, Error>;

    /// Makes `sql`, which the session was about to run, fail before it takes effect, with an error that is not the
    /// application's fault; an open transaction is affected as by any such error. If `sql` would have ended the
    /// transaction, the transaction is over and has changed nothing. Never blocks.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    fn fail(&mut self, session: SessionId, sql: &str) -> Result<Done, Error>;

    /// Ends the implicit transaction that [`Done::unsettled`] left open.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    fn settle(&mut self, session: SessionId) -> Result<Reply, Error>;

    /// Rolls back the session's open work, as a driver does when a connection is returned; does nothing outside a
    /// transaction.
    fn rollback(&mut self, session: SessionId);

    /// Adds the sessions whose statements can continue to `ready`.
    fn wake(&mut self, ready: &mut Vec<SessionId>);

    /// When the engine's own clock next changes something: a timeout, a deadlock check, the end of a sleep. None if the
    /// engine has no clock of its own.
    fn alarm(&self) -> Option<Duration> {
        None
    }

    /// Moves the engine's clock forward to `now`; [`Engine::wake`] returns the sessions that this frees.
    fn advance(&mut self, now: Duration) {
        let _ = now;
    }

    /// Turns footprint tracking on or off; tracking may cost time.
    fn track(&mut self, tracks: bool) {
        let _ = tracks;
    }

    /// Adds everything used since the last call, by any session: also by waiting statements, by statements that
    /// continue because another session's ended, and by closed sessions. An engine that cannot tell reports the whole
    /// database.
    fn take_footprint(&mut self, used: &mut Footprint) {
        used.add_part(part("database", ""), Use::Write);
    }

    /// Ends a session: its uncommitted work is rolled back and its locks are released.
    fn close(&mut self, session: SessionId);

    /// A table's definition and committed rows, in key order.
    ///
    /// # Errors
    /// There is no such table, or [`Done::committed`] does not account for its rows.
    fn rows(&mut self, table: &str) -> Result<(Rc<Table>, Vec<Row>), Error>;
}
