//! A database of one's own on the live server, and the connection from which its sessions are looked at. It
//! must never take a lock that a session could wait for, nor wait for one itself.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use retrial_sim::error::Error;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection, Row, ValueRef};
use tokio::sync::{Mutex, Notify};

use super::health::{Health, code};
use super::server::Server;

/// How often the server is asked who waits: soon at first, because most waits begin and end at once.
const FIRST_NAP: Duration = Duration::from_millis(1);
/// How often a database is made that somebody who removes abandoned ones takes for one of them.
const TRIES: u32 = 5;
/// The longest time between two looks.
const LAST_NAP: Duration = Duration::from_millis(16);

/// The database; dropped with this.
pub(super) struct ScratchDatabase {
    server: Arc<Server>,
    options: PgConnectOptions,
    monitor: Arc<Monitor>,
}

/// A row as the server prints it; `None` is NULL.
pub(super) type TextRow = Vec<Option<String>>;

/// What the connection thread needs to look at the sessions.
pub(super) struct Monitor {
    control: Mutex<Option<PgConnection>>,
    pub(super) health: Arc<Health>,
    /// Told whenever a session's statement has ended.
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

    /// Connects; from then on nobody else takes the database for abandoned. Tells whether it was still there, if that
    /// can be helped.
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

    /// Has the connection thread do something, and waits until it is done.
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

    /// Runs a text of statements on the control connection; tells all rows as the server prints them.
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

    /// Whether the session's transaction has written or locked a row, for which it has got a number, or has locked a
    /// table against writing.
    pub(super) fn keeps_writers_out(&self, pid: i32) -> Result<bool, Error> {
        let sql = format!(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = {pid} AND granted AND mode IN ('ShareLock', \
             'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock') \
             AND locktype IN ('relation', 'transactionid'))"
        );
        let rows = self.read(sql)?;
        Ok(rows.first().and_then(|row| row.first()).is_some_and(|cell| cell.as_deref() == Some("t")))
    }

    /// Lets the clock's time pass until a statement of a session has ended, or others of these sessions wait
    /// for one of them than those of which the caller knows, at most so long.
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
            // Once the time has passed the caller looks again, as after news.
            tokio::time::timeout(longest, changes).await.unwrap_or(Ok(()))
        })
    }
}

impl Monitor {
    /// Does something with the connection that looks; one at a time.
    pub(super) async fn look<T>(
        &self,
        with: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, Error> {
        let mut control = self.control.lock().await;
        let control = control.as_mut().ok_or_else(|| Error::refused("the control connection is closed"))?;
        self.health.within(with(control)).await
    }

    /// Which of these sessions wait for another of them.
    async fn waiting(&self, pids: &[i32]) -> Result<Vec<i32>, Error> {
        self.look(async |control| {
            let sql = "SELECT pid FROM unnest($1::int4[]) pid \
                       WHERE pg_catalog.pg_isolation_test_session_is_blocked(pid, $1) ORDER BY pid";
            sqlx::query_scalar(sql).bind(pids).fetch_all(control).await
        })
        .await
    }

    /// Asks the server to give up what that session does.
    pub(super) async fn cancel(&self, pid: i32) -> Result<(), Error> {
        self.look(async |control| {
            sqlx::query("SELECT pg_cancel_backend($1)").bind(pid).execute(control).await.map(|_| ())
        })
        .await
    }

    /// Ends that session, and waits until its locks have fallen.
    pub(super) async fn terminate(&self, pid: i32) -> Result<(), Error> {
        self.look(async |control| {
            let sql = "SELECT pg_terminate_backend($1, 10000)";
            sqlx::query(sql).bind(pid).execute(control).await.map(|_| ())
        })
        .await
    }
}

/// A connection, or none where the error is one of these.
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
        // A server that has gone has no database left to drop.
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
