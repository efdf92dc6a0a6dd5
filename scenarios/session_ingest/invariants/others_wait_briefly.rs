//! No actor waits longer than 100 ms for a session's row that one of the queue's writers has locked.
//!
//! Pull request 4322 measured it: 1,440 waits for that row in a week, the longest of 110 seconds. A user of the API
//! does not notice 100 ms, and it is three times what six round trips of two milliseconds take with every one delayed.
//! A wait that began behind another lock holder, or behind several, is not counted. Judged in timed trials only.

use std::collections::BTreeMap;
use std::time::Duration;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trace::EventKind;

use super::super::{Workload, history};

pub(super) struct Invariant;

const MOST: Duration = Duration::from_millis(100);

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let trace = &evidence.run.trace;
        if !evidence.is_timed() {
            return Finding::Holds { exercised: 0 };
        }
        let mut behind = BTreeMap::new();
        let mut exercised = 0;
        for (index, event) in trace.events.iter().enumerate() {
            match &event.kind {
                EventKind::Waits { holders, .. } => {
                    behind.insert(event.actor, (index, holders.clone()));
                }
                EventKind::Resumed { waited, .. } => {
                    let Some((wait, holders)) = behind.remove(&event.actor) else { continue };
                    let [holder] = &holders[..] else { continue };
                    if !history::is_consumer(trace.name(*holder)) {
                        continue;
                    }
                    exercised += 1;
                    if *waited > MOST {
                        let (who, whom) = (trace.name(event.actor), trace.name(*holder));
                        let sentence =
                            format!("{who} waited {} ms for a row that {whom} held", waited.as_millis());
                        return Finding::broken(Anomaly::Starvation, sentence).at(wait);
                    }
                }
                _ => {}
            }
        }
        Finding::Holds { exercised }
    }
}
