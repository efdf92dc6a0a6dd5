//! No row's `last_seen` ever decreases, and none gets a time at which the transmission was not observed.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use std::collections::BTreeMap;

use retrial_sim::engine::Value;

use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let Evidence { workload, run, .. } = evidence;
        let mut observed: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for transmission in &workload.transmissions {
            observed.insert(transmission.id, transmission.observations.clone());
        }
        for (_, _, change) in run.trace.changes("observations") {
            let number = |column| change.value_after(column).and_then(Value::integer);
            if let (Some(id), Some(timestamp)) = (number("transmission_id"), number("timestamp")) {
                observed.entry(id).or_default().push(timestamp);
            }
        }
        let mut exercised = 0;
        for seen in history::seen(run) {
            let history::Seen { event, actor, id, old, new } = seen;
            let Some(old) = old.filter(|old| *old != new) else { continue };
            if new < old {
                let sentence = format!("{actor} lowered last_seen of transmission {id} from {old} to {new}");
                return Finding::broken(Anomaly::StaleOverwrite, sentence).at(event).on(
                    "transmissions",
                    "last_seen",
                    Value::Integer(id),
                );
            }
            if !observed.get(&id).is_some_and(|times| times.contains(&new)) {
                let sentence =
                    format!("{actor} gave transmission {id} the time {new}, at which it was not observed");
                return Finding::broken(Anomaly::StaleOverwrite, sentence).at(event).on(
                    "transmissions",
                    "last_seen",
                    Value::Integer(id),
                );
            }
            exercised += 1;
        }
        Finding::Holds { exercised }
    }
}
