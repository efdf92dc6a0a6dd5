//! A console on a live server, against which isolation specs and the differential test compare the model. It never
//! adds, drops or reorders the server's messages.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::TryStreamExt;
use retrial_engine::SessionId;
use retrial_engine::error::Error;
use sqlx::postgres::{PgConnection, PgDatabaseError, PgSeverity};
use sqlx::{AssertSqlSafe, Connection};

use super::health;
use super::scratch_database::{Monitor, ScratchDatabase};
use super::server::Server;
use super::wire_proxy::{self, SharedHeard};
use crate::console::{Console, Message, Progress};
use crate::leftovers::{Folder, Kind};

/// Maximum time from the end of a session until the server closes its connection.
const ITS_END: Duration = Duration::from_secs(2);

/// A console with its own database on a live server.
pub struct PostgresConsole {
    scratch: ScratchDatabase,
    sessions: Vec<Option<Session>>,
    /// The folder of the wire proxies' sockets.
    taps: Folder,
    /// The number of the next socket.
    next_tap: u16,
}

struct Session {
    pid: i32,
    heard: SharedHeard,
    line: Arc<Line>,
    /// The state of its text at the last check.
    seen: Progress,
}

/// The part of a session that the connection thread and the console share.
struct Line {
    /// `None` while a text runs, and permanently once the server has ended the session.
    connection: Mutex<Option<PgConnection>>,
    running: AtomicBool,
    /// A failure of the server, the machine or the connection, as opposed to an error of the text.
    broken: Mutex<Option<Error>>,
}

impl PostgresConsole {
    /// Creates a console in a new, empty database.
    ///
    /// # Errors
    /// If the server cannot create the database.
    pub fn new(server: &Arc<Server>) -> Result<PostgresConsole, Error> {
        let taps = Folder::make(Kind::Console, false)?;
        Ok(PostgresConsole {
            scratch: ScratchDatabase::new(server)?,
            sessions: Vec::new(),
            taps,
            next_tap: 1,
        })
    }

    fn session(&self, id: SessionId) -> Result<&Session, Error> {
        let session = self.sessions.get(id.0 as usize).and_then(Option::as_ref);
        session.ok_or_else(|| Error::refused(format!("the console has no session {}", id.0)))
    }

    /// Records the state of the session's text.
    fn seen(&mut self, id: SessionId, progress: Progress) -> Progress {
        if let Some(session) = self.sessions.get_mut(id.0 as usize).and_then(Option::as_mut) {
            session.seen = progress;
        }
        progress
    }
}

impl Console for PostgresConsole {
    fn connect(&mut self, name: &str) -> Result<SessionId, Error> {
        let options = self.scratch.options().clone().application_name(name);
        let (folder, port) = (self.taps.path().to_owned(), self.next_tap);
        self.next_tap = self.next_tap.checked_add(1).unwrap_or(1);
        let health = self.scratch.monitor().health.clone();
        health.room_has(self.sessions.iter().flatten().count() as u32 + 2);
        let (pid, heard, connection) = self.scratch.ask(move || async move {
            let (mut connection, heard) = wire_proxy::connect(&health, &options, &folder, port).await?;
            let asked = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut connection);
            let pid: i32 = health.within(asked).await?;
            wire_proxy::lock(&heard).take();
            Ok((pid, heard, connection))
        })?;
        let line = Line {
            connection: Mutex::new(Some(connection)),
            running: AtomicBool::new(false),
            broken: Mutex::new(None),
        };
        self.sessions.push(Some(Session { pid, heard, line: Arc::new(line), seen: Progress::Finished }));
        Ok(SessionId(self.sessions.len() as u32 - 1))
    }

    fn process(&self, session: SessionId) -> Option<i32> {
        self.session(session).ok().map(|session| session.pid)
    }

    fn send(&mut self, session: SessionId, text: &str) -> Result<(), Error> {
        let scratch = &self.scratch;
        let session = self.sessions.get_mut(session.0 as usize).and_then(Option::as_mut);
        let session = session.ok_or_else(|| Error::refused("the session is closed"))?;
        if session.line.running.load(Ordering::Acquire) {
            return Err(Error::refused("the session still works on the text before"));
        }
        let connection = session.line.take();
        let Some(connection) = connection else {
            session.line.take_failure()?;
            // Fails if the whole server is gone, not just the session.
            scratch.read("SELECT 1".to_owned())?;
            return Err(Error::refused("the server has ended the session"));
        };
        session.line.running.store(true, Ordering::Release);
        session.seen = Progress::Running;
        let (line, monitor, text) = (session.line.clone(), scratch.monitor().clone(), text.to_owned());
        let heard = session.heard.clone();
        scratch.ask(move || async move {
            tokio::task::spawn_local(run(connection, text, line, heard, monitor));
            Ok(())
        })
    }

    fn progress(&mut self, session: SessionId) -> Result<Progress, Error> {
        let looked_at = self.session(session)?;
        if !looked_at.line.running.load(Ordering::Acquire) {
            looked_at.line.take_failure()?;
            if !looked_at.line.is_alive() {
                // If the whole server is gone, the session's messages are not a result.
                self.scratch.read("SELECT 1".to_owned())?;
            }
            return Ok(self.seen(session, Progress::Finished));
        }
        let pid = looked_at.pid;
        let others: Vec<i32> = self.sessions.iter().flatten().map(|other| other.pid).collect();
        let others: Vec<i32> = others.into_iter().filter(|other| *other != pid).collect();
        let (line, monitor) = (looked_at.line.clone(), self.scratch.monitor().clone());
        let progress = self.scratch.ask(move || async move {
            let blocked: bool = monitor
                .look(async |control| {
                    sqlx::query_scalar("SELECT pg_catalog.pg_isolation_test_session_is_blocked($1, $2)")
                        .bind(pid)
                        .bind(others)
                        .fetch_one(control)
                        .await
                })
                .await?;
            // The text may have finished during the query.
            if !line.running.load(Ordering::Acquire) {
                line.take_failure()?;
            }
            Ok(match (line.running.load(Ordering::Acquire), blocked) {
                (false, _) => Progress::Finished,
                (true, true) => Progress::Blocked,
                (true, false) => Progress::Running,
            })
        })?;
        Ok(self.seen(session, progress))
    }

    fn messages(&mut self, session: SessionId) -> Vec<Message> {
        self.session(session).map_or_else(|_| Vec::new(), |session| wire_proxy::lock(&session.heard).take())
    }

    fn pass(&mut self, longest: Duration) -> Result<bool, Error> {
        let open = || self.sessions.iter().flatten();
        if open().any(|session| session.line.running.load(Ordering::Acquire)) {
            let blocked = open().filter(|session| session.seen == Progress::Blocked);
            let known = blocked.map(|session| session.pid).collect();
            self.scratch.wait_for_news(longest, open().map(|session| session.pid).collect(), known)?;
            return Ok(true);
        }
        // A text that has finished since the last check counts as a change too.
        Ok(open().any(|session| session.seen != Progress::Finished))
    }

    fn cancel(&mut self, session: SessionId) -> Result<(), Error> {
        let session = self.session(session)?;
        if !session.line.running.load(Ordering::Acquire) {
            return Ok(());
        }
        let (pid, monitor) = (session.pid, self.scratch.monitor().clone());
        self.scratch.ask(move || async move { monitor.cancel(pid).await })
    }

    fn close(&mut self, session: SessionId) {
        let Some(session) = self.sessions.get_mut(session.0 as usize).and_then(Option::take) else { return };
        let (pid, monitor) = (session.pid, self.scratch.monitor().clone());
        // A server that is gone has ended its sessions.
        let _ = self.scratch.ask(move || async move { monitor.terminate(pid).await });
    }
}

/// Sends the text and reads its results to the end. The proxy records the server's messages, so they are discarded
/// here.
async fn run(
    mut connection: PgConnection,
    text: String,
    line: Arc<Line>,
    heard: SharedHeard,
    monitor: Arc<Monitor>,
) {
    let ended = {
        let mut results = sqlx::raw_sql(AssertSqlSafe(text)).fetch_many(&mut connection);
        loop {
            match results.try_next().await {
                Ok(Some(_)) => {}
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        }
    };
    if let Err(error) = &ended
        && is_machines(error)
    {
        let error = health::machine_failure(error).map(|why| monitor.health.failed(error, why));
        *line.broken.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }
    if lives_after(&ended) {
        // The server reports an error before the rollback is complete, but answers the next message only after it.
        if ended.is_err() {
            let _ = monitor.health.within(connection.ping()).await;
        }
        *line.connection.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
    } else {
        // The connection closes after the session's last message; both are reported together.
        let _ = tokio::time::timeout(ITS_END, async {
            while !wire_proxy::lock(&heard).closed {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
    }
    line.running.store(false, Ordering::Release);
    monitor.news.notify_one();
}

/// Whether the session accepts more: it survives an SQL error, but not a fatal error or a connection failure.
fn lives_after(ended: &Result<(), sqlx::Error>) -> bool {
    match ended {
        Ok(()) => true,
        Err(sqlx::Error::Database(error)) => {
            let error = error.try_downcast_ref::<PgDatabaseError>();
            error.is_some_and(|error| !matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic))
        }
        Err(_) => false,
    }
}

/// Whether the server or the connection has failed. A terminated session reports 57P01 and may have been terminated by
/// another session. If the whole server is shutting down, the next query to it fails.
fn is_machines(error: &sqlx::Error) -> bool {
    health::code(error).as_deref() != Some("57P01") && health::machine_failure(error).is_some()
}

impl Line {
    fn is_alive(&self) -> bool {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn take_failure(&self) -> Result<(), Error> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }

    fn take(&self) -> Option<PgConnection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for PostgresConsole {
    fn drop(&mut self) {
        (0..self.sessions.len()).for_each(|index| self.close(SessionId(index as u32)));
    }
}

impl fmt::Debug for PostgresConsole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConsole").field("scratch", &self.scratch).finish_non_exhaustive()
    }
}
