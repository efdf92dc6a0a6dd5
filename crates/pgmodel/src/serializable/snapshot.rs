//! The snapshot of a serializable transaction. A read-only transaction leaves serializable isolation when its snapshot
//! is known to be safe; a deferrable one waits for that before it begins (GetSafeSnapshot in predicate.c).

use retrial_pgmodel_sql::ast::Isolation;
use retrial_pgmodel_sql::error::{Failure, Result};

use super::held::Marks;
use super::{Number, Participant, Safety, Serializable};
use crate::backend::Wait;
use crate::footprint::{Object, Use};
use crate::lock::SessionNo;
use crate::server::Server;
use crate::transaction::Transaction;

impl Server {
    /// Makes a serializable transaction take part from its snapshot on, unless it is read-only and no writer overlaps
    /// it.
    pub(crate) fn take_part(&self, session: SessionNo) {
        self.touch(session, Object::Serializable, Use::Write);
        let mut backend = self.backend(session);
        let granularity = backend.settings.granularity();
        let transaction = backend.xact();
        let mut serializable = self.serializable.borrow_mut();
        let (oldest, xid) = {
            let transactions = self.transactions.borrow();
            let top = transaction.levels[0].xid;
            (transactions.oldest_running(), top)
        };
        let writers: Vec<Number> = {
            let writes = |it: &Participant| it.committed.is_none() && !it.doomed && !it.read_only;
            serializable.transactions.iter().filter(|(_, it)| writes(it)).map(|(number, _)| *number).collect()
        };
        if transaction.read_only && writers.is_empty() {
            return;
        }
        serializable.granularities.insert(granularity);
        let me = serializable.next;
        serializable.next += 1;
        if transaction.read_only {
            serializable.possibly_unsafe.extend(writers.into_iter().map(|writer| (me, writer)));
        }
        let participant = Participant {
            session,
            xid,
            xmin: oldest,
            seen: serializable.last_commit,
            committed: None,
            finished_before: oldest,
            earliest_out: None,
            read_only: transaction.read_only,
            wrote: false,
            doomed: false,
            safety: Safety::Unknown,
            waits: false,
            marks: Marks::default(),
        };
        serializable.transactions.insert(me, participant);
        serializable.oldest.get_or_insert(oldest);
        transaction.serializable = Some(me);
    }

    /// Waits for a safe snapshot, for a READ ONLY DEFERRABLE transaction that has none yet.
    pub(crate) async fn await_safe_snapshot(&self, session: SessionNo) -> Result<()> {
        loop {
            self.take_snapshot(session);
            let Some(me) = self.backend(session).xact().serializable else { return Ok(()) };
            while self.serializable.borrow_mut().participant(me).safety == Safety::Unknown {
                self.serializable.borrow_mut().participant(me).waits = true;
                let waited = self.wait_for_snapshot(session).await;
                self.serializable.borrow_mut().participant(me).waits = false;
                waited?;
            }
            let safe = self.serializable.borrow_mut().participant(me).safety == Safety::Safe;
            self.leave(session, false);
            if safe {
                return Ok(());
            }
            self.backend(session).xact().snapshot = None;
        }
    }

    /// Whether a transaction has to wait for a safe snapshot.
    pub(crate) fn defers(&self, session: SessionNo) -> bool {
        let mut backend = self.backend(session);
        let transaction = backend.xact();
        transaction.isolation == Isolation::Serializable
            && transaction.read_only
            && transaction.deferrable
            && transaction.snapshot.is_none()
    }

    /// Checks a transaction before its commit.
    ///
    /// # Errors
    /// 40001 if it must not commit; it is then rolled back.
    pub(crate) fn precommit(&self, session: SessionNo) -> Result<()> {
        let me =
            self.backend(session).transaction.as_ref().filter(|it| !it.failed).and_then(|it| it.serializable);
        let Some(me) = me else { return Ok(()) };
        self.touch(session, Object::Serializable, Use::Write);
        let looked = self.serializable.borrow_mut().precommit(me);
        if looked.is_err() {
            self.finish(session, false);
        }
        looked
    }

    /// Ends a transaction's participation: it has ended, or its snapshot is safe.
    pub(crate) fn leave(&self, session: SessionNo, commit: bool) {
        let Some(me) = self.backend(session).transaction.as_mut().and_then(|it| it.serializable.take())
        else {
            return;
        };
        self.touch(session, Object::Serializable, Use::Write);
        let next = self.transactions.borrow().next();
        let woken = self.serializable.borrow_mut().end(me, commit, next);
        self.wake(&woken);
    }

    /// The sessions that this one waits for to get a safe snapshot.
    pub(crate) fn snapshot_blockers(&self, session: SessionNo) -> Vec<SessionNo> {
        let serializable = self.serializable.borrow();
        let Serializable { transactions, possibly_unsafe, .. } = &*serializable;
        let waits = |number: &Number| transactions[number].session == session && transactions[number].waits;
        let found = possibly_unsafe.iter().filter(|(reader, _)| waits(reader));
        found.map(|(_, writer)| transactions[writer].session).collect()
    }

    async fn wait_for_snapshot(&self, session: SessionNo) -> Result<()> {
        self.touch(session, Object::Waits, Use::Lock);
        self.backend(session).wait = Wait::Snapshot;
        self.waiting.borrow_mut().insert(session);
        self.waited(session).await
    }
}

impl Transaction {
    /// Sets DEFERRABLE or NOT DEFERRABLE.
    ///
    /// # Errors
    /// 25001 if it is too late for that.
    pub(crate) fn defer(&mut self, deferrable: bool) -> Result<()> {
        let what = "SET TRANSACTION [NOT] DEFERRABLE";
        if self.levels.len() > 1 {
            return Err(Failure::sql("25001", format!("{what} cannot be called within a subtransaction")));
        }
        if self.has_snapshot {
            return Err(Failure::sql("25001", format!("{what} must be called before any query")));
        }
        self.deferrable = deferrable;
        Ok(())
    }
}
