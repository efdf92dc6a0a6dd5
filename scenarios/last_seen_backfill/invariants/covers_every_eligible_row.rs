//! Once the status is `done`, every initial row that has observations and was not pruned has the latest of them in
//! `last_seen`, or a later time from the hot path.

use super::super::{Workload, history};
use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let Evidence { workload, run, .. } = evidence;
        if history::statuses(run).last().is_none_or(|last| last.status != "done") {
            return Finding::Holds { exercised: 0 };
        }
        let mut exercised = 0;
        for transmission in &workload.transmissions {
            let Some(latest) = transmission.observations.iter().max() else { continue };
            let found = history::final_last_seen(run, transmission.id);
            if found.is_none() && transmission.first_seen() < workload.old_before {
                continue;
            }
            if found.is_none_or(|found| found < *latest) {
                let sentence = format!(
                    "the status is done, but transmission {} has last_seen {} although it was observed at {latest}",
                    transmission.id,
                    found.unwrap_or_default(),
                );
                let row = Value::Integer(transmission.id);
                return Finding::broken(Anomaly::Omission, sentence).on("transmissions", "last_seen", row);
            }
            exercised += u64::from(transmission.last_seen == 0);
        }
        Finding::Holds { exercised }
    }
}
