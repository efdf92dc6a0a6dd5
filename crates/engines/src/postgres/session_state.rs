//! A session's place in the engine: whether it is taken, what it waits with, and what its transaction has
//! done so far, as far as statements tell. Where they do not, the caller has to ask the server.

use std::sync::Arc;
use std::time::Duration;

use retrial_sim::error::Error;

use super::scratch_database::ScratchDatabase;
use super::session_connection::SessionConnection;
use super::statement::Class;
use super::waits;

/// As many statements as a strategy is likely to use stay prepared.
const PREPARED_STATEMENTS: usize = 128;

pub(super) struct SessionState {
    pub(super) conn: Arc<SessionConnection>,
    pub(super) open: bool,
    /// The kind of statement that was blocked when it was last looked at.
    pub(super) pending: Option<Class>,
    /// The kernel has been told that what is pending may go on.
    pub(super) told: bool,
    /// What runs is alone: a transaction was begun around it that stays open until it is settled.
    pub(super) lasts: bool,
    /// Statements that were prepared in earlier trials are to be forgotten before the next one.
    pub(super) afresh: bool,
    transaction: Transaction,
    timeout: Timeout,
}

/// The session's lock timeout, on the trial's clock.
#[derive(Clone, Copy, Default)]
struct Timeout {
    /// How long it is; none if it is off.
    after: Option<Duration>,
    /// The open transaction may have set another, which ends with it.
    set: bool,
    /// A transaction that had set another has ended, and nobody has asked what it is since.
    stale: bool,
    /// When it passes for the statement that waits.
    due: Option<Duration>,
    /// It has passed for the statement that waited.
    passed: bool,
}

/// What is open in a session.
#[derive(Clone, Copy, Default)]
struct Transaction {
    open: bool,
    /// Something may have changed rows, so that their log is to be read once it has committed.
    wrote: bool,
    locks: bool,
    savepoint: bool,
}

/// What a statement has done to its transaction.
pub(super) struct Step {
    /// It has committed what may have changed rows.
    pub(super) committed: bool,
    /// Locks are held that keep writers out; none where the statement does not tell.
    pub(super) holds_write_lock: Option<bool>,
}

impl SessionState {
    /// Connects anew; the server takes a few milliseconds for it, so connections outlive a trial.
    pub(super) fn connect(scratch: &ScratchDatabase, number: usize) -> Result<SessionState, Error> {
        let options = scratch
            .options()
            .clone()
            .application_name(&format!("retrial session {number}"))
            .statement_cache_capacity(PREPARED_STATEMENTS)
            // A plan must depend neither on values nor on how often its statement has run before.
            .options([
                ("deadlock_timeout", waits::DEADLOCK_TIMEOUT),
                ("plan_cache_mode", "force_generic_plan"),
            ]);
        let health = scratch.monitor().health.clone();
        // With the one that looks at the sessions.
        health.room_has(number as u32 + 2);
        let conn = scratch.ask(move || async move {
            let mut connection = health.connect(&options).await?;
            let asked = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut connection);
            let pid = health.within(asked).await?;
            Ok(SessionConnection::new(pid, connection))
        })?;
        let (conn, transaction) = (Arc::new(conn), Transaction::default());
        let timeout = Timeout::default();
        let (pending, told, lasts, afresh) = (None, false, false, false);
        Ok(SessionState { conn, open: true, pending, told, lasts, afresh, transaction, timeout })
    }

    /// A statement that was sent at that time waits, or waits on.
    pub(super) fn begins_to_wait(&mut self, now: Duration) {
        if self.pending.is_none() {
            self.timeout.due = self.timeout.after.map(|after| now + after);
        }
    }

    /// When the statement that waits is to be given up.
    pub(super) fn gives_up_at(&self) -> Option<Duration> {
        self.timeout.due.filter(|_| self.pending.is_some())
    }

    /// The statement that waited has been given up.
    pub(super) fn has_timed_out(&mut self) {
        (self.timeout.due, self.timeout.passed) = (None, true);
    }

    /// The statement has ended; tells whether it was given up.
    pub(super) fn ends_its_wait(&mut self) -> bool {
        self.timeout.due = None;
        std::mem::take(&mut self.timeout.passed)
    }

    /// Whether the lock timeout may be another after a statement of that kind.
    pub(super) fn may_have_set(&mut self, class: Class) -> bool {
        let ended = !self.transaction.open && std::mem::take(&mut self.timeout.set);
        // What was set after a savepoint is taken back to it.
        let sets = class == Class::Setting || class == Class::Savepoint && self.timeout.set;
        self.timeout.set |= sets && self.transaction.open;
        self.timeout.stale |= sets || ended;
        self.timeout.stale
    }

    /// Takes in what the lock timeout is, if the server could be asked.
    pub(super) fn has_timeout(&mut self, timeout: Option<Duration>) {
        if let Some(timeout) = timeout {
            self.timeout.after = Some(timeout).filter(|timeout| !timeout.is_zero());
            self.timeout.stale = false;
        }
    }

    /// The session's settings are the server's again.
    pub(super) fn forget_timeout(&mut self) {
        self.timeout = Timeout::default();
    }

    /// Whether a transaction block is open.
    pub(super) fn is_in_transaction(&self) -> bool {
        self.transaction.open
    }

    /// Forgets what was open; tells whether there was something.
    pub(super) fn leave_transaction(&mut self) -> bool {
        self.lasts = false;
        self.timeout.stale |= std::mem::take(&mut self.timeout.set);
        std::mem::take(&mut self.transaction).open
    }

    /// Takes in that a transaction was begun around what has just run.
    pub(super) fn enter_transaction(&mut self) {
        self.transaction.open = true;
    }

    /// Takes in what the server says of the locks of the open transaction.
    pub(super) fn has_locks(&mut self, locks: bool) {
        self.transaction.locks = locks;
    }

    /// Takes in how a statement of that kind went: how many rows it touched, if it did not fail. Any
    /// statement may have changed rows if `reads_may_write`, because the schema has functions.
    pub(super) fn step(&mut self, class: Class, touched: Option<u64>, reads_may_write: bool) -> Step {
        let transaction = &mut self.transaction;
        let failed = touched.is_none();
        let before = *transaction;
        match class {
            Class::Begin if !failed => transaction.open = true,
            // Also a COMMIT that fails has ended the transaction.
            Class::Commit | Class::Rollback => *transaction = Transaction::default(),
            Class::Savepoint if !failed => transaction.savepoint = true,
            Class::Write | Class::With { .. } | Class::Definition => transaction.wrote = true,
            Class::Read | Class::Lock => transaction.wrote |= reads_may_write,
            _ => {}
        }
        let unclear = match class {
            Class::Write => {
                transaction.locks |= touched.is_some_and(|rows| rows > 0);
                false
            }
            // What comes of it may be fewer rows than it has locked, or more. LOCK TABLE has modes.
            Class::Definition | Class::Lock | Class::With { .. } => !transaction.locks,
            Class::Read => reads_may_write && !transaction.locks,
            Class::Savepoint => transaction.locks,
            _ => false,
        };
        // A failure takes all locks with it, but for those from before a savepoint.
        let unclear = if failed { transaction.savepoint && transaction.locks } else { unclear };
        transaction.locks &= !failed || transaction.savepoint;
        if transaction.open {
            return Step { committed: false, holds_write_lock: (!unclear).then_some(transaction.locks) };
        }
        let alone = !before.open;
        let committed =
            if alone { transaction.wrote && !failed } else { before.wrote && class != Class::Rollback };
        *transaction = Transaction::default();
        Step { committed, holds_write_lock: Some(false) }
    }
}
