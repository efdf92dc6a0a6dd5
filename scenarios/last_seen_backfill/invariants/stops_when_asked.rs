//! Once its process has been asked to stop, the migration fills one more batch at the most: the one that it was at.
//!
//! No candidate breaks it: each asks at least once a batch. It was seen to fail when nobody asked any more, which is
//! what `cargo xtask mutate` does to the candidate that holds.

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
        // The batches since the request; none before it.
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
                            format!("the process was asked to stop, and {batches} batches came after that");
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
