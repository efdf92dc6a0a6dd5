//! Row locks: the four strengths, the waits for them, and the state of a row after the wait.
//!
//! The locks are entries in the headers of row versions (manual, 13.3.2). A session that must wait first takes the
//! tuple lock of the version in the lock table, so that the longest waiter goes next, then waits for each transaction
//! in its way (src/backend/access/heap/README.tuplock). Two conflicting strengths are never granted on one version.

use retrial_pgmodel_sql::ast::{LockStrength, LockWait, TableLockMode};
use retrial_pgmodel_sql::catalog::TableDef;
use retrial_pgmodel_sql::error::{Failure, Result};

use crate::execution::Execution;
use crate::footprint::Use;
use crate::lock::LockTag;
use crate::transaction::{Status, Xid};

/// The state of a row version that a statement wants to lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// It is the newest version, and no other session is in the way.
    Free,
    /// Another transaction has replaced it and committed.
    Updated(u32),
    /// Another transaction has deleted it and committed.
    Deleted,
    /// This command has changed it already.
    SelfModified,
    /// It was created by this command or by a transaction that has not committed, or this transaction changed it
    /// earlier.
    Invisible,
    /// It is locked, and SKIP LOCKED was given.
    Skipped,
}

/// The state of the later versions of a row, for a lock on an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ahead {
    /// All of them are locked, without a wait.
    Held,
    /// There was a wait, or the version still has to be marked as locked.
    Waited,
    /// A later version was replaced by a change that conflicts.
    Moved,
    /// A later version was deleted.
    Gone,
}

/// Whether two strengths conflict (manual, table 13.3).
pub(crate) fn conflicts(held: LockStrength, wanted: LockStrength) -> bool {
    use LockStrength::{KeyShare, NoKeyUpdate, Share, Update};
    match (held, wanted) {
        (Update, _) | (_, Update) => true,
        (KeyShare, _) | (_, KeyShare) => false,
        (Share, Share) => false,
        (NoKeyUpdate | Share, NoKeyUpdate | Share) => true,
    }
}

/// The mode in which a waiter of that strength queues for the version's tuple lock.
fn queue_mode(strength: LockStrength) -> TableLockMode {
    match strength {
        LockStrength::KeyShare => TableLockMode::AccessShare,
        LockStrength::Share => TableLockMode::RowShare,
        LockStrength::NoKeyUpdate => TableLockMode::Exclusive,
        LockStrength::Update => TableLockMode::AccessExclusive,
    }
}

impl Execution {
    /// Waits until no other session holds a conflicting lock on a version, and returns the state of the version then.
    /// On [`Claim::Free`] the caller must mark the version before it waits for anything else.
    pub(crate) async fn claim(
        &self,
        table: &TableDef,
        version: u32,
        strength: LockStrength,
        wait: LockWait,
    ) -> Result<Claim> {
        let (state, in_the_way) = self.inspect(table, version, strength);
        if in_the_way.is_empty() {
            return Ok(state);
        }
        Box::pin(self.claim_after(table, version, strength, wait)).await
    }

    /// Claims a version that another session has locked.
    async fn claim_after(
        &self,
        table: &TableDef,
        version: u32,
        strength: LockStrength,
        wait: LockWait,
    ) -> Result<Claim> {
        let mut place = None;
        let claim = loop {
            let (state, in_the_way) = self.inspect(table, version, strength);
            if in_the_way.is_empty() {
                break state;
            }
            match wait {
                LockWait::SkipLocked => break Claim::Skipped,
                LockWait::Nowait => return Err(not_available(table)),
                LockWait::Block => {}
            }
            if place.is_none() && !self.is_member(table, version) {
                let (tag, mode) = (LockTag::Tuple(table.id, version), queue_mode(strength));
                let depth = self.server.backend(self.session).depth();
                self.server.lock(self.session, tag, mode, Some(depth), false).await?;
                place = Some((tag, mode));
                // The blocker may have ended while this session was queued.
                continue;
            }
            for xid in in_the_way {
                self.server.await_transaction(self.session, xid).await?;
            }
        };
        if let Some((tag, mode)) = place {
            self.server.unlock(self.session, tag, mode);
        }
        Ok(claim)
    }

    /// Locks a version if it is free; returns its state otherwise.
    pub(crate) async fn lock_version(
        &self,
        table: &TableDef,
        version: u32,
        strength: LockStrength,
        wait: LockWait,
    ) -> Result<Claim> {
        let tuple = self.server.heap(table.id).tuple(version).clone();
        self.touch_row(table, &tuple, Use::Lock)?;
        if self.has_lock(table, version, strength) {
            return Ok(Claim::Free);
        }
        loop {
            let updating = self.is_being_updated(table, version, strength);
            let claim = self.claim(table, version, strength, wait).await?;
            if claim != Claim::Free {
                // After waiting for an update, the server also waits for the updates that followed it before it
                // evaluates the result. A repeatable read transaction fails only then.
                if updating && matches!(claim, Claim::Updated(_) | Claim::Deleted) {
                    self.lock_successors(table, version, strength).await?;
                }
                return Ok(claim);
            }
            match self.lock_successors(table, version, strength).await? {
                Ahead::Held => {
                    self.mark_locked(table, version, strength);
                    return Ok(Claim::Free);
                }
                // Another transaction may have locked or changed the version in the meantime.
                Ahead::Waited => {}
                Ahead::Gone => return Ok(Claim::Deleted),
                Ahead::Moved => {
                    let next = self.server.heap(table.id).header(version).and_then(|header| header.next);
                    return Ok(replaced(next));
                }
            }
        }
    }

    /// Locks the newest version of a row, following committed updates from `version`. Returns the version reached.
    pub(crate) async fn lock_newest(
        &self,
        table: &TableDef,
        version: u32,
        strength: LockStrength,
        wait: LockWait,
    ) -> Result<(Claim, u32)> {
        let mut version = version;
        loop {
            let claim = self.lock_version(table, version, strength, wait).await?;
            match claim {
                Claim::Updated(next) => match self.follow_updates(table, next, wait).await? {
                    Ok(latest) => version = latest,
                    Err(gone) => return Ok((gone, next)),
                },
                other => return Ok((other, version)),
            }
        }
    }

    /// The last version of a row that updates from `version` lead to. Waits for each running update, even one that the
    /// requested lock does not conflict with (heapam_tuple_lock in src/backend/access/heap/heapam_handler.c, which uses
    /// SnapshotDirty).
    async fn follow_updates(
        &self,
        table: &TableDef,
        version: u32,
        wait: LockWait,
    ) -> Result<std::result::Result<u32, Claim>> {
        let mut version = version;
        loop {
            let change = {
                let heap = self.server.heap(table.id);
                let header = heap.header(version);
                header.and_then(|header| header.xmax.map(|xmax| (xmax, header.next)))
            };
            let Some((xmax, next)) = change else { return Ok(Ok(version)) };
            let status = {
                let transactions = self.server.transactions.borrow();
                (transactions.status(xmax), transactions.is_own(xmax, self.session))
            };
            match (status, next) {
                ((Status::Committed(_), _), Some(next)) => version = next,
                ((Status::Committed(_), _), None) => return Ok(Err(Claim::Deleted)),
                ((Status::Running, false), _) => match wait {
                    LockWait::Block => self.server.await_transaction(self.session, xmax).await?,
                    LockWait::SkipLocked => return Ok(Err(Claim::Skipped)),
                    LockWait::Nowait => return Err(not_available(table)),
                },
                _ => return Ok(Ok(version)),
            }
        }
    }

    fn mark_locked(&self, table: &TableDef, version: u32, strength: LockStrength) {
        let xid = self.server.xid(self.session);
        let transactions = self.server.transactions.borrow();
        let mut heap = self.server.heap(table.id);
        let header = heap.mark(version);
        header.lockers.retain(|(locker, _)| transactions.is_running(*locker));
        header.lockers.push((xid, strength));
    }

    /// Locks the later versions of the row as well: a FOR KEY SHARE that does not conflict with an update must also be
    /// on the versions that this update and later ones create. This takes no tuple lock and ignores NOWAIT and SKIP
    /// LOCKED (heap_lock_updated_tuple in src/backend/access/heap/heapam.c).
    async fn lock_successors(&self, table: &TableDef, version: u32, strength: LockStrength) -> Result<Ahead> {
        let (mut at, mut waited) = (version, false);
        while let Some(next) = self.successor(table, at) {
            loop {
                let (ahead, in_the_way) = self.look_ahead(table, next, strength);
                let Some(xid) = in_the_way else {
                    match ahead {
                        Ahead::Held => {}
                        Ahead::Waited => self.mark_locked(table, next, strength),
                        gone => return Ok(gone),
                    }
                    break;
                };
                self.server.await_transaction(self.session, xid).await?;
                waited = true;
            }
            at = next;
        }
        Ok(if waited { Ahead::Waited } else { Ahead::Held })
    }

    /// The version that replaced this one, unless the replacing transaction has rolled back.
    fn successor(&self, table: &TableDef, version: u32) -> Option<u32> {
        let heap = self.server.heap(table.id);
        let header = heap.header(version)?;
        let transactions = self.server.transactions.borrow();
        header.xmax.filter(|xmax| transactions.status(*xmax) != Status::Aborted).and(header.next)
    }

    /// The state of a later version for a lock on an earlier version of the row: already locked, still to be marked, or
    /// lost to a committed conflicting change. Also returns the transaction to wait for, if the state depends on it.
    fn look_ahead(&self, table: &TableDef, version: u32, strength: LockStrength) -> (Ahead, Option<Xid>) {
        let heap = self.server.heap(table.id);
        let Some(header) = heap.header(version) else { return (Ahead::Waited, None) };
        let transactions = self.server.transactions.borrow();
        let changes = header.xmax.iter().map(|xmax| (*xmax, header.xmax_strength, true));
        let locks = header.lockers.iter().map(|(locker, held)| (*locker, *held, false));
        for (xid, held, changed) in changes.chain(locks) {
            match transactions.status(xid) {
                Status::Running if transactions.is_own(xid, self.session) => return (Ahead::Held, None),
                Status::Running if conflicts(held, strength) => return (Ahead::Waited, Some(xid)),
                Status::Committed(_) if changed && conflicts(held, strength) => {
                    return (if header.next.is_some() { Ahead::Moved } else { Ahead::Gone }, None);
                }
                _ => {}
            }
        }
        (Ahead::Waited, None)
    }

    /// Whether another running transaction has replaced the version by an update that conflicts with this strength.
    fn is_being_updated(&self, table: &TableDef, version: u32, strength: LockStrength) -> bool {
        let heap = self.server.heap(table.id);
        let transactions = self.server.transactions.borrow();
        heap.header(version).is_some_and(|header| {
            let other = |xid: &Xid| transactions.is_running(*xid) && !transactions.is_own(*xid, self.session);
            header.xmax.as_ref().is_some_and(other) && conflicts(header.xmax_strength, strength)
        })
    }

    /// Whether this transaction already holds a lock of at least this strength on the version.
    fn has_lock(&self, table: &TableDef, version: u32, strength: LockStrength) -> bool {
        let heap = self.server.heap(table.id);
        let Some(header) = heap.header(version) else { return false };
        let transactions = self.server.transactions.borrow();
        header.xmax.is_none_or(|xmax| transactions.status(xmax) == Status::Aborted)
            && header
                .lockers
                .iter()
                .any(|(xid, held)| *held >= strength && transactions.is_own(*xid, self.session))
    }

    /// Whether this transaction holds any lock on the version. If so, it does not queue again for a stronger one.
    fn is_member(&self, table: &TableDef, version: u32) -> bool {
        let heap = self.server.heap(table.id);
        let transactions = self.server.transactions.borrow();
        heap.header(version).is_some_and(|header| {
            header.lockers.iter().any(|(xid, _)| transactions.is_own(*xid, self.session))
        })
    }

    /// The state of a version, and the running transactions that conflict with that strength.
    fn inspect(&self, table: &TableDef, version: u32, strength: LockStrength) -> (Claim, Vec<Xid>) {
        let heap = self.server.heap(table.id);
        let Some(header) = heap.header(version) else { return (Claim::Free, Vec::new()) };
        let transactions = self.server.transactions.borrow();
        let made = match transactions.status(header.xmin) {
            Status::Committed(_) => true,
            Status::Running => {
                transactions.is_own(header.xmin, self.session) && header.cmin < self.snapshot.command
            }
            Status::Aborted => false,
        };
        if !made {
            // A version of another, uncommitted transaction is reached here by following an update that does not
            // conflict with FOR KEY SHARE. Its creator does not block that strength.
            let passes = transactions.is_running(header.xmin) && strength == LockStrength::KeyShare;
            return (if passes { Claim::Free } else { Claim::Invisible }, Vec::new());
        }
        let mut in_the_way = Vec::new();
        if let Some(xmax) = header.xmax {
            match transactions.status(xmax) {
                // A committed update that left the keys alone does not prevent FOR KEY SHARE on the old version: the
                // server locks that version and its successors, and returns the old values.
                Status::Committed(_) if !conflicts(header.xmax_strength, strength) => {}
                Status::Committed(_) => return (replaced(header.next), in_the_way),
                Status::Running if transactions.is_own(xmax, self.session) => {
                    let own = header.cmax >= self.snapshot.command;
                    return (if own { Claim::SelfModified } else { Claim::Invisible }, in_the_way);
                }
                Status::Running if conflicts(header.xmax_strength, strength) => in_the_way.push(xmax),
                _ => {}
            }
        }
        for (locker, held) in &header.lockers {
            let other = transactions.is_running(*locker) && !transactions.is_own(*locker, self.session);
            if other && conflicts(*held, strength) {
                in_the_way.push(*locker);
            }
        }
        // The transaction with the lowest number is waited for first, as a multixact keeps its members in that order.
        in_the_way.sort_unstable();
        (Claim::Free, in_the_way)
    }
}

fn replaced(next: Option<u32>) -> Claim {
    next.map_or(Claim::Deleted, Claim::Updated)
}

/// The error of NOWAIT.
pub(crate) fn not_available(table: &TableDef) -> Failure {
    Failure::sql("55P03", format!("could not obtain lock on row in relation \"{}\"", table.name))
}

/// The error of a repeatable read transaction if another transaction has committed a newer version.
pub(crate) fn concurrent_update() -> Failure {
    Failure::sql("40001", "could not serialize access due to concurrent update")
}

/// The error of a repeatable read transaction if another transaction has deleted the row.
pub(crate) fn concurrent_delete() -> Failure {
    Failure::sql("40001", "could not serialize access due to concurrent delete")
}
