//! The `sqlite` engine: real SQLite, inline on the thread of the trial, with several connections to one database file.
//!
//! Only time is simulated. Each connection has a busy handler that never waits: it records that SQLite would have
//! waited, and the statement becomes [`Reply::Blocked`]. Where SQLite does not call the handler
//! (<https://www.sqlite.org/c3ref/busy_handler.html>: a wait that could never end, a snapshot too old to write from),
//! the application gets `SQLITE_BUSY` at once, as it would from the real driver.
//!
//! SQLite runs a statement outside a transaction in an implicit one (<https://www.sqlite.org/lang_transaction.html>).
//! The engine begins and commits that transaction explicitly, because the statement takes virtual time and must hold
//! its locks for as long.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use retrial_engine::error::Error;
use retrial_engine::footprint::{Footprint, Use, part};
use retrial_engine::seed::Seed;
use retrial_engine::{
    Answer, Done, Engine, InitialState, Reply, Row, SessionId, SqlError, Table, Value, Work,
};
use rusqlite::TransactionState;

use self::change_log::ChangeLog;
use self::database::Database;
use self::session::{Outcome, Pending, Session};
use self::statement::Class;
use crate::leftovers::{Folder, Kind};

mod ambient;
mod change_log;
mod clock;
mod database;
mod session;
mod statement;

/// How the database makes transactions atomic: the setting `journal_mode` of the initial state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Journal {
    /// `wal`, a write-ahead log: readers and the single writer do not wait for each other.
    Wal,
    /// `delete`, a rollback journal: a commit waits until all readers have finished, and keeps new ones out. SQLite's
    /// default.
    #[default]
    Rollback,
}

/// The `sqlite` engine.
pub struct Sqlite {
    journal: Journal,
    database: Database,
    sessions: Vec<Session>,
    log: ChangeLog,
    /// A lock has been released since blocked sessions were last woken.
    released: bool,
    /// How the file has been used since the last [`Engine::take_footprint`].
    used: Option<Use>,
    /// Keeps the database's folder for the lifetime of the engine.
    folder: Folder,
}

impl Sqlite {
    /// Creates an engine on a new database, in a memory-backed folder if possible. An initial state may set its
    /// `journal_mode` to `wal` or `delete`, SQLite's default.
    ///
    /// # Errors
    /// If the folder or the file cannot be created.
    pub fn new() -> Result<Sqlite, Error> {
        let (folder, journal) = (Folder::make(Kind::Sqlite, true)?, Journal::default());
        let database = Database::create(folder.path(), journal)?;
        let (sessions, log) = (Vec::new(), ChangeLog::default());
        Ok(Sqlite { journal, database, sessions, log, released: false, used: None, folder })
    }

    /// Continues on a database with that journal.
    fn use_journal(&mut self, journal: Journal) -> Result<(), Error> {
        if journal != self.journal {
            self.sessions.clear();
            self.log = ChangeLog::default();
            self.database = Database::create(self.folder.path(), journal)?;
            self.journal = journal;
        }
        Ok(())
    }

    fn session(&mut self, id: SessionId) -> &mut Session {
        &mut self.sessions[id.0 as usize]
    }

    /// Runs the session's pending request and returns the result.
    fn go_on(&mut self, id: SessionId, pending: Pending) -> Result<Reply, Error> {
        let how = if self.sessions[id.0 as usize].only_looks(&pending) { Use::Read } else { Use::Write };
        self.used = self.used.max(Some(how));
        let log = &mut self.log;
        let outcome = self.sessions[id.0 as usize].run(&pending, self.journal, log)?;
        match outcome {
            Outcome::Waits => {
                self.session(id).pending = Some(pending);
                Ok(Reply::Blocked(self.holders(id)))
            }
            Outcome::Ran(result, work) => Ok(Reply::Done(self.done(id, result, work)?)),
        }
    }

    fn done(&mut self, id: SessionId, result: Result<Answer, SqlError>, work: Work) -> Result<Done, Error> {
        let session = &mut self.sessions[id.0 as usize];
        let state = session.state()?;
        let ended = state == TransactionState::None;
        let mut committed = Vec::new();
        if ended {
            self.released |= std::mem::take(&mut session.had_locks);
            committed = std::mem::take(&mut session.changes);
            if session.rolled_back {
                committed.clear();
            }
            session.rolled_back = false;
            self.log.apply(&committed);
        } else {
            session.had_locks = true;
        }
        let unsettled = session.implicit;
        let holds_write_lock = state == TransactionState::Write;
        let footprint = Footprint::default();
        Ok(Done { result, work, committed, footprint, unsettled, holds_write_lock })
    }

    /// The sessions that may hold the lock that `waiting` waits for: the writer, or else every session in a
    /// transaction.
    fn holders(&self, waiting: SessionId) -> Vec<SessionId> {
        let of = |state: TransactionState| -> Vec<SessionId> {
            let holds = |index: &usize| {
                *index != waiting.0 as usize && self.sessions[*index].state().is_ok_and(|held| held == state)
            };
            (0..self.sessions.len()).filter(holds).map(|index| SessionId(index as u32)).collect()
        };
        let writers = of(TransactionState::Write);
        if writers.is_empty() { of(TransactionState::Read) } else { writers }
    }
}

impl Journal {
    fn of(initial_state: &InitialState) -> Result<Journal, Error> {
        let mut journal = Journal::default();
        for (name, value) in initial_state.settings {
            journal = match (*name, *value) {
                ("journal_mode", "wal") => Journal::Wal,
                ("journal_mode", "delete") => Journal::Rollback,
                ("journal_mode", _) => {
                    let why = format!("SQLite's journal_mode can be `wal` or `delete` here, not `{value}`");
                    return Err(Error::scenario(why));
                }
                _ => {
                    let why = format!("the engine `sqlite` has no setting `{name}`; it takes `journal_mode`");
                    return Err(Error::scenario(why));
                }
            };
        }
        Ok(journal)
    }
}

impl Engine for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn open(&mut self, initial_state: &Rc<InitialState>, ambient: Seed) -> Result<(), Error> {
        debug_assert!(
            self.sessions.iter().all(|session| !session.open),
            "the sessions of a trial are closed"
        );
        self.released = false;
        ambient::seed(ambient);
        clock::set(Duration::ZERO);
        self.use_journal(Journal::of(initial_state)?)?;
        let renewed = self.database.restore(initial_state)?;
        if renewed {
            for session in &self.sessions {
                session.forget_statements();
                session.read_schema()?;
            }
            self.log.rebase(&self.database)?;
        }
        self.log.reset();
        Ok(())
    }

    fn connect(&mut self) -> Result<SessionId, Error> {
        let index = match self.sessions.iter().position(|session| !session.open) {
            Some(index) => index,
            None => {
                self.sessions.push(Session::new(self.database.connect()?)?);
                self.sessions.len() - 1
            }
        };
        let session = &mut self.sessions[index];
        session.open = true;
        if self.database.has_changed() {
            session.forget_statements();
            session.read_schema()?;
        }
        Ok(SessionId(index as u32))
    }

    fn submit(&mut self, session: SessionId, sql: &str, params: &[Value]) -> Result<Reply, Error> {
        let class = Class::of(sql)?;
        if class == Class::Definition {
            self.database.schema_changes();
            // A cached statement would notice the change when it runs, which takes extra VM steps. Whether a statement
            // is cached depends on earlier trials, so the caches are cleared.
            self.sessions.iter().for_each(Session::forget_statements);
        }
        self.go_on(session, Pending::Statement { sql: sql.into(), class, params: params.into() })
    }

    fn resume(&mut self, session: SessionId) -> Result<Reply, Error> {
        match self.session(session).pending.take() {
            Some(pending) => self.go_on(session, pending),
            None => Err(Error::refused("resumed a session that has no blocked statement")),
        }
    }

    fn expire(&mut self, session: SessionId) -> Result<Done, Error> {
        let pending = self.session(session).pending.take();
        if matches!(pending, Some(Pending::Settle)) {
            self.rollback(session);
        }
        self.done(session, Err(session::busy()), Work::default())
    }

    fn fail(&mut self, session: SessionId, _: &str) -> Result<Done, Error> {
        // SQLite rolls the whole transaction back on such an error (<https://www.sqlite.org/lang_transaction.html>,
        // "Response To Errors Within A Transaction").
        self.rollback(session);
        self.done(session, Err(session::disk_failure()), Work::default())
    }

    fn settle(&mut self, session: SessionId) -> Result<Reply, Error> {
        self.go_on(session, Pending::Settle)
    }

    fn rollback(&mut self, session: SessionId) {
        self.used = Some(Use::Write);
        let session = &mut self.sessions[session.0 as usize];
        self.released |= std::mem::take(&mut session.had_locks);
        session.abandon();
    }

    fn wake(&mut self, ready: &mut Vec<SessionId>) {
        if !std::mem::take(&mut self.released) {
            return;
        }
        let blocked = self.sessions.iter().enumerate().filter(|(_, session)| session.pending.is_some());
        ready.extend(blocked.map(|(index, _)| SessionId(index as u32)));
    }

    fn advance(&mut self, now: Duration) {
        clock::set(now);
    }

    fn take_footprint(&mut self, used: &mut Footprint) {
        // There is one writer at a time, and a snapshot covers the whole file.
        if let Some(how) = self.used.take() {
            used.add_part(part("database", ""), how);
        }
        if clock::was_read() {
            used.add_part(part("clock", ""), Use::Read);
        }
    }

    fn close(&mut self, session: SessionId) {
        self.rollback(session);
        self.session(session).open = false;
    }

    fn rows(&mut self, table: &str) -> Result<(Rc<Table>, Vec<Row>), Error> {
        let (definition, rows) = self.database.rows(table)?;
        self.log.reconcile(&definition, &rows)?;
        Ok((definition, rows.into_iter().map(|(_, row)| row).collect()))
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("journal", &self.journal).finish_non_exhaustive()
    }
}
