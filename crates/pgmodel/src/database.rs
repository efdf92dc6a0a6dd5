//! A database and its sessions, as an engine or a console drives them: a text is started, goes on when what it waits
//! for has happened, and is finished. Nothing here blocks and nothing here reads a clock: time is what
//! [`Database::advance`] says it is.

use std::cmp::Ordering;
use std::rc::Rc;
use std::time::Duration;

use crate::ast::{Statement, TableLockMode};
use crate::backend::{Backend, Held, Running, Wait, Work};
use crate::catalog::TableDef;
use crate::choice::Rerun;
use crate::error::{Failure, Result};
use crate::footprint::{Footprint, Object, Use};

use crate::lock::{LockTag, SessionNo};
use crate::notify::Ears;
use crate::outcome::{Change, Notice, Outcome};
use crate::parse::{Parsed, parse_without_parameters};
use crate::serializable::Granularity;
use crate::server::Server;
use crate::statement;
use crate::value::{Tuple, Value};

/// A database.
pub struct Database {
    pub(crate) server: Rc<Server>,
}

/// Where a text that was sent stands.
#[derive(Debug)]
pub enum Step {
    /// It has run, or an error has ended it.
    Done(Finished),
    /// It waits: for these sessions, or for the clock where there are none.
    Waiting(Vec<SessionNo>),
}

/// What came of a text.
#[derive(Debug, Default)]
pub struct Finished {
    /// The result of each statement, up to the first error.
    pub results: Vec<Result<Outcome>>,
    /// What became visible to others by it, in order.
    pub committed: Vec<Change>,
    /// The rows visited.
    pub work: Work,
    /// What was read, locked and written.
    pub footprint: Footprint,
}

/// How a text was sent.
struct Sent {
    /// By the simple query protocol, which has no parameters.
    simple: bool,
    /// A statement alone leaves its transaction open.
    unsettled: bool,
}

impl Database {
    /// An empty database.
    #[expect(clippy::new_without_default, reason = "an empty database is made on purpose, never by default")]
    pub fn new() -> Database {
        // A thread asks the system once where its stack ends. Within a simulation that question has no answer, so it
        // is asked here, before one.
        stacker::remaining_stack();
        Database { server: Rc::new(Server::new()) }
    }

    /// Whether statements keep their footprints from here on, which takes time.
    pub fn track(&self, tracks: bool) {
        self.server.tracks.set(tracks);
        self.server.used.take();
    }

    /// Takes what has been used since the last call, by whichever session, statements that wait included.
    pub fn take_used(&self) -> Footprint {
        self.server.used.take()
    }

    /// From here on every statement takes at least so long on the clock, so that what begins later has a later time,
    /// as under a console. At first statements take no time of their own.
    pub fn take_time(&self, time: Duration) {
        self.server.statement_takes.set(time.as_nanos() as u64);
    }

    /// Opens a session that calls itself by that name.
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

    /// Ends a session; what it has not committed is rolled back and every lock it holds falls.
    pub fn close(&self, session: SessionNo) {
        if self.server.is_waiting(session) {
            let failure = Failure::sql("57P01", "terminating connection due to administrator command");
            self.server.interrupt(session, failure);
        }
        // A statement that waited is dropped where it stands, before what it has done is taken back.
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

    /// Sends a text of one or more statements.
    ///
    /// # Errors
    /// 42601 where it is not SQL; a refusal by name.
    pub fn send(&self, session: SessionNo, text: &str) -> Result<Step> {
        match parse_without_parameters(text) {
            Ok(parsed) => Ok(self.begin(session, parsed, [].into(), Sent { simple: true, unsettled: false })),
            Err(failure @ Failure::Sql(_)) => {
                // What does not parse ends a transaction as any other error does.
                self.server.fail(session);
                Ok(Step::Done(Finished { results: vec![Err(failure)], ..Finished::default() }))
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Starts statements that were parsed before, with the parameters of the only one that has any.
    pub fn start(&self, session: SessionNo, parsed: Rc<Vec<Parsed>>, params: Rc<[Value]>) -> Step {
        self.begin(session, parsed, params, Sent { simple: false, unsettled: false })
    }

    /// As [`Database::start`], but a statement alone that has written leaves its transaction open, for
    /// [`Database::settle`] to end.
    pub fn start_unsettled(&self, session: SessionNo, parsed: Rc<Vec<Parsed>>, params: Rc<[Value]>) -> Step {
        self.begin(session, parsed, params, Sent { simple: false, unsettled: true })
    }

    /// From here on [`Database::choose`] is called where a statement of the session is [`Database::is_choosing`].
    pub fn answer(&self, session: SessionNo) {
        self.server.backend(session).answers = true;
    }

    /// Whether the session's statement stands where somebody must say how often a subquery of it is run.
    pub fn is_choosing(&self, session: SessionNo) -> bool {
        matches!(self.server.backend(session).wait, Wait::Choice)
    }

    /// Says it; the statement then goes on when it is resumed.
    pub fn choose(&self, session: SessionNo, rerun: Rerun) {
        let mut backend = self.server.backend(session);
        (backend.rerun, backend.wait) = (Some(rerun), Wait::Over);
    }

    fn begin(&self, session: SessionNo, parsed: Rc<Vec<Parsed>>, params: Rc<[Value]>, sent: Sent) -> Step {
        // All of a text's transactions and statements begin when the text came.
        self.server.tick();
        let clock = self.server.clock();
        {
            let mut backend = self.server.backend(session);
            backend.statement_started = clock;
            backend.simple = sent.simple;
            backend.several = parsed.len() > 1;
            backend.notices.behind = 0;
        }
        let depth = parsed.iter().map(|parsed| parsed.depth).max().unwrap_or(0);
        let work = statement::text(self.server.clone(), session, parsed, params, sent.unsettled);
        self.server.backend(session).running = Some(Running::new(depth, work));
        self.resume(session)
    }

    /// Whether a statement alone has left its transaction open.
    pub fn is_unsettled(&self, session: SessionNo) -> bool {
        let backend = self.server.backend(session);
        backend.running.is_none() && backend.transaction.as_ref().is_some_and(|it| !it.explicit)
    }

    /// Commits the transaction that a statement alone has left open.
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

    /// Rolls back whatever the session has open and gives up what it works on.
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

    /// Goes on with a session that [`Database::take_ready`] has named.
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

    /// Has a text fail with that error before it takes effect: the transaction that is open is aborted, or over where
    /// the text begins with COMMIT.
    pub fn fail(&self, session: SessionNo, parsed: &[Parsed], failure: Failure) -> Finished {
        if matches!(parsed.first(), Some(Parsed { statement: Statement::Commit, .. })) {
            self.server.finish(session, false);
        } else {
            // A statement that runs into its timeout has its snapshot, which outlives a rollback to a savepoint.
            let transaction =
                self.server.backend(session).transaction.as_ref().map(|it| (it.failed, it.keeps_snapshot()));
            if transaction == Some((false, true)) {
                self.server.take_snapshot(session);
            }
            self.server.fail(session);
        }
        Finished { results: vec![Err(failure)], ..Finished::default() }
    }

    /// Looks at once for a circle that the session's wait has closed, and not only when `deadlock_timeout` has passed.
    /// Tells whether the session may go on, with an error or with its lock.
    pub fn check_deadlock(&self, session: SessionNo) -> bool {
        self.server.check_deadlock(session);
        matches!(self.server.backend(session).wait, Wait::Over | Wait::Failed(_))
    }

    /// Whether the session's text waits for a lock, and for which sessions; empty where it works, sleeps or is done.
    pub fn blockers(&self, session: SessionNo) -> Vec<SessionNo> {
        self.server.blockers(session)
    }

    /// Whether the session has a text that is not finished.
    pub fn is_busy(&self, session: SessionNo) -> bool {
        self.server.backend(session).running.is_some()
    }

    /// Gives up the session's text with that error, as a cancel request does; it must then be resumed.
    pub fn cancel(&self, session: SessionNo, failure: Failure) {
        self.server.interrupt(session, failure);
    }

    /// Whether there are sessions that may go on.
    pub fn has_ready(&self) -> bool {
        !self.server.ready.borrow().is_empty()
    }

    /// Takes the sessions that may go on, in the order in which their waits ended.
    pub fn take_ready(&self) -> Vec<SessionNo> {
        std::mem::take(&mut *self.server.ready.borrow_mut())
    }

    /// When the clock next changes something: a timeout, a deadlock check, the end of a sleep.
    pub fn alarm(&self) -> Option<Duration> {
        self.server.next_timer().map(|(due, _)| Duration::from_nanos(due))
    }

    /// Moves the clock forward.
    pub fn advance(&self, to: Duration) {
        self.server.advance(to.as_nanos() as u64);
    }

    /// The clock.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.server.now.get())
    }

    /// Takes what the server said beside results, each with how many results of its text come before it.
    pub fn notices(&self, session: SessionNo) -> Vec<(usize, Notice)> {
        self.server.backend(session).notices.take()
    }

    /// Whether the session has a transaction open, by BEGIN.
    pub fn in_transaction(&self, session: SessionNo) -> bool {
        self.server.backend(session).transaction.as_ref().is_some_and(|transaction| transaction.explicit)
    }

    /// Whether the session's open transaction keeps writers out: it has written or locked a row, or it has locked a
    /// table against writing.
    pub fn keeps_writers_out(&self, session: SessionNo) -> bool {
        let backend = self.server.backend(session);
        let locks = |held: &Held| matches!(held.tag, LockTag::Table(_)) && held.mode >= TableLockMode::Share;
        backend.transaction.as_ref().is_some_and(|transaction| {
            transaction.levels.iter().any(|level| level.xid.is_some()) || backend.held.iter().any(locks)
        })
    }

    /// Whether the session waits for the clock alone.
    pub fn sleeps(&self, session: SessionNo) -> bool {
        matches!(self.server.backend(session).wait, Wait::Sleep { .. })
    }

    /// A table's definition and its committed rows in the order of its primary key, or of their making.
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

    /// How fine serializable transactions have marked what they read, since the database began; none where there were
    /// none that could fail.
    pub fn predicate_lock_granularities(&self) -> Vec<Granularity> {
        self.server.serializable.borrow().granularities().collect()
    }

    /// The names of all tables that are committed.
    pub fn tables(&self) -> Vec<String> {
        let all = self.server.schema.borrow().all(SessionNo(u32::MAX));
        all.iter().map(|table| table.name.clone()).collect()
    }
}
