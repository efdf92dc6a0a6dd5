//! If two processes have the lock at the same time, or one continues after its lock was taken over, neither changes a
//! memory that another process has changed since it last read it.
//!
//! That two processes have the lock for a while shows in no row, and cannot be prevented without a common clock, so it
//! is not checked. What is checked: the late process has no effect. A user who deletes or imports a memory intends that
//! whatever the store holds by then.

use std::collections::BTreeMap;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::checks::operation;
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::point::ActorId;
use retrial_sim::trace::EventKind;

use super::super::Workload;
use super::super::history::{self, Hold, MEMORIES};

pub(super) struct Invariant;

/// The labels of reads whose result is used for a write; `backup` and `check` are not.
const LOOKS: [&str; 6] = ["scan", "read", "look", "query", "reread", "recall"];

/// The processes that believe they have the lock.
#[derive(Default)]
struct Holders {
    holds: Vec<(ActorId, i64)>,
    last: i64,
}

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let mut holders = Holders::default();
        // For each actor its last read of the store; for each memory its last change: the event, the actor, the row's
        // version.
        let mut looked = vec![0; run.trace.cast.len()];
        let mut changed: BTreeMap<i64, (usize, ActorId, i64)> = BTreeMap::new();
        let (mut is_meant, mut exercised, mut commits) = (false, 0, Vec::new());
        for (index, event) in run.trace.events.iter().enumerate() {
            holders.take(event.actor, history::hold(event), &event.kind);
            if let Some(request) = history::request(event)
                && request.part == MEMORIES
            {
                // A commit is the event right after the request that makes it.
                is_meant = matches!(request.label, "forget" | "store" | "import");
                if LOOKS.contains(&request.label) {
                    let seen = operation::seen_at(request, &commits).unwrap_or(index);
                    looked[usize::from(event.actor.0)] = seen;
                }
            }
            let EventKind::Committed(changes) = &event.kind else { continue };
            if changes.iter().any(|change| change.table.name == MEMORIES) {
                commits.push(index);
            }
            for change in changes.iter().filter(|change| change.table.name == MEMORIES) {
                let row = change.after.as_ref().or(change.before.as_ref());
                let Some([id, version, ..]) = row.map(|row| &row[..]) else { continue };
                let (Some(id), Some(version)) = (id.integer(), version.integer()) else { continue };
                let last = changed.get(&id).copied();
                // A row beside a newer one of its memory is no longer read.
                if last.is_some_and(|(.., newest)| version < newest) {
                    continue;
                }
                if let Some((when, who, _)) = last
                    && holders.is_in_doubt(event.actor)
                    && who != event.actor
                    && !is_meant
                {
                    if when > looked[usize::from(event.actor.0)] {
                        let (name, other) = (run.trace.name(event.actor), run.trace.name(who));
                        let sentence = format!(
                            "{name} writes memory {id} over a change by {other} that it has not seen, and \
                             its lock is not exclusive"
                        );
                        let broken = Finding::broken(Anomaly::LostUpdate, sentence).at(index);
                        return broken.on(MEMORIES, "version", Value::Integer(id));
                    }
                    exercised += 1;
                }
                changed.insert(id, (index, event.actor, version));
            }
        }
        Finding::Holds { exercised }
    }
}

impl Holders {
    fn take(&mut self, actor: ActorId, hold: Option<Hold>, what: &EventKind) {
        match hold {
            Some(Hold::Taken(token)) => {
                self.holds.push((actor, token));
                self.last = self.last.max(token);
            }
            Some(Hold::Released(token)) => self.holds.retain(|(_, held)| *held != token),
            Some(Hold::Tried { .. }) | None => {}
        }
        if matches!(what, EventKind::Crashed) {
            self.holds.retain(|(holder, _)| *holder != actor);
        }
    }

    /// Whether the actor believes that it has the lock, and another actor does too or has acquired it since.
    fn is_in_doubt(&self, actor: ActorId) -> bool {
        let own = self.holds.iter().filter(|(holder, _)| *holder == actor).map(|(_, token)| *token).max();
        own.is_some_and(|own| own < self.last || self.holds.len() > 1)
    }
}
