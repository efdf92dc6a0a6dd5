//! A tool takes the lock once for a batch, however many entries there are in it.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::Workload;
use super::super::history::{self, Hold};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let mut exercised = 0;
        for batch in history::batches(run) {
            let Some(ended) = batch.ended else { continue };
            let during = (batch.began..ended).map(|index| (index, &run.trace.events[index]));
            let taken = during.filter(|(_, event)| {
                event.actor == batch.tool && matches!(history::hold(event), Some(Hold::Taken(_)))
            });
            let taken: Vec<usize> = taken.map(|(index, _)| index).collect();
            if let [_, second, ..] = taken[..] {
                let (locks, entries) = (taken.len(), batch.entries.len());
                let sentence = format!("{locks} acquisitions of the lock for a batch of {entries}");
                return Finding::broken(Anomaly::UnboundedWork, sentence).at(second);
            }
            exercised += u64::from(batch.entries.len() > 1);
        }
        Finding::Holds { exercised }
    }
}
