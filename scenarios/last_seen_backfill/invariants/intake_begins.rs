//! Arriving messages are taken in eventually: intake does not wait for ever for a migration that does not end.
//!
//! Judged at the end of the trial: when everything is idle, or when a fair schedule has used up all its steps.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::sentence::counted;

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
                    "{} arrived and none was taken in, because intake waits for the migration to end, \
                     which it had not after {}",
                    counted(workload.arrivals.len(), "message"),
                    counted(history::batches(run).count(), "batch"),
                );
                Finding::broken(Anomaly::Livelock, sentence).on("transmissions", "last_seen", None)
            }
            _ => Finding::Holds { exercised: 1 },
        }
    }
}
