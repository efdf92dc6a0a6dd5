//! One session of a trial: its connection, its running or waiting statement, and that statement's outcome. It runs one
//! request at a time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::TryStreamExt;
use retrial_engine::SqlError;
use retrial_engine::error::Error;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgConnection, PgTypeInfo, PgTypeKind, Postgres};
use sqlx::{
    Arguments, AssertSqlSafe, Column, Connection, Either, Encode, Executor, Row, SqlSafeStr, Statement, Type,
    TypeInfo, ValueRef,
};
use tokio::time::Instant;

use super::convert::{self, Plain};
use super::health;
use super::scratch_database::Monitor;
use super::waits;

/// A statement's outcome, before conversion to the trial's values.
pub(super) enum Outcome {
    Ran(Raw),
    /// An SQL error.
    Failed(SqlError),
    /// The server, the machine or the connection has failed; the error that a driver would report.
    Broken(SqlError),
    /// The engine does not support this request.
    Refused(String),
}

/// Rows in the server's binary format.
#[derive(Default)]
pub(super) struct Raw {
    pub(super) types: Vec<u32>,
    pub(super) rows: Vec<Vec<Option<Vec<u8>>>>,
    pub(super) affected: u64,
}

/// A request to a session.
pub(super) struct Request {
    pub(super) sql: String,
    pub(super) params: Vec<Plain>,
    /// Uses the simple query protocol, as drivers do for transaction commands.
    pub(super) simple: bool,
    /// Drops all prepared statements first.
    pub(super) afresh: bool,
    /// Wraps the statement in a transaction, which stays open if it succeeds.
    pub(super) lasts: bool,
}

impl Request {
    /// A text that controls the session, without parameters or rows.
    pub(super) fn control(sql: impl Into<String>) -> Request {
        Request { sql: sql.into(), params: Vec::new(), simple: true, afresh: false, lasts: false }
    }
}

/// The part of a session that the trial's thread and the connection thread share.
pub(super) struct SessionConnection {
    pub(super) pid: i32,
    /// `None` while a statement runs, and permanently once the server has ended the session.
    connection: Mutex<Option<PgConnection>>,
    outcome: Mutex<Option<Outcome>>,
    /// The server's start time of the last wait that was reported; it distinguishes that wait from the next one.
    told_wait: Mutex<Option<String>>,
    running: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The contents are only replaced as a whole, so a panic elsewhere leaves them consistent.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SessionConnection {
    pub(super) fn new(pid: i32, connection: PgConnection) -> SessionConnection {
        let (connection, outcome) = (Mutex::new(Some(connection)), Mutex::new(None));
        let told_wait = Mutex::new(None);
        SessionConnection { pid, connection, outcome, told_wait, running: AtomicBool::new(false) }
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    /// Whether the wait has been reported, which means that the server's deadlock check has run.
    pub(super) fn has_told(&self, wait: &str) -> bool {
        lock(&self.told_wait).as_deref() == Some(wait)
    }

    /// Whether a wait of the running statement has been reported.
    pub(super) fn has_waited(&self) -> bool {
        lock(&self.told_wait).is_some()
    }

    /// Records the wait as reported.
    pub(super) fn tells(&self, wait: &str) {
        *lock(&self.told_wait) = Some(wait.to_owned());
    }

    /// Takes the statement's outcome, once it has finished.
    pub(super) fn take_outcome(&self) -> Option<Outcome> {
        lock(&self.outcome).take()
    }

    /// Whether the server still has the session; valid while nothing runs.
    pub(super) fn is_alive(&self) -> bool {
        lock(&self.connection).is_some()
    }

    /// Starts a statement. Runs on the connection thread.
    pub(super) fn start(self: &Arc<Self>, monitor: &Arc<Monitor>, request: Request) {
        self.running.store(true, Ordering::Release);
        *lock(&self.told_wait) = None;
        let (conn, monitor) = (self.clone(), monitor.clone());
        let connection = lock(&self.connection).take();
        tokio::task::spawn_local(async move {
            let outcome = match connection {
                None => Outcome::Failed(lost("the server has ended the session")),
                Some(mut connection) => {
                    let outcome = run(&mut connection, request).await;
                    let error = match &outcome {
                        Outcome::Failed(error) | Outcome::Broken(error) => Some(error),
                        Outcome::Ran(_) | Outcome::Refused(_) => None,
                    };
                    if error.is_none_or(|error| !is_the_end(error)) {
                        // The server reports an error before it releases the locks, but answers the next message only
                        // after that.
                        if error.is_some() {
                            let _ = monitor.health.within(connection.ping()).await;
                        }
                        *lock(&conn.connection) = Some(connection);
                    }
                    outcome
                }
            };
            *lock(&conn.outcome) = Some(outcome);
            conn.running.store(false, Ordering::Release);
            monitor.news.notify_one();
        });
    }

    /// Cancels the running statement and waits until it has ended. Runs on the connection thread.
    pub(super) async fn give_up(&self, monitor: &Monitor) -> Result<(), Error> {
        let began = Instant::now();
        while self.is_running() {
            if began.elapsed() > waits::BUDGET {
                return Err(waits::too_long(monitor, "was asked to give up a statement"));
            }
            monitor.cancel(self.pid).await?;
            let nap = Duration::from_millis(20);
            while self.is_running() && tokio::time::timeout(nap, monitor.news.notified()).await.is_ok() {}
        }
        Ok(())
    }

    /// The session's lock timeout: zero if it is off, `None` if the server could not be asked. Runs on the connection
    /// thread, while nothing runs in the session.
    pub(super) async fn lock_timeout(&self, monitor: &Monitor) -> Result<Option<Duration>, Error> {
        let Some(mut connection) = lock(&self.connection).take() else { return Ok(None) };
        let sql = "SELECT setting::int8 FROM pg_settings WHERE name = 'lock_timeout'";
        let asked = sqlx::query_scalar(sql).fetch_one(&mut connection);
        let found: Result<i64, Error> = monitor.health.within(asked).await;
        *lock(&self.connection) = Some(connection);
        match found {
            Ok(milliseconds) => Ok(u64::try_from(milliseconds).ok().map(Duration::from_millis)),
            Err(error) if error.is_machine() => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Sends a text that returns no rows and is not expected to fail, while nothing runs. Runs on the connection
    /// thread.
    pub(super) async fn tidy(&self, monitor: &Monitor, sql: &'static str) -> Result<(), Error> {
        let Some(mut connection) = lock(&self.connection).take() else { return Ok(()) };
        match monitor.health.within(sqlx::raw_sql(sql).execute(&mut connection)).await {
            Ok(_) => *lock(&self.connection) = Some(connection),
            Err(error) if error.is_machine() => return Err(error),
            // If it fails, the session is unusable.
            Err(_) => {}
        }
        Ok(())
    }
}

fn lost(why: &str) -> SqlError {
    SqlError { code: "08006".to_owned(), message: why.to_owned() }
}

/// Whether the error ended the session: the connection broke, or the server closed it (class 57P).
fn is_the_end(error: &SqlError) -> bool {
    error.code.starts_with("08") || error.code.starts_with("57P")
}

async fn run(connection: &mut PgConnection, request: Request) -> Outcome {
    let answer =
        if request.lasts { begin_and_ask(connection, request).await } else { ask(connection, request).await };
    match answer {
        Ok(Ok(raw)) => Outcome::Ran(raw),
        Ok(Err(refused)) => Outcome::Refused(refused),
        Err(sqlx::Error::Database(error)) => {
            let code = error.code().map_or_else(String::new, |code| code.into_owned());
            let is_machines = health::is_machines(&code);
            let said = SqlError { code, message: error.message().to_owned() };
            if is_machines { Outcome::Broken(said) } else { Outcome::Failed(said) }
        }
        Err(error) => match health::machine_failure(&error) {
            Some(why) => Outcome::Broken(lost(&why)),
            None => Outcome::Failed(lost(&error.to_string())),
        },
    }
}

async fn begin_and_ask(
    connection: &mut PgConnection,
    request: Request,
) -> Result<Result<Raw, String>, sqlx::Error> {
    sqlx::raw_sql("BEGIN").execute(&mut *connection).await?;
    let answer = ask(connection, request).await;
    if !matches!(answer, Ok(Ok(_))) {
        // The statement's own error counts; if this fails, the session has ended with it.
        let _ = sqlx::raw_sql("ROLLBACK").execute(connection).await;
    }
    answer
}

async fn ask(connection: &mut PgConnection, request: Request) -> Result<Result<Raw, String>, sqlx::Error> {
    if request.afresh {
        connection.clear_cached_statements().await?;
    }
    if request.simple {
        sqlx::raw_sql(AssertSqlSafe(request.sql)).execute(connection).await?;
        return Ok(Ok(Raw::default()));
    }
    // Prepared statements are cached by their text; the first time, the server reports the parameters' types.
    let statement = (&mut *connection).prepare(AssertSqlSafe(request.sql).into_sql_str()).await?;
    let types = match statement.parameters() {
        Some(Either::Left(types)) => types,
        _ => &[],
    };
    let arguments = match arguments(types, &request.params) {
        Ok(arguments) => arguments,
        Err(refused) => return Ok(Err(refused)),
    };
    let mut raw = Raw {
        types: statement.columns().iter().map(|column| oid(column.type_info())).collect(),
        ..Raw::default()
    };
    let mut results = connection.fetch_many(statement.query_with(arguments));
    while let Some(result) = results.try_next().await? {
        match result {
            Either::Left(done) => raw.affected += done.rows_affected(),
            Either::Right(row) => {
                let mut cells = Vec::with_capacity(row.len());
                for index in 0..row.len() {
                    let cell = row.try_get_raw(index)?;
                    let bytes = if cell.is_null() {
                        None
                    } else {
                        Some(cell.as_bytes().map_err(sqlx::Error::Decode)?)
                    };
                    cells.push(bytes.map(<[u8]>::to_vec));
                }
                raw.rows.push(cells);
            }
        }
    }
    Ok(Ok(raw))
}

/// The type that determines a value's encoding: a domain's is its base type's, an enum's is text.
fn oid(info: &PgTypeInfo) -> u32 {
    match info.kind() {
        PgTypeKind::Domain(below) => oid(below),
        PgTypeKind::Enum(_) => 25,
        _ => info.oid().map_or(0, |oid| oid.0),
    }
}

fn arguments(types: &[PgTypeInfo], params: &[Plain]) -> Result<PgArguments, String> {
    if types.len() != params.len() {
        return Err(format!("the statement takes {} parameters and was given {}", types.len(), params.len()));
    }
    let mut arguments = PgArguments::default();
    for (index, (info, param)) in types.iter().zip(params).enumerate() {
        let number = index + 1;
        let form = convert::form(oid(info)).ok_or_else(|| {
            format!("${number} has the type {}, to which nothing is converted", info.name())
        })?;
        let bytes = param.binary(form).map_err(|why| format!("${number}: {why}"))?;
        arguments
            .add(Argument { bytes, info: info.clone() })
            .map_err(|error| format!("${number}: {error}"))?;
    }
    Ok(arguments)
}

/// A value in the encoding that the parameter's type requires.
struct Argument {
    bytes: Option<Vec<u8>>,
    info: PgTypeInfo,
}

impl Type<Postgres> for Argument {
    fn type_info() -> PgTypeInfo {
        // Not used: each argument has its own type.
        PgTypeInfo::with_oid(Oid(25))
    }
}

impl Encode<'_, Postgres> for Argument {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let Some(bytes) = &self.bytes else { return Ok(IsNull::Yes) };
        buffer.extend_from_slice(bytes);
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(self.info.clone())
    }
}
