//! An interactive session with a database: text goes in, messages come out, and the caller can see whether the server
//! is working or waiting for another session. Isolation specs and the differential test use it.

use std::time::Duration;

use retrial_engine::SessionId;
use retrial_engine::error::Error;

/// A message from the server, in the order of arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A NOTICE, WARNING or other non-error: its severity and text.
    Notice { severity: String, text: String },
    /// An error.
    Error { severity: String, code: String, text: String },
    /// A statement that returns rows has begun. Reported only where notices arrive before its rows are complete, so
    /// that they are not attributed to the previous statement.
    Begins,
    /// The rows of a statement that returns rows, values as text; `None` is NULL.
    Rows(Grid),
    /// A statement without rows has run; its command tag.
    Complete(String),
    /// A NOTIFY on a channel that the session listens on, with the process that sent it. It belongs to no result: the
    /// server delivers it when the session is idle.
    Notification { channel: String, payload: String, process: i32 },
    /// The server has closed the connection.
    Lost,
}

/// The result of a statement that returns rows.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Grid {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The OID of each column's type, as the server numbers them; it decides which columns are right-aligned.
    pub types: Vec<u32>,
    /// The rows.
    pub rows: Vec<Vec<Option<String>>>,
}

/// The state of the text that a session was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All of it has run, or an error has ended it. The session accepts more.
    Finished,
    /// It waits for a lock that another of the console's sessions holds or is queued for ahead of it.
    Blocked,
    /// Neither: it is working, sleeping, or waiting for something else.
    Running,
}

/// A database that is driven interactively, with several sessions at once.
pub trait Console {
    /// Opens a session with the given application name, which RESET restores.
    ///
    /// # Errors
    /// If there is no server, or it accepts no more sessions.
    fn connect(&mut self, name: &str) -> Result<SessionId, Error>;

    /// The session's process ID, as `pg_backend_pid()` and notifications report it.
    fn process(&self, session: SessionId) -> Option<i32>;

    /// Sends a text of one or more statements to a session that has finished. It uses the simple query protocol:
    /// several statements in one text are one transaction unless they contain transaction commands.
    ///
    /// # Errors
    /// If the engine refuses a statement by name.
    fn send(&mut self, session: SessionId, text: &str) -> Result<(), Error>;

    /// Checks the state of the session's text once, without waiting.
    ///
    /// # Errors
    /// If the engine refuses a statement by name, which ends the session's text.
    fn progress(&mut self, session: SessionId) -> Result<Progress, Error>;

    /// Takes the messages that have arrived since the last call.
    fn messages(&mut self, session: SessionId) -> Vec<Message>;

    /// Lets time pass until something may have changed, at most for `longest`: wall-clock time on a live server,
    /// virtual time on the model. Returns false if waiting can change nothing any more.
    ///
    /// # Errors
    /// If the server is gone.
    fn pass(&mut self, longest: Duration) -> Result<bool, Error>;

    /// Asks the server to cancel the session's text, as Ctrl-C does.
    ///
    /// # Errors
    /// If the server is gone.
    fn cancel(&mut self, session: SessionId) -> Result<(), Error>;

    /// The assumptions behind the answers so far that another server may not share, one sentence each.
    fn assumptions(&self) -> Vec<String> {
        Vec::new()
    }

    /// Ends a session; uncommitted changes are rolled back.
    fn close(&mut self, session: SessionId);

    /// Ends every session and starts again with an empty database, as if nothing had been sent. Only a console that
    /// refuses statements by name has to support this.
    ///
    /// # Errors
    /// If this console does not support it.
    fn start_over(&mut self) -> Result<(), Error> {
        Err(Error::refused("this console cannot start over"))
    }
}
