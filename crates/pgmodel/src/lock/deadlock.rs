//! Deadlock detection, run by a session that has waited for `deadlock_timeout`: looks for a cycle of waits through that
//! session. A cycle of holders is broken by an error in this session. A cycle through a queue position is broken by
//! reordering the queue if that helps (src/backend/storage/lmgr/README, "The Deadlock Detection Algorithm").
//!
//! Cycles that do not contain the session itself are not reported.

use std::collections::BTreeSet;

use retrial_pgmodel_sql::ast::TableLockMode;
use retrial_pgmodel_sql::stack;

use super::{LockTable, LockTag, SessionNo, conflict};

/// The result of deadlock detection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deadlock {
    /// No cycle.
    None,
    /// A cycle that only an error can break.
    Hard,
    /// Queues were reordered, and some locks may have been granted.
    Resolved,
}

/// A soft edge of a cycle: `waiter` is behind `blocker` in the queue of a lock.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Soft {
    tag: LockTag,
    waiter: SessionNo,
    blocker: SessionNo,
}

/// The queue order being tried: each waiter goes before its blocker.
type Constraints = Vec<Soft>;

impl LockTable {
    /// Looks for a cycle through `session`, and breaks it by reordering queues if possible.
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

    /// The constraints under which no cycle leads through `start`; `None` if there are none.
    fn solve(&self, start: SessionNo, constraints: &mut Constraints) -> Option<Constraints> {
        if tags(constraints).into_iter().any(|tag| self.reordered(tag, constraints).is_none()) {
            return None;
        }
        // Reordering must not close a cycle elsewhere, so all moved sessions are checked. The last cycle found is the
        // one to break, and `start` is checked last.
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

    /// Whether a cycle leads from `at` back to `start`. Its soft edges are added to `soft`.
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
                // Pushed while returning, so that the edge farthest from the session is tried first.
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
        // The path may go through every waiting session.
        seen.insert(next) && stack::grown(|| self.cycle(start, next, constraints, seen, soft))
    }

    /// The lock that a session waits for, and the requested mode.
    pub(crate) fn waits_for(&self, session: SessionNo) -> Option<(LockTag, TableLockMode)> {
        let tag = self.waits.get(&session)?;
        let place = self.locks.get(tag)?.queue.iter().find(|(waiter, _)| *waiter == session)?;
        Some((*tag, place.1))
    }

    /// The queue of a lock with each constrained waiter before its blocker, otherwise in the old order; `None` if the
    /// constraints contradict each other.
    fn reordered(&self, tag: LockTag, constraints: &Constraints) -> Option<Vec<(SessionNo, TableLockMode)>> {
        let mut left = self.locks.get(&tag)?.queue.clone();
        let here: Vec<_> = constraints.iter().filter(|soft| soft.tag == tag).collect();
        let mut ordered = Vec::with_capacity(left.len());
        // Built from the back: takes the last session that does not have to precede another remaining one.
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
