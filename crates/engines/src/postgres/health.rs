//! Detects whether the server still answers and classifies its failures. A statement's own error goes to the actor that
//! sent it; a machine failure ends the run. Messages never contain passwords.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::{Either, select};
use retrial_engine::SqlError;
use retrial_engine::error::Error;
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::time::{sleep, timeout};

/// How long the server may take to answer a request that waits for no lock.
pub(super) const ANSWER: Duration = Duration::from_secs(10);

/// How many rounds a request may take while the server answers on a second connection. A round lasts half of
/// [`ANSWER`], and as long as the second connection takes.
const PATIENCE: u32 = 6;

/// The known state of a server, shared by everything that talks to it.
pub(super) struct Health {
    options: PgConnectOptions,
    /// The server's address, for messages.
    address: String,
    answer: Duration,
    /// Why the server is no longer used, and whether that was for not answering.
    failure: OnceLock<(String, bool)>,
    /// The server's `max_connections`, once known.
    most_connections: OnceLock<u32>,
    /// The number of open scratch databases, one per job.
    rooms: AtomicU32,
    /// The largest number of connections of any of them.
    most_of_a_room: AtomicU32,
}

impl Health {
    pub(super) fn new(options: PgConnectOptions, answer: Duration) -> Health {
        let port = options.get_port();
        let address = match options.get_socket() {
            Some(folder) => format!("{} (port {port})", folder.display()),
            None => format!("{}:{port}", options.get_host()),
        };
        let (failure, most_connections) = (OnceLock::new(), OnceLock::new());
        let (rooms, most_of_a_room) = (AtomicU32::new(0), AtomicU32::new(0));
        Health { options, address, answer, failure, most_connections, rooms, most_of_a_room }
    }

    /// The server's address.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Records the server's `max_connections`.
    pub(super) fn has_room_for(&self, connections: u32) {
        let _ = self.most_connections.set(connections);
    }

    /// Records that a database is opened, with one connection at first.
    pub(super) fn room_opens(&self) {
        self.rooms.fetch_add(1, Ordering::Relaxed);
        self.room_has(1);
    }

    /// Records that a database is closed.
    pub(super) fn room_closes(&self) {
        self.rooms.fetch_sub(1, Ordering::Relaxed);
    }

    /// Records the number of connections to a database.
    pub(super) fn room_has(&self, connections: u32) {
        self.most_of_a_room.fetch_max(connections, Ordering::Relaxed);
    }

    /// Whether the server stopped answering, so that it is not used any more.
    pub(super) fn is_silent(&self) -> bool {
        self.failure.get().is_some_and(|(_, silent)| *silent)
    }

    /// The engine's error for a failure of one of its own requests.
    pub(super) fn told(&self, error: sqlx::Error) -> Error {
        match machine_failure(&error) {
            Some(why) => self.failed(&error, why),
            None => Error::refused(format!("the live server: {error}")),
        }
    }

    /// The error for a machine failure.
    pub(super) fn failed(&self, error: &sqlx::Error, why: String) -> Error {
        if code(error).as_deref() == Some("53300") {
            return Error::machine(self.too_many());
        }
        Error::machine(format!("the server at {}: {why}", self.address))
    }

    /// The error for a machine failure that a session's statement ran into.
    pub(super) fn broken(&self, error: &SqlError) -> Error {
        match error.code.as_str() {
            "53300" => Error::machine(self.too_many()),
            // A code that the driver supplies when the server sent none.
            "08006" => Error::machine(format!("the server at {}: {}", self.address, error.message)),
            _ => Error::machine(format!("the server at {}: {error}", self.address)),
        }
    }

    /// Describes how many connections are needed and how many there are.
    fn too_many(&self) -> String {
        let jobs = self.rooms.load(Ordering::Relaxed).max(1);
        let each = self.most_of_a_room.load(Ordering::Relaxed).max(2);
        let most = self.most_connections.get().copied().unwrap_or_default();
        // One additional connection creates and drops the databases.
        let fit = (most.saturating_sub(1) / each).min(jobs - 1);
        let advice = match fit {
            0 => "raise its max_connections".to_owned(),
            fit => format!("run with --jobs {fit} or fewer, or raise its max_connections"),
        };
        format!(
            "the server at {} takes no more connections: {jobs} jobs with at least {each} connections each need {}, \
             and its max_connections is {most}, of which others may use some; {advice}",
            self.address,
            jobs * each + 1,
        )
    }

    /// Waits for a request to the server. If that takes long, a second connection checks whether the server answers at
    /// all.
    ///
    /// # Errors
    /// The request's own error, or a machine failure if the server does not answer.
    pub(super) async fn within<T>(
        &self,
        exchange: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, Error> {
        if let Some((why, true)) = self.failure.get() {
            return Err(Error::machine(why.clone()));
        }
        let mut exchange = std::pin::pin!(exchange);
        let half = self.answer / 2;
        for _ in 0..PATIENCE {
            let watch = std::pin::pin!(async {
                sleep(half).await;
                timeout(half, self.probe()).await.is_ok()
            });
            match select(exchange.as_mut(), watch).await {
                Either::Left((ended, _)) => return ended.map_err(|error| self.told(error)),
                Either::Right((true, _)) => {}
                Either::Right((false, _)) => return Err(self.silent(self.answer)),
            }
        }
        Err(self.silent(self.answer * PATIENCE / 2))
    }

    /// Connects. Both acceptance and refusal show that the server is alive.
    async fn probe(&self) {
        if let Ok(connection) = PgConnection::connect_with(&self.options).await {
            let _ = connection.close().await;
        }
    }

    /// Connects, within the time limit for an answer.
    ///
    /// # Errors
    /// As [`Health::within`].
    pub(super) async fn connect(&self, options: &PgConnectOptions) -> Result<PgConnection, Error> {
        if let Some((why, true)) = self.failure.get() {
            return Err(Error::machine(why.clone()));
        }
        match timeout(self.answer, PgConnection::connect_with(options)).await {
            Ok(connected) => connected.map_err(|error| self.told(error)),
            Err(_) => Err(self.silent(self.answer)),
        }
    }

    fn silent(&self, since: Duration) -> Error {
        let why = || (format!("the server at {} has not answered for {since:?}", self.address), true);
        Error::machine(self.failure.get_or_init(why).0.clone())
    }
}

/// The SQLSTATE of an error that the server has sent.
pub(super) fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned())
}

/// Describes a failure of the server, the machine or the connection; `None` for the statement's own error.
pub(super) fn machine_failure(error: &sqlx::Error) -> Option<String> {
    match error {
        sqlx::Error::Database(said) => {
            let code = said.code()?;
            is_machines(&code).then(|| format!("{} ({code})", said.message()))
        }
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            Some(format!("the connection is lost: {}", cause(error)))
        }
        _ => None,
    }
}

/// The innermost error message: sqlx's wrapper text is advice to its users.
fn cause(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}

/// Whether an error code indicates a failure of the server or the machine, regardless of the statement
/// (<https://www.postgresql.org/docs/15/errcodes-appendix.html>): no disk space, memory or connections; a server that
/// is shutting down, has crashed or is starting; a system error; damaged data. 53400 is excluded: it is a configured
/// limit.
pub(super) fn is_machines(code: &str) -> bool {
    let class = code.get(..2).unwrap_or_default();
    let of_class = matches!(class, "08" | "58") || class == "53" && code != "53400";
    of_class || matches!(code, "57P01" | "57P02" | "57P03" | "XX001" | "XX002")
}

#[cfg(test)]
mod tests {
    use super::is_machines;

    #[test]
    fn a_failure_of_the_machine_is_told_from_a_statements_own_error() {
        for code in [
            "53100", "53200", "53300", "57P01", "57P02", "57P03", "58000", "58030", "58P01", "08006", "XX001",
        ] {
            assert!(is_machines(code), "{code}");
        }
        for code in [
            "40001", "40P01", "55P03", "57014", "57P04", "53400", "23505", "42P01", "25P02", "XX000", "P0001",
        ] {
            assert!(!is_machines(code), "{code}");
        }
    }
}
