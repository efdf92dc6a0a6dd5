//! The trait, and what it is opened with.

use std::borrow::Cow;
use std::rc::Rc;
use std::time::Duration;

use crate::error::Error;
use crate::footprint::{Footprint, Use, part};
use crate::seed::Seed;
use crate::statement::{Done, Reply, SessionId};
use crate::value::{Row, Table, Value};

/// A database under test.
pub trait Engine {
    /// The engine's name, as `--engine` takes it.
    fn name(&self) -> &'static str;

    /// Whether it is a live server. A server itself decides which of several waiters continues, so two runs of one tape
    /// may differ.
    fn is_live(&self) -> bool {
        false
    }

    /// Resets the database to the initial rows, closes all sessions and seeds the engine's own randomness.
    ///
    /// # Errors
    /// The database cannot be created: no space, or a schema that does not parse.
    fn open(&mut self, initial_state: &Rc<InitialState>, ambient: Seed) -> Result<(), Error>;

    /// Opens a connection.
    ///
    /// # Errors
    /// The engine has no more of them.
    fn connect(&mut self) -> Result<SessionId, Error>;

    /// Runs a statement on a session that is not blocked.
    ///
    /// # Errors
    /// The engine refuses the statement by name. An SQL error is in [`Done::result`] instead.
    fn submit(&mut self, session: SessionId, sql: &str, params: &[Value]) -> Result<Reply, Error>;

    /// Continues the statement of a session that was answered [`Reply::Choose`], by its usual plan, 0, or by another
    /// one.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    fn choose(&mut self, session: SessionId, plan: usize) -> Result<Reply, Error> {
        Err(Error::refused(format!("session {} has no plan {plan} to choose", session.0)))
    }

    /// Continues the blocked statement of a session that [`Engine::wake`] returned.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    fn resume(&mut self, session: SessionId) -> Result<Reply, Error>;

    /// Cancels the blocked statement of a session whose lock timeout has passed, with the driver's own error.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    fn expire(&mut self, session: SessionId) -> Result<Done, Error>;

    /// Makes `sql`, which the session was about to run, fail before it takes effect, with an error that is not the
    /// application's fault; an open transaction is affected as by any such error. If `sql` would have ended the
    /// transaction, the transaction is over and has changed nothing. Never blocks.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    fn fail(&mut self, session: SessionId, sql: &str) -> Result<Done, Error>;

    /// Ends the implicit transaction that [`Done::unsettled`] left open.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    fn settle(&mut self, session: SessionId) -> Result<Reply, Error>;

    /// Rolls back the session's open work, as a driver does when a connection is returned; does nothing outside a
    /// transaction.
    fn rollback(&mut self, session: SessionId);

    /// Adds the sessions whose statements can continue to `ready`.
    fn wake(&mut self, ready: &mut Vec<SessionId>);

    /// When the engine's own clock next changes something: a timeout, a deadlock check, the end of a sleep. None if the
    /// engine has no clock of its own.
    fn alarm(&self) -> Option<Duration> {
        None
    }

    /// Moves the engine's clock forward to `now`; [`Engine::wake`] returns the sessions that this frees.
    fn advance(&mut self, now: Duration) {
        let _ = now;
    }

    /// Turns footprint tracking on or off; tracking may cost time.
    fn track(&mut self, tracks: bool) {
        let _ = tracks;
    }

    /// Adds everything used since the last call, by any session: also by waiting statements, by statements that
    /// continue because another session's ended, and by closed sessions. An engine that cannot tell reports the whole
    /// database.
    fn take_footprint(&mut self, used: &mut Footprint) {
        used.add_part(part("database", ""), Use::Write);
    }

    /// Ends a session: its uncommitted work is rolled back and its locks are released.
    fn close(&mut self, session: SessionId);

    /// A table's definition and committed rows, in key order.
    ///
    /// # Errors
    /// There is no such table, or [`Done::committed`] does not account for its rows.
    fn rows(&mut self, table: &str) -> Result<(Rc<Table>, Vec<Row>), Error>;
}

/// The database at the start of a trial. Trials that share one share its image.
#[derive(Clone, Debug)]
pub struct InitialState {
    /// The schema, as SQL text.
    pub schema: Cow<'static, str>,
    /// The rows of each table, in the order of its columns.
    pub rows: Vec<(&'static str, Vec<Value>)>,
    /// Settings of the engine, by the names that the real database has for them: SQLite's `journal_mode`. An engine
    /// refuses what it does not know.
    pub settings: &'static [(&'static str, &'static str)],
}

impl InitialState {
    /// A schema and rows, with the engine's own settings.
    pub fn new(schema: impl Into<Cow<'static, str>>, rows: Vec<(&'static str, Vec<Value>)>) -> InitialState {
        InitialState { schema: schema.into(), rows, settings: &[] }
    }

    /// The same with these settings.
    #[must_use]
    pub fn with(self, settings: &'static [(&'static str, &'static str)]) -> InitialState {
        InitialState { settings, ..self }
    }

    /// For an engine that takes no settings.
    ///
    /// # Errors
    /// There are some.
    pub fn without_settings(&self, engine: &str) -> Result<(), Error> {
        match self.settings.first() {
            None => Ok(()),
            Some((name, _)) => {
                Err(Error::scenario(format!("the engine `{engine}` has no setting `{name}`; leave it out")))
            }
        }
    }
}
