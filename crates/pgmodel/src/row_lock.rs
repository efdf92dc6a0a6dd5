//! Row locks: the four strengths, who waits for whom, and what is found of a row once the wait is over.
//!
//! The locks are marks on row versions (manual, 13.3.2). A session that must wait takes the version's place in the
//! lock table first, so that the longest waiter goes next, then waits for each transaction in its way
//! (src/backend/access/heap/README.tuplock). It must never let two conflicting strengths stand on one version.

use crate::ast::{LockStrength, LockWait, TableLockMode};
use crate::catalog::TableDef;
use crate::error::{Failure, Result};
use crate::footprint::Use;
use crate::lock::LockTag;
use crate::run::Run;
use crate::transaction::{Status, Xid};

/// What became of a row version that a statement wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// It is the newest, and nobody is in the way.
    Free,
    /// Another transaction has replaced it and committed.
    Updated(u32),
    /// Another transaction has deleted it and committed.
    Deleted,
    /// This very command has changed it already.
    SelfModified,
    /// Its maker is this very command, or is not known to have committed.
    Invisible,
    /// It is locked, and SKIP LOCKED says not to wait.
    Skipped,
}

/// Whether two strengths exclude each other (manual, table 13.3).
pub(crate) fn conflicts(held: LockStrength, wanted: LockStrength) -> bool {
    use LockStrength::{KeyShare, NoKeyUpdate, Share, Update};
    match (held, wanted) {
        (Update, _) | (_, Update) => true,
        (KeyShare, _) | (_, KeyShare) => false,
        (Share, Share) => false,
        (NoKeyUpdate | Share, NoKeyUpdate | Share) => true,
    }
}

/// The mode in which a waiter of that strength queues for the version.
fn queue_mode(strength: LockStrength) -> TableLockMode {
    match strength {
        LockStrength::KeyShare => TableLockMode::AccessShare,
        LockStrength::Share => TableLockMode::RowShare,
        LockStrength::NoKeyUpdate => TableLockMode::Exclusive,
        LockStrength::Update => TableLockMode::AccessExclusive,
    }
}

impl Run {
    /// Waits until nobody holds a conflicting lock on a version, and says what it then is. Whoever gets
    /// [`Claim::Free`] must mark the version before it waits for anything else.
    pub(crate) async fn claim(
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
                // Whoever was in the way may have gone while this one queued.
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

    /// Locks a version; what its state is otherwise.
    pub(crate) async fn lock_version(
        &self,
        table: &TableDef,
        version: u32,
        strength: LockStrength,
        wait: LockWait,
    ) -> Result<Claim> {
        let keys = {
            let tuple = self.server.heap(table.id).tuple(version).clone();
            self.keys(table, &tuple)?
        };
        self.touch_keys(table.id, &keys, Use::Lock);
        if self.has_lock(table, version, strength) {
            return Ok(Claim::Free);
        }
        let waits = !self.inspect(table, version, strength).1.is_empty();
        let claim = self.claim(table, version, strength, wait).await?;
        if claim == Claim::Free {
            self.mark_locked(table, version, strength);
            return self.lock_successors(table, version, strength).await;
        } else if waits && matches!(claim, Claim::Updated(_)) && self.is_repeatable() {
            // Whoever has waited for an update follows it before it looks whether that fails it (heap_lock_tuple).
            self.lock_successors(table, version, strength).await?;
        }
        Ok(claim)
    }

    /// Locks the newest version of a row, following committed updates from `version`; with the version reached.
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
                Claim::Updated(next) => version = next,
                other => return Ok((other, version)),
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

    /// A FOR KEY SHARE that passed an update in progress must stand on what the update makes of the row, too.
    /// NOWAIT and SKIP LOCKED do not reach so far.
    async fn lock_successors(&self, table: &TableDef, version: u32, strength: LockStrength) -> Result<Claim> {
        let first = self.server.heap(table.id).header(version).and_then(|header| header.next);
        let mut at = version;
        loop {
            let next = self.server.heap(table.id).header(at).and_then(|header| header.next);
            let Some(next) = next else { return Ok(Claim::Free) };
            match self.claim(table, next, strength, LockWait::Block).await? {
                Claim::Free => self.mark_locked(table, next, strength),
                // A change that does conflict has committed further on.
                Claim::Updated(_) => return Ok(replaced(first)),
                Claim::Deleted => return Ok(Claim::Deleted),
                _ => {}
            }
            at = next;
        }
    }

    /// Whether this transaction already holds a lock at least so strong on the version.
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

    /// Whether this transaction holds any lock on the version: then it does not queue again for a stronger one.
    fn is_member(&self, table: &TableDef, version: u32) -> bool {
        let heap = self.server.heap(table.id);
        let transactions = self.server.transactions.borrow();
        heap.header(version).is_some_and(|header| {
            header.lockers.iter().any(|(xid, _)| transactions.is_own(*xid, self.session))
        })
    }

    /// What a version is now, and which running transactions are in the way of that strength.
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
            // A version that another transaction has made and not committed is reached by following an update
            // that FOR KEY SHARE passed; its maker is not in the way of that strength, but what else it did to
            // this version may be (heap_lock_updated_tuple_rec).
            let passes = transactions.is_running(header.xmin) && strength == LockStrength::KeyShare;
            if !passes {
                return (Claim::Invisible, Vec::new());
            }
        }
        let mut in_the_way = Vec::new();
        if let Some(xmax) = header.xmax {
            match transactions.status(xmax) {
                // FOR KEY SHARE stands on a version that was replaced without a change of its key, and on what
                // came of it (heap_lock_tuple: nothing to wait for, and so nothing to fail with).
                Status::Committed(_)
                    if strength == LockStrength::KeyShare
                        && header.xmax_strength == LockStrength::NoKeyUpdate
                        && header.next.is_some() => {}
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
        (Claim::Free, in_the_way)
    }
}

fn replaced(next: Option<u32>) -> Claim {
    next.map_or(Claim::Deleted, Claim::Updated)
}

/// What NOWAIT answers.
pub(crate) fn not_available(table: &TableDef) -> Failure {
    Failure::sql("55P03", format!("could not obtain lock on row in relation \"{}\"", table.name))
}

/// What a repeatable read transaction is told where another has committed a newer version.
pub(crate) fn concurrent_update() -> Failure {
    Failure::sql("40001", "could not serialize access due to concurrent update")
}

/// What a repeatable read transaction is told where another has deleted the row.
pub(crate) fn concurrent_delete() -> Failure {
    Failure::sql("40001", "could not serialize access due to concurrent delete")
}
