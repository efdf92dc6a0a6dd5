//! State shared by all sessions (tables, transactions, locks, sequences, the virtual clock), and waiting.
//!
//! Nothing here blocks. A session that must wait records that in its backend and yields; the session or timer that ends
//! the wait adds it to the ready list. A session is woken only if it can proceed.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use retrial_pgmodel_sql::ast::TableLockMode;
use retrial_pgmodel_sql::catalog::{TableDef, TableId};
use retrial_pgmodel_sql::error::{Failure, Result};

use crate::backend::{Backend, Held, Wait};
use crate::footprint::{Footprint, Object, Use};
use crate::heap::Heap;
use crate::lock::{Asked, Deadlock, LockTable, LockTag, SessionNo};
use crate::names::SessionNames;
use crate::schema::Schema;
use crate::sequence::Sequence;
use crate::serializable::Serializable;
use crate::transaction::{Transactions, Xid};

/// The state of a database.
pub(crate) struct Server {
    pub(crate) schema: RefCell<Schema>,
    /// Indexed by table id.
    pub(crate) heaps: RefCell<Vec<Option<Heap>>>,
    pub(crate) transactions: RefCell<Transactions>,
    pub(crate) locks: RefCell<LockTable>,
    pub(crate) serializable: RefCell<Serializable>,
    pub(crate) sequences: RefCell<BTreeMap<TableId, Sequence>>,
    pub(crate) backends: RefCell<Vec<Backend>>,
    /// Sessions that wait for a lock or the clock; few of all sessions that were ever opened.
    pub(crate) waiting: RefCell<BTreeSet<SessionNo>>,
    /// Sessions whose wait is over, in the order in which the waits ended.
    pub(crate) ready: RefCell<Vec<SessionNo>>,
    /// Nanoseconds since the initial state.
    pub(crate) now: Cell<u64>,
    /// The minimum duration of a statement, in nanoseconds.
    pub(crate) statement_takes: Cell<u64>,
    /// The number of UUIDs generated.
    pub(crate) uuids: Cell<u64>,
    /// Whether footprints are tracked.
    pub(crate) tracks: Cell<bool>,
    /// The objects used by any session since the footprint was last taken.
    pub(crate) used: RefCell<Footprint>,
}

/// 2025-01-01 00:00:00 UTC as a server timestamp (microseconds since 2000-01-01): the start of every trial, as on the
/// calendar of its actors.
const EPOCH: i64 = 789_004_800_000_000;

impl Server {
    pub(crate) fn new() -> Server {
        Server {
            schema: RefCell::new(Schema::default()),
            heaps: RefCell::new(Vec::new()),
            transactions: RefCell::new(Transactions::new()),
            locks: RefCell::new(LockTable::default()),
            serializable: RefCell::default(),
            sequences: RefCell::new(BTreeMap::new()),
            backends: RefCell::new(Vec::new()),
            waiting: RefCell::default(),
            ready: RefCell::new(Vec::new()),
            now: Cell::new(0),
            statement_takes: Cell::new(0),
            uuids: Cell::new(0),
            tracks: Cell::new(false),
            used: RefCell::default(),
        }
    }

    pub(crate) fn backend(&self, session: SessionNo) -> RefMut<'_, Backend> {
        RefMut::map(self.backends.borrow_mut(), |backends| &mut backends[session.0 as usize])
    }

    pub(crate) fn heap(&self, table: TableId) -> RefMut<'_, Heap> {
        RefMut::map(self.heaps.borrow_mut(), |heaps| {
            heaps[table.0 as usize].as_mut().expect("a table that is looked up has a heap")
        })
    }

    /// The virtual clock as returned by `clock_timestamp()`.
    pub(crate) fn clock(&self) -> i64 {
        EPOCH + (self.now.get() / 1000) as i64
    }

    /// The id of the session's transaction or current savepoint; assigned now if it has none yet.
    pub(crate) fn xid(&self, session: SessionNo) -> Xid {
        let mut backend = self.backend(session);
        let levels = &mut backend.xact().levels;
        if let Some(xid) = levels.last().and_then(|level| level.xid) {
            return xid;
        }
        drop(backend);
        self.touch(session, Object::Serializable, Use::Read);
        let mut backend = self.backend(session);
        let transaction = backend.xact();
        let (number, levels) = (transaction.serializable, &mut transaction.levels);
        let mut transactions = self.transactions.borrow_mut();
        let mut parent = None;
        for level in levels {
            parent = Some(*level.xid.get_or_insert_with(|| transactions.assign(session, parent)));
        }
        if let (Some(number), Some(top)) = (number, transaction.levels[0].xid) {
            self.serializable.borrow_mut().register(number, top);
        }
        parent.expect("a transaction has at least one level")
    }

    /// Takes a lock until the transaction ends, or for longer if `depth` is `None`. Returns false if `nowait` is set
    /// and the lock is not available.
    pub(crate) async fn lock(
        &self,
        session: SessionNo,
        tag: LockTag,
        mode: TableLockMode,
        depth: Option<usize>,
        nowait: bool,
    ) -> Result<bool> {
        if self.lock_at_once(session, tag, mode, depth) {
            return Ok(true);
        }
        if nowait {
            return Ok(false);
        }
        let queued = self.locks.borrow_mut().enqueue(session, tag, mode);
        match queued {
            Asked::Granted => {}
            Asked::Deadlock => return Err(deadlock()),
            Asked::MustWait => self.wait_for(session, tag).await?,
        }
        self.backend(session).held.push(Held { tag, mode, depth });
        Ok(true)
    }

    /// Takes a lock if it is available without a wait.
    fn lock_at_once(
        &self,
        session: SessionNo,
        tag: LockTag,
        mode: TableLockMode,
        depth: Option<usize>,
    ) -> bool {
        let granted = self.locks.borrow_mut().ask(session, tag, mode) == Asked::Granted;
        if granted {
            self.backend(session).held.push(Held { tag, mode, depth });
        }
        granted
    }

    /// Takes these table locks in order, as long as they are available. Returns the first one that is not.
    pub(crate) fn first_missing(
        &self,
        session: SessionNo,
        tables: &[(TableId, TableLockMode)],
    ) -> Option<(TableId, TableLockMode)> {
        let has = |(table, mode): &(TableId, TableLockMode)| match self.lack(session, *table, *mode) {
            Some(depth) => self.lock_at_once(session, LockTag::Table(*table), *mode, Some(depth)),
            None => true,
        };
        tables.iter().copied().find(|lock| !has(lock))
    }

    /// Records the use of a table lock. Returns the savepoint depth to take it at, or `None` if the session already has
    /// it.
    fn lack(&self, session: SessionNo, table: TableId, mode: TableLockMode) -> Option<usize> {
        let how = if mode > TableLockMode::RowExclusive { Use::Lock } else { Use::Read };
        self.touch(session, Object::TableLock(table), how);
        let backend = self.backend(session);
        let tag = LockTag::Table(table);
        let has = backend.held.iter().any(|held| held.tag == tag && held.mode == mode);
        (!has).then(|| backend.depth())
    }

    /// Takes a table lock unless the session already has it in this mode.
    pub(crate) async fn lock_table(
        &self,
        session: SessionNo,
        table: TableId,
        mode: TableLockMode,
        nowait: bool,
    ) -> Result<bool> {
        match self.lack(session, table, mode) {
            Some(depth) => self.lock(session, LockTag::Table(table), mode, Some(depth), nowait).await,
            None => Ok(true),
        }
    }

    /// Waits for a transaction to end, and for the transactions that it is part of.
    pub(crate) async fn await_transaction(&self, session: SessionNo, xid: Xid) -> Result<()> {
        let mut xid = xid;
        loop {
            if self.transactions.borrow().is_running(xid) {
                let holder = self.transactions.borrow().session(xid);
                let tag = LockTag::Transaction(xid);
                self.locks.borrow_mut().await_transaction(session, tag, holder);
                self.wait_for(session, tag).await?;
            }
            let transactions = self.transactions.borrow();
            // A released savepoint continues as part of its parent.
            match transactions.parent(xid) {
                Some(parent) if transactions.is_running(xid) => xid = parent,
                _ => return Ok(()),
            }
        }
    }

    /// Waits for the end of another session's transaction, given by its index in that session.
    pub(crate) async fn await_session(
        &self,
        session: SessionNo,
        other: SessionNo,
        number: u32,
    ) -> Result<()> {
        {
            let mut backend = self.backend(other);
            let runs = backend.transaction.as_ref().is_some_and(|transaction| !transaction.is_over());
            if !runs || backend.transactions != number {
                return Ok(());
            }
            backend.awaited = true;
        }
        let tag = LockTag::Virtual(other, number);
        self.locks.borrow_mut().await_transaction(session, tag, other);
        self.wait_for(session, tag).await
    }

    /// Waits for a lock whose queue the session has joined.
    async fn wait_for(&self, session: SessionNo, tag: LockTag) -> Result<()> {
        // Whether this wait closes a cycle depends on the waits of other sessions.
        self.touch(session, Object::Waits, Use::Lock);
        {
            let now = self.now.get();
            let mut backend = self.backend(session);
            let after = |time: u64| (time > 0).then(|| now + time);
            let deadlock_check = Some(now + backend.settings.deadlock_timeout);
            let lock_deadline = after(backend.settings.lock_timeout);
            backend.wait = Wait::Lock { tag, deadlock_check, lock_deadline };
            self.waiting.borrow_mut().insert(session);
        }
        self.waited(session).await
    }

    /// Sleeps on the virtual clock.
    pub(crate) async fn sleep(&self, session: SessionNo, until: u64) -> Result<()> {
        if until <= self.now.get() {
            return Ok(());
        }
        self.backend(session).wait = Wait::Sleep { until };
        self.waiting.borrow_mut().insert(session);
        self.waited(session).await
    }

    /// Resolves when the session's wait is over.
    pub(crate) async fn waited(&self, session: SessionNo) -> Result<()> {
        poll_fn(|_| {
            let mut backend = self.backend(session);
            match std::mem::take(&mut backend.wait) {
                Wait::No | Wait::Over => Poll::Ready(Ok(())),
                Wait::Failed(failure) => Poll::Ready(Err(failure)),
                waiting => {
                    backend.wait = waiting;
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Releases one acquisition of a lock before the transaction ends.
    pub(crate) fn unlock(&self, session: SessionNo, tag: LockTag, mode: TableLockMode) {
        let mut backend = self.backend(session);
        let place = backend.held.iter().rposition(|held| held.tag == tag && held.mode == mode);
        place.map(|place| backend.held.remove(place));
        drop(backend);
        let mut woken = Vec::new();
        self.locks.borrow_mut().release(session, tag, mode, &mut woken);
        self.wake(&woken);
    }

    /// Releases the locks selected by `which`, and wakes the sessions that wait for the transactions in `ended`.
    pub(crate) fn release(&self, session: SessionNo, ended: &[Xid], which: impl Fn(&Held) -> bool) {
        let mut woken = Vec::new();
        let mut backend = self.backend(session);
        let mut locks = self.locks.borrow_mut();
        for xid in ended {
            locks.transaction_ended(LockTag::Transaction(*xid), &mut woken);
        }
        backend.held.retain(|held| {
            let release = which(held);
            if release {
                locks.release(session, held.tag, held.mode, &mut woken);
            }
            !release
        });
        drop((locks, backend));
        self.wake(&woken);
    }

    pub(crate) fn wake(&self, woken: &[SessionNo]) {
        for session in woken {
            self.end_wait(*session, Wait::Over);
        }
    }

    pub(crate) fn end_wait(&self, session: SessionNo, how: Wait) {
        self.backend(session).wait = how;
        self.waiting.borrow_mut().remove(&session);
        self.ready.borrow_mut().push(session);
    }

    /// Whether the session waits for a lock or the clock.
    pub(crate) fn is_waiting(&self, session: SessionNo) -> bool {
        matches!(self.backend(session).wait, Wait::Lock { .. } | Wait::Sleep { .. } | Wait::Snapshot)
    }

    /// Ends a session's wait with an error and removes it from the queue.
    pub(crate) fn interrupt(&self, session: SessionNo, failure: Failure) {
        let wait = std::mem::take(&mut self.backend(session).wait);
        match wait {
            Wait::Lock { tag, .. } => {
                let mut woken = Vec::new();
                self.locks.borrow_mut().leave(session, tag, &mut woken);
                self.end_wait(session, Wait::Failed(failure));
                self.wake(&woken);
            }
            Wait::Sleep { .. } | Wait::Snapshot => self.end_wait(session, Wait::Failed(failure)),
            // The lock was granted before the interruption; the session goes on.
            Wait::Over => self.backend(session).wait = Wait::Over,
            other => self.backend(session).wait = other,
        }
    }

    /// The sessions that this one waits for.
    pub(crate) fn blockers(&self, session: SessionNo) -> Vec<SessionNo> {
        let wait = self.backend(session).wait.clone();
        match wait {
            Wait::Lock { tag, .. } => self.locks.borrow().blockers(session, tag),
            Wait::Snapshot => self.snapshot_blockers(session),
            _ => Vec::new(),
        }
    }

    /// Runs deadlock detection for the session's wait for a lock, unless it has already run for that wait.
    pub(crate) fn check_deadlock(&self, session: SessionNo) {
        let unchecked = match &mut self.backend(session).wait {
            Wait::Lock { deadlock_check, .. } => deadlock_check.take(),
            _ => None,
        };
        if unchecked.is_none() {
            return;
        }
        let mut woken = Vec::new();
        let found = self.locks.borrow_mut().check_deadlock(session, &mut woken);
        match found {
            Deadlock::None => {}
            Deadlock::Resolved => self.wake(&woken),
            Deadlock::Hard => self.interrupt(session, deadlock()),
        }
    }

    /// Name lookup as of a session.
    pub(crate) fn names(self: &Rc<Self>, session: SessionNo) -> SessionNames {
        SessionNames::new(self, session)
    }

    /// A table by its id, as a session sees it.
    pub(crate) fn table(&self, id: TableId, session: SessionNo) -> Rc<TableDef> {
        self.schema.borrow().by_id(id, session)
    }
}

fn deadlock() -> Failure {
    Failure::sql("40P01", "deadlock detected")
}
