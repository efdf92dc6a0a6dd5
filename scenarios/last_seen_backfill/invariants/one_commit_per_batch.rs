//! The writer lock is taken once per batch: between two batches of one run the migration lets go of it only once.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trace::What;

use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let mut exercised = 0;
        for life in history::lives(evidence.run) {
            let mut taken = None;
            for (event, what) in life {
                match (what, &mut taken) {
                    (What::Ran(ran), before) if ran.label == "batch" => {
                        if let Some(times @ 2..) = *before {
                            let sentence = format!("the writer lock was taken {times} times for one batch");
                            return Finding::broken(Anomaly::TornWrite, sentence).at(event);
                        }
                        exercised += u64::from(before.is_some());
                        *before = Some(0);
                    }
                    (What::Released(_), Some(times)) => *times += 1,
                    _ => {}
                }
            }
        }
        Finding::Holds { exercised }
    }
}
