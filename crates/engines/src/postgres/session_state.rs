//! A session's state in the engine: whether it is in use, its pending statement, and what its transaction has done so
//! far, as far as the statements show. Where they do not, the caller has to ask the server.

use std::sync::Arc;
use std::time::Duration;

use retrial_engine::error::Error;

use super::scratch_database::ScratchDatabase;
use super::session_connection::SessionConnection;
use super::statement::Class;
use super::waits;

/// Size of the prepared-statement cache: the number of statements that a strategy is likely to use.
const PREPARED_STATEMENTS: usize = 128;

pub(super) struct SessionState {
    pub(super) conn: Arc<SessionConnection>,
    pub(super) open: bool,
    /// The class of the statement that was blocked at the last check.
    pub(super) pending: Option<Class>,
    /// The kernel has been notified that the pending statement may resume.
    pub(super) told: bool,
    /// The running statement is outside a transaction block; the engine wrapped it in a transaction that stays open
    /// until it is settled.
    pub(super) lasts: bool,
    /// Statements prepared in earlier trials must be dropped before the next one runs.
    pub(super) afresh: bool,
    transaction: Transaction,
    timeout: Timeout,
}

/// The session's lock timeout, in virtual time.
#[derive(Clone, Copy, Default)]
struct Timeout {
    /// The timeout; `None` if it is off.
    after: Option<Duration>,
    /// The open transaction may have changed it; the change may end with the transaction.
    set: bool,
    /// It may have changed, and the server has not been asked since.
    stale: bool,
    /// When it expires for the waiting statement.
    due: Option<Duration>,
    /// It has expired for the statement that waited.
    passed: bool,
}

/// A session's transaction.
#[derive(Clone, Copy, Default)]
struct Transaction {
    open: bool,
    /// Rows may have changed, so the log of changes has to be read after the commit.
    wrote: bool,
    locks: bool,
    savepoint: bool,
}

/// The effect of a statement on its transaction.
pub(super) struct Step {
    /// It has committed, and rows may have changed.
    pub(super) committed: bool,
    /// Whether the session holds locks that keep writers out; `None` if the statement does not show it.
    pub(super) holds_write_lock: Option<bool>,
}

impl SessionState {
    /// Opens a new connection. That takes the server a few milliseconds, so connections are reused across trials.
    pub(super) fn connect(scratch: &ScratchDatabase, number: usize) -> Result<SessionState, Error> {
        let options = scratch
            .options()
            .clone()
            .application_name(&format!("retrial session {number}"))
            .statement_cache_capacity(PREPARED_STATEMENTS)
            // A plan must depend neither on parameter values nor on how often its statement has run.
            .options([
                ("deadlock_timeout", waits::DEADLOCK_TIMEOUT),
                ("plan_cache_mode", "force_generic_plan"),
            ]);
        let health = scratch.monitor().health.clone();
        // Includes the control connection.
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

    /// Records that the session's statement waits; `now` is when it was sent.
    pub(super) fn begins_to_wait(&mut self, now: Duration) {
        if self.pending.is_none() {
            self.timeout.due = self.timeout.after.map(|after| now + after);
        }
    }

    /// When the waiting statement must be cancelled.
    pub(super) fn gives_up_at(&self) -> Option<Duration> {
        self.timeout.due.filter(|_| self.pending.is_some())
    }

    /// Records that the waiting statement has been cancelled.
    pub(super) fn has_timed_out(&mut self) {
        (self.timeout.due, self.timeout.passed) = (None, true);
    }

    /// Records that the statement has finished; returns whether it was cancelled for its lock timeout.
    pub(super) fn ends_its_wait(&mut self) -> bool {
        self.timeout.due = None;
        std::mem::take(&mut self.timeout.passed)
    }

    /// Whether the lock timeout may have changed after a statement of this class.
    pub(super) fn may_have_set(&mut self, class: Class) -> bool {
        let ended = !self.transaction.open && std::mem::take(&mut self.timeout.set);
        // Rolling back to a savepoint undoes a SET that came after it.
        let sets = class == Class::Setting || class == Class::Savepoint && self.timeout.set;
        self.timeout.set |= sets && self.transaction.open;
        self.timeout.stale |= sets || ended;
        self.timeout.stale
    }

    /// Records the lock timeout, if the server could be asked.
    pub(super) fn has_timeout(&mut self, timeout: Option<Duration>) {
        if let Some(timeout) = timeout {
            self.timeout.after = Some(timeout).filter(|timeout| !timeout.is_zero());
            self.timeout.stale = false;
        }
    }

    /// Forgets the timeout, because the session's settings are back to the server's defaults.
    pub(super) fn forget_timeout(&mut self) {
        self.timeout = Timeout::default();
    }

    /// Whether a transaction block is open.
    pub(super) fn is_in_transaction(&self) -> bool {
        self.transaction.open
    }

    /// Forgets the open transaction; returns whether there was one.
    pub(super) fn leave_transaction(&mut self) -> bool {
        self.lasts = false;
        self.timeout.stale |= std::mem::take(&mut self.timeout.set);
        std::mem::take(&mut self.transaction).open
    }

    /// Records that the statement that has just run was wrapped in a transaction.
    pub(super) fn enter_transaction(&mut self) {
        self.transaction.open = true;
    }

    /// Records whether the open transaction holds locks, according to the server.
    pub(super) fn has_locks(&mut self, locks: bool) {
        self.transaction.locks = locks;
    }

    /// Records the result of a statement of this class. `touched` is the number of rows it changed or returned, `None`
    /// if it failed. If `reads_may_write`, any statement may have changed rows, because the schema has functions.
    pub(super) fn step(&mut self, class: Class, touched: Option<u64>, reads_may_write: bool) -> Step {
        let transaction = &mut self.transaction;
        let failed = touched.is_none();
        let before = *transaction;
        match class {
            Class::Begin if !failed => transaction.open = true,
            // A COMMIT that fails ends the transaction too.
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
            // It may have locked more or fewer rows than it returns. LOCK TABLE has modes that do not keep writers out.
            Class::Definition | Class::Lock | Class::With { .. } => !transaction.locks,
            Class::Read => reads_may_write && !transaction.locks,
            Class::Savepoint => transaction.locks,
            _ => false,
        };
        // A failure releases all locks except those from before a savepoint.
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
