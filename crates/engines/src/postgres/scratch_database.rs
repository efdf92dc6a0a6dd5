//! A scratch database on the live server, and the control connection that monitors its sessions. The control connection
//! never takes a lock that a session could wait for, and never waits for one itself.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use retrial_engine::error::Error;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection, Row, ValueRef};
use tokio::sync::{Mutex, Notify};

use super::health::{Health, code};
use super::server::Server;

/// First interval between checks for waiting sessions: short, because most waits begin and end immediately.
const FIRST_NAP: Duration = Duration::from_millis(1);
/// Attempts to create a database: another run may drop a new one as abandoned.
const TRIES: u32 = 5;
/// Longest interval between checks.
const LAST_NAP: Duration = Duration::from_millis(16);

/// A scratch database, dropped with this value.
pub(super) struct ScratchDatabase {
    server: Arc<Server>,
    options: PgConnectOptions,
    monitor: Arc<Monitor>,
}

/// A row as the server prints it; `None` is NULL.
pub(super) type TextRow = Vec<Option<String>>;

/// What the connection thread needs to monitor the sessions.
pub(super) struct Monitor {
    control: Mutex<Option<PgConnection>>,
    pub(super) health: Arc<Health>,
    /// Notified whenever a session's statement has finished.
    pub(super) news: Notify,
}

impl ScratchDatabase {
    pub(super) fn new(server: &Arc<Server>) -> Result<ScratchDatabase, Error> {
        let health = server.health().clone();
        for tries_left in (0..TRIES).rev() {
            health.room_opens();
            let options = server.make_database().inspect_err(|_| health.room_closes())?;
            let monitor = Monitor { control: Mutex::new(None), health: health.clone(), news: Notify::new() };
            let scratch = ScratchDatabase { server: server.clone(), options, monitor: Arc::new(monitor) };
            if scratch.open(tries_left > 0)? {
                return Ok(scratch);
            }
        }
        Err(Error::machine(format!("the server at {} keeps no database that is made", health.address())))
    }

    /// Connects; from then on no other run considers the database abandoned. Returns false if it is gone and
    /// `may_be_gone`.
    fn open(&self, may_be_gone: bool) -> Result<bool, Error> {
        let to = self.options.clone().application_name("retrial control").options([("lock_timeout", "10s")]);
        let monitor = self.monitor.clone();
        self.ask(move || async move {
            let is_gone = |error: &sqlx::Error| code(error).as_deref() == Some("3D000");
            let connection = match monitor.health.within(connected(&to, is_gone)).await? {
                None if may_be_gone => return Ok(false),
                None => return Err(Error::machine("the database has been dropped by somebody else")),
                Some(connection) => connection,
            };
            *monitor.control.lock().await = Some(connection);
            Ok(true)
        })
    }

    pub(super) fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    pub(super) fn monitor(&self) -> &Arc<Monitor> {
        &self.monitor
    }

    /// Runs `work` on the connection thread and waits until it is done.
    pub(super) fn ask<T, F>(&self, work: impl FnOnce() -> F + Send + 'static) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + 'static,
    {
        self.server.driver().ask(work)?
    }

    /// Runs a text of statements on the control connection.
    pub(super) fn run(&self, sql: String) -> Result<(), Error> {
        self.read(sql).map(|_| ())
    }

    /// Runs a text of statements on the control connection; returns all rows as the server prints them.
    pub(super) fn read(&self, sql: String) -> Result<Vec<TextRow>, Error> {
        let monitor = self.monitor.clone();
        self.ask(move || async move {
            monitor
                .look(async |control| {
                    let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(control).await?;
                    rows.iter().map(text_row).collect()
                })
                .await
        })
    }

    /// Whether the session's transaction keeps writers out: it has a transaction ID, so it has written or locked a row,
    /// or it has locked a table against writing.
    pub(super) fn keeps_writers_out(&self, pid: i32) -> Result<bool, Error> {
        let sql = format!(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = {pid} AND granted AND mode IN ('ShareLock', \
             'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock') \
             AND locktype IN ('relation', 'transactionid'))"
        );
        let rows = self.read(sql)?;
        Ok(rows.first().and_then(|row| row.first()).is_some_and(|cell| cell.as_deref() == Some("t")))
    }

    /// Waits on the wall clock until a session's statement has finished, or until the set of sessions that wait for one
    /// another differs from `known`, at most for `longest`.
    pub(super) fn wait_for_news(
        &self,
        longest: Duration,
        pids: Vec<i32>,
        mut known: Vec<i32>,
    ) -> Result<(), Error> {
        known.sort_unstable();
        let monitor = self.monitor.clone();
        self.ask(move || async move {
            let changes = async {
                let mut nap = FIRST_NAP;
                loop {
                    let news = tokio::time::timeout(nap, monitor.news.notified()).await.is_ok();
                    if news || monitor.waiting(&pids).await? != known {
                        return Ok(());
                    }
                    nap = (nap * 2).min(LAST_NAP);
                }
            };
            // On timeout the caller checks again, as it does after a notification.
            tokio::time::timeout(longest, changes).await.unwrap_or(Ok(()))
        })
    }
}

impl Monitor {
    /// Runs `with` on the control connection, one caller at a time.
    pub(super) async fn look<T>(
        &self,
        with: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, Error> {
        let mut control = self.control.lock().await;
        let control = control.as_mut().ok_or_else(|| Error::refused("the control connection is closed"))?;
        self.health.within(with(control)).await
    }

    /// The sessions that wait for another of `pids`.
    async fn waiting(&self, pids: &[i32]) -> Result<Vec<i32>, Error> {
        self.look(async |control| {
            let sql = "SELECT pid FROM unnest($1::int4[]) pid \
                       WHERE pg_catalog.pg_isolation_test_session_is_blocked(pid, $1) ORDER BY pid";
            sqlx::query_scalar(sql).bind(pids).fetch_all(control).await
        })
        .await
    }

    /// Asks the server to cancel the session's statement.
    pub(super) async fn cancel(&self, pid: i32) -> Result<(), Error> {
        self.look(async |control| {
            sqlx::query("SELECT pg_cancel_backend($1)").bind(pid).execute(control).await.map(|_| ())
        })
        .await
    }

    /// Terminates the session and waits until its locks are released.
    pub(super) async fn terminate(&self, pid: i32) -> Result<(), Error> {
        self.look(async |control| {
            let sql = "SELECT pg_terminate_backend($1, 10000)";
            sqlx::query(sql).bind(pid).execute(control).await.map(|_| ())
        })
        .await
    }
}

/// A connection, or `None` if connecting fails with an expected error.
async fn connected(
    to: &PgConnectOptions,
    is_expected: impl Fn(&sqlx::Error) -> bool,
) -> Result<Option<PgConnection>, sqlx::Error> {
    match PgConnection::connect_with(to).await {
        Ok(connection) => Ok(Some(connection)),
        Err(error) if is_expected(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn text_row(row: &PgRow) -> Result<TextRow, sqlx::Error> {
    let cell = |index: usize| {
        let cell = row.try_get_raw(index)?;
        if cell.is_null() {
            return Ok(None);
        }
        cell.as_str().map(|text| Some(text.to_owned())).map_err(sqlx::Error::Decode)
    };
    (0..row.len()).map(cell).collect()
}

impl Drop for ScratchDatabase {
    fn drop(&mut self) {
        let monitor = self.monitor.clone();
        // A server that is gone has no database left to drop.
        let _ = self.ask(move || async move {
            if let Some(control) = monitor.control.lock().await.take() {
                monitor.health.within(control.close()).await?;
            }
            Ok(())
        });
        self.monitor.health.room_closes();
        if let Some(name) = self.options.get_database() {
            let _ = self.server.drop_database(name);
        }
    }
}

impl fmt::Debug for ScratchDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScratchDatabase")
            .field("database", &self.options.get_database())
            .finish_non_exhaustive()
    }
}
