//! Deadlock detection, run by a session that has waited for `deadlock_timeout`: it looks for a circle of waits that
//! leads back to itself. A circle of holders is broken by an error in the session that looked; one that goes through
//! a place in a queue is broken by moving somebody forward, where that helps
//! (src/backend/storage/lmgr/README, "The Deadlock Detection Algorithm").
//!
//! It must never report a circle that the session itself is not part of.

use std::collections::BTreeSet;

use super::{LockTable, LockTag, SessionNo, conflict};
use crate::ast::TableLockMode;
use crate::stack;

/// What a look at the waits found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deadlock {
    /// No circle.
    None,
    /// A circle that only an error breaks.
    Hard,
    /// Queues were put in another order, and some may have been granted.
    Resolved,
}

/// One wait in a circle: `waiter` stands behind `blocker` in the queue of a lock.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Soft {
    tag: LockTag,
    waiter: SessionNo,
    blocker: SessionNo,
}

/// Which order of queues is being tried: each waiter before its blocker.
type Constraints = Vec<Soft>;

impl LockTable {
    /// Looks for a circle through `session`, and breaks it if putting queues in another order does.
    pub(crate) fn check_deadlock(&mut self, session: SessionNo, woken: &mut Vec<SessionNo>) -> Deadlock {
        let Some(order) = self.solve(session, &mut Vec::new()) else { return Deadlock::Hard };
        if order.is_empty() {
            return Deadlock::None;
        }
        for tag in tags(&order) {
            if let Some(queue) = self.reordered(tag, &order) {
                self.locks.get_mut(&tag).expect("a queue that is reordered exists").queue = queue;
                self.grant_queue(tag, woken);
            }
        }
        Deadlock::Resolved
    }

    /// The constraints under which no circle leads through `start`; none if there are no such.
    fn solve(&self, start: SessionNo, constraints: &mut Constraints) -> Option<Constraints> {
        if tags(constraints).into_iter().any(|tag| self.reordered(tag, constraints).is_none()) {
            return None;
        }
        // Moving somebody forward must not close a circle elsewhere, so that all who were moved are looked at.
        // The last circle found is the one to break, and the session that looks is looked at last.
        let mut starts: Vec<_> = constraints.iter().flat_map(|soft| [soft.waiter, soft.blocker]).collect();
        starts.push(start);
        let mut soft_edges = Vec::new();
        for from in starts {
            let mut path = Vec::new();
            if self.cycle(from, from, constraints, &mut BTreeSet::from([from]), &mut path) {
                if path.is_empty() {
                    return None;
                }
                soft_edges = path;
            }
        }
        if soft_edges.is_empty() {
            return Some(constraints.clone());
        }
        for soft in soft_edges {
            constraints.push(soft);
            let solved = self.solve(start, constraints);
            constraints.pop();
            if solved.is_some() {
                return solved;
            }
        }
        None
    }

    /// Whether a circle leads from `at` back to `start`; its waits behind others in a queue are left in `soft`.
    fn cycle(
        &self,
        start: SessionNo,
        at: SessionNo,
        constraints: &Constraints,
        seen: &mut BTreeSet<SessionNo>,
        soft: &mut Vec<Soft>,
    ) -> bool {
        let Some((tag, mode)) = self.waits_for(at) else { return false };
        let lock = &self.locks[&tag];
        for (holder, held, _) in &lock.granted {
            if *holder != at && conflict(mode, *held) && self.leads(start, *holder, constraints, seen, soft) {
                return true;
            }
        }
        let reordered = if constraints.is_empty() { None } else { self.reordered(tag, constraints) };
        let queue = reordered.as_ref().unwrap_or(&lock.queue);
        for (waiter, wanted) in queue.iter().take_while(|(waiter, _)| *waiter != at) {
            if conflict(mode, *wanted) {
                // Entered on the way back: the wait that is farthest from the session is the first to be undone.
                if self.leads(start, *waiter, constraints, seen, soft) {
                    soft.push(Soft { tag, waiter: at, blocker: *waiter });
                    return true;
                }
            }
        }
        false
    }

    fn leads(
        &self,
        start: SessionNo,
        next: SessionNo,
        constraints: &Constraints,
        seen: &mut BTreeSet<SessionNo>,
        soft: &mut Vec<Soft>,
    ) -> bool {
        if next == start {
            return true;
        }
        // The way may lead through every session that waits.
        seen.insert(next) && stack::grown(|| self.cycle(start, next, constraints, seen, soft))
    }

    /// The lock that a session waits for, and how it wants it.
    pub(crate) fn waits_for(&self, session: SessionNo) -> Option<(LockTag, TableLockMode)> {
        let tag = self.waits.get(&session)?;
        let place = self.locks.get(tag)?.queue.iter().find(|(waiter, _)| *waiter == session)?;
        Some((*tag, place.1))
    }

    /// The queue of a lock with each constrained waiter before its blocker and else in the old order; none if the
    /// constraints contradict each other.
    fn reordered(&self, tag: LockTag, constraints: &Constraints) -> Option<Vec<(SessionNo, TableLockMode)>> {
        let mut left = self.locks.get(&tag)?.queue.clone();
        let here: Vec<_> = constraints.iter().filter(|soft| soft.tag == tag).collect();
        let mut ordered = Vec::with_capacity(left.len());
        // From the back: the last one that nobody still left must come after.
        while !left.is_empty() {
            let place = left.iter().rposition(|(session, _)| {
                let must_precede = |soft: &&Soft| {
                    soft.waiter == *session && left.iter().any(|(other, _)| *other == soft.blocker)
                };
                !here.iter().any(must_precede)
            })?;
            ordered.push(left.remove(place));
        }
        ordered.reverse();
        Some(ordered)
    }
}

fn tags(constraints: &Constraints) -> Vec<LockTag> {
    let mut tags: Vec<LockTag> = constraints.iter().map(|soft| soft.tag).collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}
