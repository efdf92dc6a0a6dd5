//! Once its process has been asked to stop, the migration fills at most one more batch: the current one.
//!
//! No strategy violates it: each checks for the request at least once per batch. It fails when the check is removed,
//! which is what `cargo xtask mutate` does to the strategy that violates nothing.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::fault::Fault;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trace::EventKind;

use super::super::Workload;

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let trace = &evidence.run.trace;
        let mut exercised = 0;
        // The number of batches since the request; `None` before it.
        let mut since = None;
        for (index, event) in trace.events.iter().enumerate() {
            if trace.process(event.actor) != "server" {
                continue;
            }
            match (&event.kind, &mut since) {
                (EventKind::Injected(Fault::Shutdown), None) => since = Some(0),
                (EventKind::Started(_), _) => since = None,
                (EventKind::Ran(ran), Some(batches)) if ran.label == "batch" => {
                    *batches += 1;
                    if *batches > 1 {
                        let sentence =
                            format!("the process was asked to stop, and {batches} batches followed");
                        return Finding::broken(Anomaly::Omission, sentence).at(index);
                    }
                    exercised += 1;
                }
                _ => {}
            }
        }
        Finding::Holds { exercised }
    }
}
