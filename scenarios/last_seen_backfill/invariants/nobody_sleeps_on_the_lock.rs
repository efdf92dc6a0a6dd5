//! No actor sleeps while it holds the writer lock: a pause is there to let others write.
//!
//! No strategy violates it: each pauses after its commit. It fails when the pause is moved before the commit, which is
//! what `cargo xtask mutate` does to the strategy that violates nothing.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trace::EventKind;

use super::super::Workload;

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let trace = &evidence.run.trace;
        let mut exercised = 0;
        for (index, event) in trace.events.iter().enumerate() {
            let EventKind::Released(held) = event.kind else { continue };
            let since = event.at - held;
            let meanwhile = trace.events[..index].iter().rev().take_while(|earlier| earlier.at > since);
            let mut own = meanwhile.filter(|earlier| earlier.actor == event.actor);
            if let Some(EventKind::Sleeps(label, time)) =
                own.find(|earlier| matches!(earlier.kind, EventKind::Sleeps(..))).map(|earlier| &earlier.kind)
            {
                let (name, time) = (trace.name(event.actor), time.as_millis());
                let sentence = format!("{name} slept {time} ms (`{label}`) while it held the writer lock");
                return Finding::broken(Anomaly::LongLockHold, sentence).at(index);
            }
            exercised += 1;
        }
        Finding::Holds { exercised }
    }
}
