//! A conversation with a database as a console has it: text goes in, messages come out, and one can see whether the
//! server still works on it or waits for another session. What isolation specs and the differential test speak.

use std::time::Duration;

use retrial_sim::engine::SessionId;
use retrial_sim::error::Error;

/// Something the server said, in the order it said it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A NOTICE, WARNING or other non-error: its severity and text.
    Notice { severity: String, text: String },
    /// An error.
    Error { severity: String, code: String, text: String },
    /// A statement that returns rows has begun. It is told where notices come before its rows have ended, so that they
    /// are not taken for those of the statement before.
    Begins,
    /// The rows of a statement that returns rows, values as text; `None` is NULL.
    Rows(Grid),
    /// A statement without rows has run; its command tag.
    Complete(String),
    /// A NOTIFY on a channel that the session listens on, and the process that sent it. It stands beside results: the
    /// server tells it when the session is idle.
    Notification { channel: String, payload: String, process: i32 },
    /// The server has closed the connection.
    Lost,
}

/// A result with rows.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Grid {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The OID of each column's type, as the server numbers them: what decides that numbers are set to the right.
    pub types: Vec<u32>,
    /// The rows.
    pub rows: Vec<Vec<Option<String>>>,
}

/// Where a session's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All of it has run, or an error has ended it; the session can be sent more.
    Finished,
    /// It waits for a lock that one of the console's other sessions holds or awaits before it.
    Blocked,
    /// Neither: it works, sleeps, or waits for something else.
    Running,
}

/// A database under the eyes of a console.
pub trait Console {
    /// Opens a session under that application name, which RESET goes back to.
    ///
    /// # Errors
    /// Where there is no server, or it has no more sessions.
    fn connect(&mut self, name: &str) -> Result<SessionId, Error>;

    /// The session's process, as `pg_backend_pid()` and notifications tell it.
    fn process(&self, session: SessionId) -> Option<i32>;

    /// Sends a text of one or more statements to a session that has finished: the simple query protocol, where
    /// several statements of one text are one transaction unless they say otherwise.
    ///
    /// # Errors
    /// A refusal by name.
    fn send(&mut self, session: SessionId, text: &str) -> Result<(), Error>;

    /// Looks once where the session's text stands, without waiting.
    ///
    /// # Errors
    /// A refusal by name, which ends the session's text.
    fn progress(&mut self, session: SessionId) -> Result<Progress, Error>;

    /// Takes what the session has said since it was last asked.
    fn messages(&mut self, session: SessionId) -> Vec<Message>;

    /// Lets time pass until something may have changed, at most so long: the clock's time on a live server, the
    /// virtual clock's on a model. Returns false where nothing can change any more by waiting.
    ///
    /// # Errors
    /// Where the server is gone.
    fn pass(&mut self, longest: Duration) -> Result<bool, Error>;

    /// Asks the server to give up the session's text, as Ctrl-C does.
    ///
    /// # Errors
    /// Where the server is gone.
    fn cancel(&mut self, session: SessionId) -> Result<(), Error>;

    /// What the answers so far rest on that another server may do otherwise, a sentence each.
    fn assumptions(&self) -> Vec<String> {
        Vec::new()
    }

    /// Ends a session; what it had not committed is rolled back.
    fn close(&mut self, session: SessionId);

    /// Ends every session and goes on with an empty database, as if nothing had been sent. Only a console that
    /// refuses by name has to be able to.
    ///
    /// # Errors
    /// Where it cannot.
    fn start_over(&mut self) -> Result<(), Error> {
        Err(Error::refused("this console cannot start over"))
    }
}
