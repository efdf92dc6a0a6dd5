//! A session, and what comes back from its statements.

use std::fmt;

use crate::footprint::Footprint;
use crate::value::{Row, RowChange};
use crate::work::Work;

/// A connection of the engine, open from [`connect`](crate::Engine::connect) to [`close`](crate::Engine::close).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionId(pub u32);

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
    /// What it read, locked and wrote; empty if nobody tracks footprints.
    pub footprint: Footprint,
    /// Whether the statement's implicit transaction is still open. [`settle`](crate::Engine::settle) ends it once the
    /// statement's virtual duration has passed, so that its locks are held for that long.
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
    /// the usual one says what it does; [`choose`](crate::Engine::choose) continues.
    Choose(&'static [&'static str]),
}
