//! What arrives is taken in some time: nobody waits for ever for a migration that does not end.
//!
//! Judged when everything is at rest, or when a fair schedule has been given all the steps that it may have.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let Evidence { workload, run, .. } = evidence;
        if workload.arrivals.is_empty() {
            return Finding::Holds { exercised: 0 };
        }
        let taken_in = run.trace.statements("ingestor").filter(|(_, statement)| statement.label == "observe");
        match taken_in.count() {
            0 => {
                let sentence = format!(
                    "{} messages arrived and not one was taken in, because intake waits for the migration to end, \
                     which it had not after {} batches",
                    workload.arrivals.len(),
                    history::batches(run).count(),
                );
                Finding::broken(Anomaly::Livelock, sentence).on("transmissions", "last_seen", None)
            }
            _ => Finding::Holds { exercised: 1 },
        }
    }
}
