//! The `postgres` engine: a live server, either a throwaway cluster or the one at a URL.
//!
//! Nothing of the server is simulated. Its clock is real, and it decides `now()` and the order in which waiters resume;
//! only `random()` is seeded. Lock timeouts that are SET run on virtual time, as on the model (`timeout.rs`).
//!
//! A statement is blocked when the server says so (`pg_blocking_pids`), and only after its deadlock check.
//! [`Engine::wake`] waits until every other statement has finished or waits again, so trials do not depend on the
//! server's speed. BEGIN is sent before a statement outside a transaction block that changes rows, and COMMIT when its
//! virtual duration is over ([`Engine::settle`]), so that it holds its locks as long as on the model. A statement's
//! [`Work`] is unknown. Committed changes come from our own triggers, which miss TRUNCATE and tables made in a trial.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use retrial_engine::error::Error;
use retrial_engine::seed::Seed;
use retrial_engine::{Done, Engine, InitialState, Reply, Row, RowChange, SessionId, Table, Value, Work};

use self::catalog::Catalog;
use self::changes::Account;
use self::convert::Plain;
use self::reset::Image;
use self::scratch_database::ScratchDatabase;
use self::session_connection::{Outcome, Request, SessionConnection};
use self::session_state::SessionState;
use self::statement::Class;

pub use self::clean_up::clean_up;
pub(crate) use self::cluster::stop_abandoned;
pub use self::console::PostgresConsole;
pub use self::server::Server;

mod answer;
mod catalog;
mod changes;
mod clean_up;
mod cluster;
mod completion;
mod console;
mod convert;
mod databases;
mod driver;
mod environment;
mod health;
mod reset;
mod scratch_database;
mod server;
mod session_connection;
mod session_state;
mod statement;
mod timeout;
mod waits;
mod watcher;
mod wire_format;
mod wire_proxy;

/// Resets a returned connection for the next trial; prepared statements are kept.
const TIDY: &str = "ROLLBACK; SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; \
                    RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; DISCARD TEMP; DISCARD SEQUENCES";

/// The engine, in its own database.
pub struct Postgres {
    scratch: ScratchDatabase,
    session_states: Vec<SessionState>,
    image: Option<Image>,
    account: Account,
    ambient: Seed,
    /// This trial has changed the schema, or may have.
    defined: bool,
    /// The schema may have changed since the catalog was last read.
    redefines: bool,
    /// The catalogs read during this trial, one for each time it was found changed.
    redefined: Vec<Catalog>,
    /// This trial terminates sessions itself, or may.
    terminates: bool,
    /// The trial's virtual time.
    now: Duration,
    /// A statement has finished since blocked sessions were last checked.
    stirred: bool,
    /// Changes of statements that finished unobserved, because their actor was gone or had given up.
    unseen: Vec<RowChange>,
    /// An error from a call that cannot return one; the next call that can returns it.
    failure: Option<Error>,
}

impl Postgres {
    /// Creates an engine on a new database of the server.
    ///
    /// # Errors
    /// If the server cannot create the database.
    pub fn new(server: &Arc<Server>) -> Result<Postgres, Error> {
        Ok(Postgres {
            scratch: ScratchDatabase::new(server)?,
            session_states: Vec::new(),
            image: None,
            account: Account::default(),
            ambient: Seed(0),
            defined: false,
            redefines: false,
            redefined: Vec::new(),
            terminates: false,
            now: Duration::ZERO,
            stirred: false,
            unseen: Vec::new(),
            failure: None,
        })
    }

    /// Waits, at most for `longest` of real time, until a blocked statement has finished or other sessions wait.
    /// Returns whether a blocked statement has finished.
    pub fn wait_for_news(&mut self, longest: Duration) -> bool {
        let waits = |state: &&SessionState| state.pending.is_some();
        let ended = |session_states: &[SessionState]| {
            session_states.iter().filter(waits).any(|state| !state.conn.is_running())
        };
        if ended(&self.session_states) || !self.session_states.iter().any(|state| state.pending.is_some()) {
            return ended(&self.session_states);
        }
        let known = self.session_states.iter().filter(waits).map(|state| state.conn.pid).collect();
        if let Err(error) = self.scratch.wait_for_news(longest, self.pids(), known) {
            self.failure.get_or_insert(error);
        }
        self.stirred = true;
        ended(&self.session_states)
    }

    fn state(&mut self, id: SessionId) -> &mut SessionState {
        &mut self.session_states[id.0 as usize]
    }

    fn pids(&self) -> Vec<i32> {
        self.session_states.iter().filter(|state| state.open).map(|state| state.conn.pid).collect()
    }

    /// Sends a request, if there is one, and returns the state of the session's statement afterwards.
    fn go_on(&mut self, id: SessionId, class: Class, request: Option<Request>) -> Result<Reply, Error> {
        let (conn, monitor, everyone) =
            (self.state(id).conn.clone(), self.scratch.monitor().clone(), self.pids());
        let holders = self.scratch.ask(move || async move {
            if let Some(request) = request {
                conn.start(&monitor, request);
            }
            waits::settle(&monitor, &[conn], &everyone).await
        })?;
        let now = self.now;
        let state = self.state(id);
        if !state.conn.is_running() {
            return Ok(Reply::Done(self.done(id, class, false)?));
        }
        state.begins_to_wait(now);
        state.pending = Some(class);
        state.told = false;
        Ok(Reply::Blocked(self.sessions_of(&holders)))
    }

    fn sessions_of(&self, pids: &[i32]) -> Vec<SessionId> {
        let holds = |index: &usize| pids.contains(&self.session_states[*index].conn.pid);
        (0..self.session_states.len()).filter(holds).map(|index| SessionId(index as u32)).collect()
    }

    /// Cancels the session's statement, runs `sql` on the session, if any, and forgets its transaction.
    fn abandon(&mut self, id: SessionId, sql: Option<&'static str>) -> Result<(), Error> {
        let (conn, monitor) = (self.state(id).conn.clone(), self.scratch.monitor().clone());
        self.scratch.ask(move || async move {
            conn.give_up(&monitor).await?;
            if let Some(sql) = sql {
                conn.tidy(&monitor, sql).await?;
            }
            Ok(())
        })?;
        self.redefines |= self.defined;
        let state = self.state(id);
        state.told = false;
        match (state.pending.take(), state.conn.take_outcome()) {
            // It finished before it could be cancelled. Outside a transaction it has committed.
            (Some(class), Some(Outcome::Ran(_)))
                if !(state.is_in_transaction() || state.lasts) || class == Class::Commit =>
            {
                let pid = state.conn.pid;
                let changes = self.take_changes(pid)?;
                self.unseen.extend(changes);
            }
            (_, Some(Outcome::Broken(error))) if !(self.terminates && completion::ends_a_session(&error)) => {
                return Err(self.scratch.monitor().health.broken(&error));
            }
            _ => {}
        }
        let state = self.state(id);
        state.leave_transaction();
        state.ends_its_wait();
        self.stirred = true;
        Ok(())
    }

    fn note(&mut self, outcome: Result<(), Error>) {
        if let Err(error) = outcome {
            self.failure.get_or_insert(error);
        }
    }
}

impl Engine for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn is_live(&self) -> bool {
        true
    }

    fn open(&mut self, initial_state: &Rc<InitialState>, ambient: Seed) -> Result<(), Error> {
        initial_state.without_settings(self.name())?;
        let is_open = |state: &SessionState| state.open;
        debug_assert!(!self.session_states.iter().any(is_open), "the sessions of a trial are closed");
        // The last trial could not report a machine failure if no call followed it.
        if let Some(error) = self.failure.take().filter(Error::is_machine) {
            return Err(error);
        }
        (self.stirred, self.terminates, self.now) = (false, false, Duration::ZERO);
        self.redefined.clear();
        self.unseen.clear();
        self.ambient = ambient;
        let mut image = self.image.take().filter(|image| image.is_of(initial_state));
        if let Some(kept) = &mut image
            && !kept.restore(&self.scratch, self.defined)?
        {
            image = None;
        }
        let renewed = image.is_none();
        let image = match image {
            Some(image) => image,
            None => Image::make(&self.scratch, initial_state)?,
        };
        if renewed || std::mem::take(&mut self.defined) {
            self.session_states.iter_mut().for_each(|state| state.afresh = true);
        }
        self.defined = false;
        self.account.start(&image.rows);
        self.image = Some(image);
        Ok(())
    }

    fn connect(&mut self) -> Result<SessionId, Error> {
        let free = |state: &SessionState| !state.open && state.conn.is_alive();
        let index = match self.session_states.iter().position(free) {
            Some(index) => index,
            None => {
                self.session_states.push(SessionState::connect(&self.scratch, self.session_states.len())?);
                self.session_states.len() - 1
            }
        };
        self.session_states[index].open = true;
        let id = SessionId(index as u32);
        let fraction = (self.ambient.0 ^ (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)) % 1_000_000_000;
        let sql = format!("SELECT setseed(0.{fraction:09})");
        let request = Request::control(sql);
        // Unobserved changes are to be reported with a statement of the trial, not with this one.
        let unseen = std::mem::take(&mut self.unseen);
        self.go_on(id, Class::Setting, Some(request))?;
        self.unseen = unseen;
        Ok(id)
    }

    fn submit(&mut self, session: SessionId, sql: &str, params: &[Value]) -> Result<Reply, Error> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        let class = Class::of(sql)?;
        self.defined |= class == Class::Definition;
        self.redefines |= class == Class::Definition;
        self.terminates |= sql.to_ascii_lowercase().contains("pg_terminate_backend");
        let simple = class.is_control() && params.is_empty();
        let state = self.state(session);
        let afresh = std::mem::take(&mut state.afresh);
        state.lasts = class.lasts(sql) && !state.is_in_transaction();
        let (sql, lasts, params) = (sql.to_owned(), state.lasts, params.iter().map(Plain::from).collect());
        self.go_on(session, class, Some(Request { sql, params, simple, afresh, lasts }))
    }

    fn resume(&mut self, session: SessionId) -> Result<Reply, Error> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        match self.state(session).pending {
            Some(class) => self.go_on(session, class, None),
            None => Err(Error::refused("resumed a session that has no blocked statement")),
        }
    }

    fn expire(&mut self, session: SessionId) -> Result<Done, Error> {
        let state = self.state(session);
        let Some(class) = state.pending else {
            return Err(Error::refused("a session that has no blocked statement has no lock timeout"));
        };
        let (conn, monitor) = (state.conn.clone(), self.scratch.monitor().clone());
        self.scratch.ask(move || async move { conn.give_up(&monitor).await })?;
        self.done(session, class, true)
    }

    fn fail(&mut self, session: SessionId, sql: &str) -> Result<Done, Error> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        let (class, instead) = match Class::of(sql)? {
            Class::Commit => (Class::Rollback, "ROLLBACK"),
            _ => (Class::Setting, answer::FAILURE),
        };
        let Reply::Done(done) = self.go_on(session, class, Some(Request::control(instead)))? else {
            return Err(Error::refused("a failure waits for a lock"));
        };
        let result = match done.result {
            Err(error) if error.code != "25P02" => Err(error),
            _ => Err(answer::statement_timeout()),
        };
        Ok(Done { result, work: Work::default(), ..done })
    }

    fn settle(&mut self, session: SessionId) -> Result<Reply, Error> {
        self.go_on(session, Class::Commit, Some(Request::control("COMMIT")))
    }

    fn rollback(&mut self, session: SessionId) {
        let state = self.state(session);
        if state.pending.is_some() || state.is_in_transaction() {
            let outcome = self.abandon(session, Some("ROLLBACK"));
            self.note(outcome);
        }
    }

    fn wake(&mut self, ready: &mut Vec<SessionId>) {
        let waiting: Vec<Arc<SessionConnection>> = self
            .session_states
            .iter()
            .filter(|state| state.pending.is_some())
            .map(|state| state.conn.clone())
            .collect();
        if waiting.is_empty() {
            return;
        }
        if std::mem::take(&mut self.stirred) {
            let (monitor, everyone) = (self.scratch.monitor().clone(), self.pids());
            let settled =
                self.scratch.ask(move || async move { waits::settle(&monitor, &waiting, &everyone).await });
            self.note(settled.map(|_| ()));
        }
        for (index, state) in self.session_states.iter_mut().enumerate() {
            if state.pending.is_some() && !state.told && !state.conn.is_running() {
                state.told = true;
                ready.push(SessionId(index as u32));
            }
        }
    }

    fn alarm(&self) -> Option<Duration> {
        self.next_timeout()
    }

    fn advance(&mut self, now: Duration) {
        self.now = now;
        self.pass_timeouts();
    }

    fn close(&mut self, session: SessionId) {
        let outcome = self.abandon(session, Some(TIDY));
        self.note(outcome);
        let state = self.state(session);
        state.open = false;
        state.forget_timeout();
    }

    fn rows(&mut self, table: &str) -> Result<(Rc<Table>, Vec<Row>), Error> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        self.look_again()?;
        let relation = self.catalog()?.relation(table)?;
        let all: Vec<usize> = (0..relation.types.len()).collect();
        let order = if relation.key.is_empty() { &all } else { &relation.key };
        let order: Vec<String> = order.iter().map(|column| (column + 1).to_string()).collect();
        let sql = format!("SELECT * FROM {} ORDER BY {}", relation.path(), order.join(", "));
        let rows = self.scratch.read(sql)?;
        let rows: Vec<Row> =
            rows.iter().map(|row| changes::values(&relation.types, row)).collect::<Result<_, _>>()?;
        let table = relation.table.clone();
        // ALTER TABLE can rewrite rows without firing triggers.
        if !self.defined {
            self.account.reconcile(&table.name, &rows)?;
        }
        Ok((table, rows))
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("scratch", &self.scratch).finish_non_exhaustive()
    }
}
