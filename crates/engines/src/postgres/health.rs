//! Whether the server still answers, and what its failures are: a statement's own error belongs to the actor that sent
//! it, a failure of the machine belongs to nobody and ends the run. No password must ever get into a message.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::{Either, select};
use retrial_sim::engine::SqlError;
use retrial_sim::error::Error;
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::time::{sleep, timeout};

/// How long a server may be silent that is not asked for a lock.
pub(super) const ANSWER: Duration = Duration::from_secs(10);

/// An exchange may take so many times as long while the server answers others.
const PATIENCE: u32 = 6;

/// What is known of a server's health, shared by all that speak with it.
pub(super) struct Health {
    options: PgConnectOptions,
    /// Where it is, as people write it.
    address: String,
    answer: Duration,
    /// Why it is not asked any more, and whether it was silent.
    failure: OnceLock<(String, bool)>,
    /// What it allows, once it has told.
    most_connections: OnceLock<u32>,
    /// The databases that are open on it, each with a job.
    rooms: AtomicU32,
    /// The most connections that any of them has had.
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

    /// Where the server is.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// The server has told how many connections it takes.
    pub(super) fn has_room_for(&self, connections: u32) {
        let _ = self.most_connections.set(connections);
    }

    /// A database is opened, which has one connection at first.
    pub(super) fn room_opens(&self) {
        self.rooms.fetch_add(1, Ordering::Relaxed);
        self.room_has(1);
    }

    /// A database is closed.
    pub(super) fn room_closes(&self) {
        self.rooms.fetch_sub(1, Ordering::Relaxed);
    }

    /// A database has so many connections.
    pub(super) fn room_has(&self, connections: u32) {
        self.most_of_a_room.fetch_max(connections, Ordering::Relaxed);
    }

    /// The server was silent, so nothing is to be expected of it any more.
    pub(super) fn is_silent(&self) -> bool {
        self.failure.get().is_some_and(|(_, silent)| *silent)
    }

    /// What is told of an error that the server, or the way to it, has given to the engine itself.
    pub(super) fn told(&self, error: sqlx::Error) -> Error {
        match machine_failure(&error) {
            Some(why) => self.failed(&error, why),
            None => Error::refused(format!("the live server: {error}")),
        }
    }

    /// What is told of such a failure.
    pub(super) fn failed(&self, error: &sqlx::Error, why: String) -> Error {
        if code(error).as_deref() == Some("53300") {
            return Error::machine(self.too_many());
        }
        Error::machine(format!("the server at {}: {why}", self.address))
    }

    /// What is told of a failure that a session's statement has met.
    pub(super) fn broken(&self, error: &SqlError) -> Error {
        match error.code.as_str() {
            "53300" => Error::machine(self.too_many()),
            // What a driver makes up where the server has said nothing.
            "08006" => Error::machine(format!("the server at {}: {}", self.address, error.message)),
            _ => Error::machine(format!("the server at {}: {error}", self.address)),
        }
    }

    /// Says how many connections are needed and how many there are.
    fn too_many(&self) -> String {
        let jobs = self.rooms.load(Ordering::Relaxed).max(1);
        let each = self.most_of_a_room.load(Ordering::Relaxed).max(2);
        let most = self.most_connections.get().copied().unwrap_or_default();
        // One more connection makes and drops the databases.
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

    /// Waits for an exchange with the server. Where it takes long a second connection tells whether the server answers
    /// at all.
    ///
    /// # Errors
    /// What the exchange ends with; a failure of the machine where the server is silent.
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

    /// Connects, and is answered or refused: either is a sign of life.
    async fn probe(&self) {
        if let Ok(connection) = PgConnection::connect_with(&self.options).await {
            let _ = connection.close().await;
        }
    }

    /// Connects within the time in which a server must answer.
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

/// Says what failed, if it is not the statement but the server, the machine or the way to it.
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

/// The innermost of what an error says: what wraps it is sqlx's advice to its own users.
fn cause(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}

/// Whether an error of that code is the server's or the machine's, whatever statement meets it
/// (<https://www.postgresql.org/docs/15/errcodes-appendix.html>): no disk, no memory, no connections; a server that is
/// being stopped, has crashed or starts; an error of the system; data that is damaged. 53400 is a limit that was set.
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
