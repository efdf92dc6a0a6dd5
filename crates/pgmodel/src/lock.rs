//! The lock table: which session holds which lock in which mode, and the queues of waiting sessions.
//!
//! Follows the server's regular lock manager (manual, 13.3; src/backend/storage/lmgr/README). A request that conflicts
//! with a holder or a waiter joins the end of the queue. If the requester already holds the lock in a mode that a
//! waiter conflicts with, it is put before that waiter. Row locks are stored in the rows; only waiting for them goes
//! through this table. Conflicting modes are never granted to two sessions.

use std::collections::BTreeMap;

use retrial_pgmodel_sql::ast::TableLockMode;
use retrial_pgmodel_sql::catalog::TableId;

use crate::transaction::Xid;

mod deadlock;

pub(crate) use deadlock::Deadlock;

/// A session's number in its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionNo(pub u32);

/// The object of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LockTag {
    /// A table or a sequence.
    Table(TableId),
    /// A row version; held only while its owner waits for the row, to be first in the queue for it.
    Tuple(TableId, u32),
    /// A transaction, held by itself until it ends. Others wait for its end by requesting it in share mode.
    Transaction(Xid),
    /// A session's transaction by its index in that session; it may have no [`Xid`], as it has written nothing.
    Virtual(SessionNo, u32),
    /// An advisory key: one of 64 bits, or two of 32 (`true`). Speculative insertions have no tag of their own.
    Advisory(i64, bool),
}

/// The holders and waiters of a lock.
#[derive(Clone, Debug, Default)]
struct Lock {
    /// Session, mode and number of acquisitions.
    granted: Vec<(SessionNo, TableLockMode, u32)>,
    queue: Vec<(SessionNo, TableLockMode)>,
}

/// The result of requesting a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Granted,
    MustWait,
    /// Waiting would close a cycle of two sessions within this queue.
    Deadlock,
}

/// All locks that a session holds or waits for. An unused table lock keeps its entry, as the next statement will need
/// it again.
#[derive(Clone, Debug, Default)]
pub(crate) struct LockTable {
    locks: BTreeMap<LockTag, Lock>,
    /// The lock that each waiting session is queued for.
    waits: BTreeMap<SessionNo, LockTag>,
}

/// The conflict table of the manual (13.3.1, table 13.2): one bit per mode in the order of [`TableLockMode`].
const CONFLICTS: [u8; 8] =
    [0b1000_0000, 0b1100_0000, 0b1111_0000, 0b1111_1000, 0b1110_1100, 0b1111_1100, 0b1111_1110, 0b1111_1111];

/// Whether two modes conflict.
pub(crate) fn conflict(left: TableLockMode, right: TableLockMode) -> bool {
    CONFLICTS[left as usize] & (1 << right as u8) != 0
}

impl LockTable {
    pub(crate) fn clear(&mut self) {
        self.waits.clear();
        self.locks.retain(|tag, lock| {
            lock.granted.clear();
            lock.queue.clear();
            matches!(tag, LockTag::Table(_))
        });
    }

    /// Requests a lock. A session that must wait joins the queue only by [`LockTable::enqueue`].
    pub(crate) fn ask(&mut self, session: SessionNo, tag: LockTag, mode: TableLockMode) -> Asked {
        let lock = self.locks.entry(tag).or_default();
        let own = lock.granted.iter_mut().find(|(holder, held, _)| *holder == session && *held == mode);
        if let Some((_, _, count)) = own {
            *count += 1;
            return Asked::Granted;
        }
        let behind = lock.queue.iter().any(|(waiter, wanted)| *waiter != session && conflict(mode, *wanted));
        if !behind && lock.is_free(session, mode) {
            lock.granted.push((session, mode, 1));
            return Asked::Granted;
        }
        Asked::MustWait
    }

    /// Joins the queue. May find that the lock is free after all, or that waiting would be a deadlock.
    pub(crate) fn enqueue(&mut self, session: SessionNo, tag: LockTag, mode: TableLockMode) -> Asked {
        let lock = self.locks.entry(tag).or_default();
        let mut place = lock.queue.len();
        let mut ahead = 0_u8;
        if lock.granted.iter().any(|(holder, _, _)| *holder == session) {
            for (index, (waiter, wanted)) in lock.queue.iter().enumerate() {
                if lock.holds_against(session, *wanted) {
                    if lock.holds_against(*waiter, mode) {
                        return Asked::Deadlock;
                    }
                    if CONFLICTS[mode as usize] & ahead == 0 && lock.is_free(session, mode) {
                        lock.granted.push((session, mode, 1));
                        return Asked::Granted;
                    }
                    place = index;
                    break;
                }
                ahead |= 1 << *wanted as u8;
            }
        }
        lock.queue.insert(place, (session, mode));
        self.waits.insert(session, tag);
        Asked::MustWait
    }

    /// Whether another session holds the lock in `AccessExclusive` mode.
    pub(crate) fn is_owned_by_another(&self, session: SessionNo, tag: LockTag) -> bool {
        let whole = |(holder, held, _): &(SessionNo, TableLockMode, u32)| {
            *holder != session && *held == TableLockMode::AccessExclusive
        };
        self.locks.get(&tag).is_some_and(|lock| lock.granted.iter().any(whole))
    }

    /// Leaves the queue; waiters behind may be granted the lock.
    pub(crate) fn leave(&mut self, session: SessionNo, tag: LockTag, woken: &mut Vec<SessionNo>) {
        self.waits.remove(&session);
        if let Some(lock) = self.locks.get_mut(&tag) {
            lock.queue.retain(|(waiter, _)| *waiter != session);
            self.grant_queue(tag, woken);
        }
    }

    /// Releases one acquisition of a lock.
    pub(crate) fn release(
        &mut self,
        session: SessionNo,
        tag: LockTag,
        mode: TableLockMode,
        woken: &mut Vec<SessionNo>,
    ) {
        let Some(lock) = self.locks.get_mut(&tag) else { return };
        let own = lock.granted.iter().position(|(holder, held, _)| *holder == session && *held == mode);
        if let Some(index) = own {
            lock.granted[index].2 -= 1;
            if lock.granted[index].2 == 0 {
                lock.granted.remove(index);
                self.grant_queue(tag, woken);
            }
        }
    }

    /// Ends a transaction's lock: all waiters are granted it and release it at once.
    pub(crate) fn transaction_ended(&mut self, tag: LockTag, woken: &mut Vec<SessionNo>) {
        if let Some(lock) = self.locks.remove(&tag) {
            for (waiter, _) in &lock.queue {
                self.waits.remove(waiter);
                woken.push(*waiter);
            }
        }
    }

    /// Waits for a transaction. Its own lock on itself is added here when a session first waits for it.
    pub(crate) fn await_transaction(&mut self, session: SessionNo, tag: LockTag, holder: SessionNo) {
        let lock = self.locks.entry(tag).or_default();
        if lock.granted.is_empty() {
            lock.granted.push((holder, TableLockMode::Exclusive, 1));
        }
        lock.queue.push((session, TableLockMode::Share));
        self.waits.insert(session, tag);
    }

    /// The sessions that a waiter waits for: conflicting holders, and conflicting waiters ahead of it.
    pub(crate) fn blockers(&self, session: SessionNo, tag: LockTag) -> Vec<SessionNo> {
        let Some(lock) = self.locks.get(&tag) else { return Vec::new() };
        let Some(place) = lock.queue.iter().position(|(waiter, _)| *waiter == session) else {
            return Vec::new();
        };
        let mode = lock.queue[place].1;
        let holders =
            lock.granted.iter().filter(|(holder, held, _)| *holder != session && conflict(mode, *held));
        let ahead = lock.queue[..place].iter().filter(|(_, wanted)| conflict(mode, *wanted));
        let mut found: Vec<SessionNo> = holders.map(|(holder, _, _)| *holder).collect();
        found.extend(ahead.map(|(waiter, _)| *waiter));
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Grants the lock in queue order. No waiter passes one ahead of it whose mode conflicts.
    fn grant_queue(&mut self, tag: LockTag, woken: &mut Vec<SessionNo>) {
        let Some(lock) = self.locks.get_mut(&tag) else { return };
        let mut ahead = 0_u8;
        let mut index = 0;
        while index < lock.queue.len() {
            let (waiter, mode) = lock.queue[index];
            if CONFLICTS[mode as usize] & ahead == 0 && lock.is_free(waiter, mode) {
                lock.queue.remove(index);
                self.waits.remove(&waiter);
                let own =
                    lock.granted.iter_mut().find(|(holder, held, _)| *holder == waiter && *held == mode);
                match own {
                    Some((_, _, count)) => *count += 1,
                    None => lock.granted.push((waiter, mode, 1)),
                }
                woken.push(waiter);
            } else {
                ahead |= 1 << mode as u8;
                index += 1;
            }
        }
        let is_idle = lock.granted.is_empty() && lock.queue.is_empty();
        if is_idle && !matches!(tag, LockTag::Table(_)) {
            self.locks.remove(&tag);
        }
    }
}

impl Lock {
    /// Whether no other session holds a conflicting mode.
    fn is_free(&self, session: SessionNo, mode: TableLockMode) -> bool {
        self.granted.iter().all(|(holder, held, _)| *holder == session || !conflict(mode, *held))
    }

    /// Whether that session holds a mode that conflicts with this one.
    fn holds_against(&self, session: SessionNo, mode: TableLockMode) -> bool {
        self.granted.iter().any(|(holder, held, _)| *holder == session && conflict(mode, *held))
    }
}
