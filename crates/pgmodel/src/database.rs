//! A database and its sessions, as driven by an engine or a console. A query string is started, resumed when what it
//! waits for has happened, and finished. Nothing here blocks or reads a clock: time is what [`Database::advance`] sets.

use std::cmp::Ordering;
use std::rc::Rc;
use std::time::Duration;

use retrial_pgmodel_sql::ast::{Statement, TableLockMode};
use retrial_pgmodel_sql::catalog::TableDef;
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::stack;
use retrial_pgmodel_sql::value::{Tuple, Value};

use crate::backend::{Backend, Held, Running, Wait, Work};
use crate::choice::Rerun;
use crate::footprint::{Footprint, Object, Use};

use crate::lock::{LockTag, SessionNo};
use crate::notify::Ears;
use crate::outcome::{Change, Notice, Outcome};
use crate::prepared::{Prepared, prepare_without_parameters};
use crate::serializable::Granularity;
use crate::server::Server;
use crate::statement;

/// A database.
pub struct Database {
    pub(crate) server: Rc<Server>,
}

/// The state of a query string that was sent.
#[derive(Debug)]
pub enum Step {
    /// All statements have run, or an error has ended it.
    Done(Finished),
    /// It waits for these sessions, or for the clock if there are none.
    Waiting(Vec<SessionNo>),
}

/// The result of a query string.
#[derive(Debug, Default)]
pub struct Finished {
    /// The result of each statement, up to the first error.
    pub results: Vec<Result<Outcome>>,
    /// The changes it made visible to others, in order.
    pub committed: Vec<Change>,
    /// The rows visited.
    pub work: Work,
    /// What was read, locked and written.
    pub footprint: Footprint,
}

/// How a query string was sent.
struct Sent {
    /// By the simple query protocol, without parameters.
    simple: bool,
    /// Whether a single statement leaves its transaction open.
    unsettled: bool,
}

impl Database {
    /// An empty database.
    #[expect(clippy::new_without_default, reason = "an empty database is made on purpose, never by default")]
    pub fn new() -> Database {
        stack::measure();
        Database { server: Rc::new(Server::new()) }
    }

    /// Turns footprints on or off. Recording them takes time.
    pub fn track(&self, tracks: bool) {
        self.server.tracks.set(tracks);
        self.server.used.take();
    }

    /// Takes the footprint of all sessions since the last call, including that of statements that wait.
    pub fn take_used(&self) -> Footprint {
        self.server.used.take()
    }

    /// Sets the minimum duration of a statement, so that a later statement has a later time, as in a console. Initially
    /// statements take no time.
    pub fn take_time(&self, time: Duration) {
        self.server.statement_takes.set(time.as_nanos() as u64);
    }

    /// Opens a session with that application name.
    pub fn connect_as(&self, application: &str) -> SessionNo {
        let session = self.connect();
        self.server.backend(session).call(application);
        session
    }

    /// Opens a session.
    pub fn connect(&self) -> SessionNo {
        let mut backends = self.server.backends.borrow_mut();
        backends.push(Backend::new());
        SessionNo(backends.len() as u32 - 1)
    }

    /// Ends a session: rolls back its open transaction and releases all its locks.
    pub fn close(&self, session: SessionNo) {
        if self.server.is_waiting(session) {
            let failure = Failure::sql("57P01", "terminating connection due to administrator command");
            self.server.interrupt(session, failure);
        }
        // A waiting statement is dropped before its changes are undone.
        let running = self.server.backend(session).running.take();
        drop(running);
        self.server.ready.borrow_mut().retain(|ready| *ready != session);
        self.server.finish(session, false);
        let held: Vec<LockTag> = self.server.backend(session).held.iter().map(|held| held.tag).collect();
        for tag in held {
            if let LockTag::Advisory(key, _) = tag {
                self.server.touch(session, Object::Advisory(key), Use::Lock);
            }
        }
        self.server.release(session, &[], |_| true);
        self.server.waiting.borrow_mut().remove(&session);
        let mut backend = self.server.backend(session);
        backend.ears = Ears::default();
        backend.open = false;
    }

    /// Sends a query string of one or more statements.
    ///
    /// # Errors
    /// 42601 for a syntax error; a refusal by name.
    pub fn send(&self, session: SessionNo, text: &str) -> Result<Step> {
        match prepare_without_parameters(text) {
            Ok(prepared) => {
                Ok(self.begin(session, prepared, [].into(), Sent { simple: true, unsettled: false }))
            }
            Err(failure @ Failure::Sql(_)) => {
                // A syntax error fails a transaction like any other error.
                self.server.fail(session);
                Ok(Step::Done(Finished { results: vec![Err(failure)], ..Finished::default() }))
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Starts statements that are already prepared. `params` belong to the only statement that has parameters.
    pub fn start(&self, session: SessionNo, prepared: Rc<Vec<Prepared>>, params: Rc<[Value]>) -> Step {
        self.begin(session, prepared, params, Sent { simple: false, unsettled: false })
    }

    /// As [`Database::start`], but a single statement that has written leaves its transaction open until
    /// [`Database::settle`].
    pub fn start_unsettled(
        &self,
        session: SessionNo,
        prepared: Rc<Vec<Prepared>>,
        params: Rc<[Value]>,
    ) -> Step {
        self.begin(session, prepared, params, Sent { simple: false, unsettled: true })
    }

    /// Declares that the caller answers [`Database::is_choosing`] with [`Database::choose`] for this session.
    pub fn answer(&self, session: SessionNo) {
        self.server.backend(session).answers = true;
    }

    /// Whether the session's statement waits for a choice of how often one of its subqueries runs.
    pub fn is_choosing(&self, session: SessionNo) -> bool {
        matches!(self.server.backend(session).wait, Wait::Choice)
    }

    /// Makes the choice; the statement continues when it is resumed.
    pub fn choose(&self, session: SessionNo, rerun: Rerun) {
        let mut backend = self.server.backend(session);
        (backend.rerun, backend.wait) = (Some(rerun), Wait::Over);
    }

    fn begin(
        &self,
        session: SessionNo,
        prepared: Rc<Vec<Prepared>>,
        params: Rc<[Value]>,
        sent: Sent,
    ) -> Step {
        // All transactions and statements of a query string share its arrival time.
        self.server.tick();
        let clock = self.server.clock();
        {
            let mut backend = self.server.backend(session);
            backend.statement_started = clock;
            backend.simple = sent.simple;
            backend.several = prepared.len() > 1;
            backend.notices.behind = 0;
        }
        let depth = prepared.iter().map(|statement| statement.parsed.depth).max().unwrap_or(0);
        let work = statement::text(self.server.clone(), session, prepared, params, sent.unsettled);
        self.server.backend(session).running = Some(Running::new(depth, work));
        self.resume(session)
    }

    /// Whether a single statement has left its transaction open.
    pub fn is_unsettled(&self, session: SessionNo) -> bool {
        let backend = self.server.backend(session);
        backend.running.is_none() && backend.transaction.as_ref().is_some_and(|it| !it.explicit)
    }

    /// Commits the transaction that a single statement has left open.
    pub fn settle(&self, session: SessionNo) -> Finished {
        let mut results = Vec::new();
        if self.is_unsettled(session) {
            match self.server.precommit(session) {
                Ok(()) => self.server.finish(session, true),
                Err(failure) => results.push(Err(failure)),
            }
        }
        let committed = std::mem::take(&mut self.server.backend(session).committed);
        Finished { results, committed, ..Finished::default() }
    }

    /// Rolls back the session's open transaction and drops its running statement.
    pub fn abandon(&self, session: SessionNo) {
        if self.server.is_waiting(session) {
            let failure = Failure::sql("57014", "canceling statement due to user request");
            self.server.interrupt(session, failure);
        }
        let running = self.server.backend(session).running.take();
        drop(running);
        self.server.ready.borrow_mut().retain(|ready| *ready != session);
        self.server.backend(session).wait = Wait::No;
        self.server.waiting.borrow_mut().remove(&session);
        self.server.finish(session, false);
        let mut backend = self.server.backend(session);
        backend.results.clear();
        backend.committed.clear();
    }

    /// Resumes a session returned by [`Database::take_ready`].
    pub fn resume(&self, session: SessionNo) -> Step {
        self.server.ready.borrow_mut().retain(|ready| *ready != session);
        let running = self.server.backend(session).running.take();
        let Some(mut running) = running else { return Step::Done(Finished::default()) };
        if !running.poll() {
            self.server.backend(session).running = Some(running);
            return Step::Waiting(self.server.blockers(session));
        }
        drop(running);
        self.server.read_notifications(session);
        let mut backend = self.server.backend(session);
        let results = std::mem::take(&mut backend.results);
        let committed = std::mem::take(&mut backend.committed);
        let work = std::mem::take(&mut backend.work);
        let footprint = std::mem::take(&mut backend.footprint);
        Step::Done(Finished { results, committed, work, footprint })
    }

    /// Fails a query string with that error before it takes effect. The open transaction is aborted, or rolled back and
    /// ended if the query string begins with COMMIT.
    pub fn fail(&self, session: SessionNo, prepared: &[Prepared], failure: Failure) -> Finished {
        if matches!(prepared.first().map(Prepared::statement), Some(Statement::Commit)) {
            self.server.finish(session, false);
        } else {
            // A statement that times out has taken its snapshot, which outlives a rollback to a savepoint.
            let transaction =
                self.server.backend(session).transaction.as_ref().map(|it| (it.failed, it.keeps_snapshot()));
            if transaction == Some((false, true)) {
                self.server.take_snapshot(session);
            }
            self.server.fail(session);
        }
        Finished { results: vec![Err(failure)], ..Finished::default() }
    }

    /// Runs the deadlock check for the session's wait now, without waiting for `deadlock_timeout`. Returns whether the
    /// session may continue, with an error or with its lock.
    pub fn check_deadlock(&self, session: SessionNo) -> bool {
        self.server.check_deadlock(session);
        matches!(self.server.backend(session).wait, Wait::Over | Wait::Failed(_))
    }

    /// The sessions whose locks the session waits for; empty if it runs, sleeps or is idle.
    pub fn blockers(&self, session: SessionNo) -> Vec<SessionNo> {
        self.server.blockers(session)
    }

    /// Whether the session has an unfinished query string.
    pub fn is_busy(&self, session: SessionNo) -> bool {
        self.server.backend(session).running.is_some()
    }

    /// Cancels the session's query string with that error, like a cancel request; the session must then be resumed.
    pub fn cancel(&self, session: SessionNo, failure: Failure) {
        self.server.interrupt(session, failure);
    }

    /// Whether any session may continue.
    pub fn has_ready(&self) -> bool {
        !self.server.ready.borrow().is_empty()
    }

    /// Takes the sessions that may continue, in the order in which their waits ended.
    pub fn take_ready(&self) -> Vec<SessionNo> {
        std::mem::take(&mut *self.server.ready.borrow_mut())
    }

    /// When the next timer is due: a timeout, a deadlock check, the end of a sleep.
    pub fn alarm(&self) -> Option<Duration> {
        self.server.next_timer().map(|(due, _)| Duration::from_nanos(due))
    }

    /// Moves the clock forward to `to`.
    pub fn advance(&self, to: Duration) {
        self.server.advance(to.as_nanos() as u64);
    }

    /// The clock's time.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.server.now.get())
    }

    /// Takes the session's notices, each with the number of results that precede it.
    pub fn notices(&self, session: SessionNo) -> Vec<(usize, Notice)> {
        self.server.backend(session).notices.take()
    }

    /// Whether the session's open transaction blocks writers: it has written or locked a row, or holds a table lock
    /// that conflicts with writing.
    pub fn keeps_writers_out(&self, session: SessionNo) -> bool {
        let backend = self.server.backend(session);
        let locks = |held: &Held| matches!(held.tag, LockTag::Table(_)) && held.mode >= TableLockMode::Share;
        backend.transaction.as_ref().is_some_and(|transaction| {
            transaction.levels.iter().any(|level| level.xid.is_some()) || backend.held.iter().any(locks)
        })
    }

    /// A table's definition and its committed rows, in the order of its primary key, else of insertion.
    pub fn rows(&self, table: &str) -> Option<(Rc<TableDef>, Vec<Tuple>)> {
        let outsider = SessionNo(u32::MAX);
        let def = self.server.schema.borrow().find(table, outsider)?;
        let transactions = self.server.transactions.borrow();
        let heap = self.server.heap(def.id);
        let seen = heap.visible(&transactions, transactions.snapshot(0), outsider);
        let mut rows: Vec<Tuple> = seen.into_iter().map(|version| heap.tuple(version).clone()).collect();
        if let Some(primary) = def.indexes.iter().find(|index| index.primary) {
            rows.sort_by(|left, right| {
                let mut columns = primary.plain_columns().map(|column| left[column].cmp(&right[column]));
                columns.find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
            });
        }
        drop((heap, transactions));
        Some((def, rows))
    }

    /// The granularities at which serializable transactions have marked what they read, since the database was created;
    /// empty if none of these transactions could fail.
    pub fn predicate_lock_granularities(&self) -> Vec<Granularity> {
        self.server.serializable.borrow().granularities().collect()
    }
}
