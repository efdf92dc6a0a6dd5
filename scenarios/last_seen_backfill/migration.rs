//! The project's asynchronous migration, cmd/ingestor/async_migration.go at 816062ba: a runner that records the status,
//! and the trait that a strategy implements.

use std::time::Duration;

use retrial_sim::actor::{Actor, Task};
use retrial_sim::engine::{Answer, SqlError, Value};
use retrial_sim::parts::connection::Transaction;
use retrial_sim::parts::pool::Pool;
use retrial_sim::scenario::KnownFailure;

/// A strategy: one file, one required method.
pub trait Backfill: Sync {
    /// Fills `last_seen`. Its result becomes the migration's status: `done`, or `failed` with the error.
    fn run<'a>(&'a self, migration: &'a Migration) -> Task<'a, Result<(), Failure>>;

    /// Its known failures, with reasons.
    fn known_failures(&self) -> &'static [KnownFailure] {
        &[]
    }
}

/// Why a backfill ended early.
#[derive(Debug)]
pub enum Failure {
    /// A statement failed.
    Sql(SqlError),
    /// The process was asked to stop.
    Stopped,
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Failure {
        Failure::Sql(error)
    }
}

/// The API of a strategy. Every call is one statement on the shared writer connection, which is acquired and released
/// for it, unless the call is made on a [`Transaction`]. The statement that fills rows is labelled `batch`.
#[derive(Debug)]
pub struct Migration {
    pub(super) actor: Actor,
    pub(super) pool: Pool,
    /// The batch size: how many rows a batch may change.
    pub batch: i64,
}

/// The migration's name in `_async_migrations`.
pub(super) const NAME: &str = "tx_last_seen_backfill_v1";

/// How long the pull request's loop sleeps between two batches.
pub(super) const YIELD: Duration = Duration::from_millis(100);

impl Migration {
    /// Sends one statement in a transaction of its own.
    ///
    /// # Errors
    /// Any error of the driver.
    pub async fn execute<const N: usize>(
        &self,
        label: &'static str,
        sql: &'static str,
        params: [i64; N],
    ) -> Result<Answer, SqlError> {
        self.pool.execute(&self.actor, label, sql, params.map(Value::Integer)).await
    }

    /// Sends a query for one number; NULL is read as 0. Use [`Migration::execute`] if NULL matters.
    ///
    /// # Errors
    /// Any error of the driver.
    pub async fn number<const N: usize>(
        &self,
        label: &'static str,
        sql: &'static str,
        params: [i64; N],
    ) -> Result<i64, SqlError> {
        self.execute(label, sql, params).await.map(|answer| first_number(&answer))
    }

    /// Begins a transaction on the writer connection; nothing else in the process can write until it ends.
    ///
    /// # Errors
    /// Any error of the driver.
    pub async fn begin(&self) -> Result<Transaction, SqlError> {
        self.pool.begin(&self.actor, "begin", "BEGIN IMMEDIATE").await
    }

    /// Reports progress, in a transaction of its own. A failed report is only logged.
    pub async fn report(&self, processed: i64, total: i64) {
        let _ = self.pool.execute(&self.actor, "progress", PROGRESS, self.progress(processed, total)).await;
    }

    /// The virtual time since the trial began.
    pub fn now(&self) -> Duration {
        self.actor.now()
    }

    /// The parameters of the statement that writes the progress columns.
    pub fn progress(&self, processed: i64, total: i64) -> Vec<Value> {
        vec![processed.into(), total.into(), self.actor.unix_seconds().into(), NAME.into()]
    }

    /// Pauses between two batches. Returns whether the process was asked to stop.
    pub async fn pause(&self) -> bool {
        self.actor.sleep_unless_stopped("yield", YIELD).await
    }

    /// Whether the process was asked to stop.
    pub fn stopping(&self) -> bool {
        self.actor.is_stopping()
    }
}

/// Writes the progress columns; its parameters are [`Migration::progress`].
pub(super) const PROGRESS: &str =
    "UPDATE _async_migrations SET rows_processed = ?1, rows_total = ?2, last_update_at = ?3 WHERE name = ?4";

/// The first value of an answer as a number; 0 if there is none.
pub(super) fn first_number(answer: &Answer) -> i64 {
    answer.rows.first().and_then(|row| row.first()?.integer()).unwrap_or(0)
}

/// The runner: registers the migration, runs it unless it is done, and records how it ended. After a stop or a crash it
/// runs again at the next start of the process: `pending_async` and `failed` both mean that it is to be run.
pub(super) async fn run(backfill: &dyn Backfill, migration: &Migration) {
    if let Err(error) = supervise(backfill, migration).await {
        // The project's runner logs a status that it cannot record and leaves it to the next start.
        let _ = error;
        migration.actor.note("unrecorded", 0, 0);
    }
}

async fn supervise(backfill: &dyn Backfill, migration: &Migration) -> Result<(), SqlError> {
    let send = async |label, sql: &'static str, params: Vec<Value>| {
        migration.pool.execute(&migration.actor, label, sql, params).await
    };
    let status =
        send("status", "SELECT status FROM _async_migrations WHERE name = ?1", vec![NAME.into()]).await?;
    let register = match status.rows.first().and_then(|row| row[0].text()) {
        Some("done") => return Ok(()),
        Some(_) => "UPDATE _async_migrations SET status = 'pending_async', error = NULL WHERE name = ?1",
        None => "INSERT INTO _async_migrations (name, status) VALUES (?1, 'pending_async')",
    };
    send("register", register, vec![NAME.into()]).await?;
    let (status, error) = match backfill.run(migration).await {
        Ok(()) => ("done", Value::Null),
        Err(Failure::Sql(error)) => ("failed", error.to_string().into()),
        Err(Failure::Stopped) => ("failed", "context canceled".into()),
    };
    let finish = "UPDATE _async_migrations SET status = ?1, error = ?2 WHERE name = ?3";
    send("finish", finish, vec![status.into(), error, NAME.into()]).await?;
    Ok(())
}
