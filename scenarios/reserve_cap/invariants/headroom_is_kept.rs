//! An ordinary query never waits longer than a second for a connection, however many are reserved.
//!
//! Ordinary queries are those that have nothing to do with runs, and those that a worker needs to start and to end: its
//! transcript goes through the same pool. Durations are judged in timed trials only, endless waits in all trials.

use std::time::Duration;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trace::EventKind;

use super::super::{Workload, history};

pub(super) struct Invariant;

const MOST: Duration = Duration::from_secs(1);

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        // By actor: whether it has asked for a lock and has no answer yet.
        let mut asks = vec![false; run.trace.cast.len()];
        let mut exercised = 0;
        for (index, event) in run.trace.events.iter().enumerate() {
            let Some(asks) = asks.get_mut(usize::from(event.actor.0)) else { continue };
            match event.kind {
                EventKind::Annotated("acquire", ..) => *asks = true,
                EventKind::Annotated("answer", ..) | EventKind::Started(_) => *asks = false,
                EventKind::Ran(_) if !*asks => exercised += 1,
                EventKind::Resumed { waited, .. } if !*asks && evidence.is_timed() && waited > MOST => {
                    let name = run.trace.name(event.actor);
                    let sentence = format!(
                        "an ordinary query of {name} waited {} ms for a connection",
                        waited.as_millis()
                    );
                    return Finding::broken(Anomaly::Starvation, sentence).at(index);
                }
                _ => {}
            }
        }
        let stuck = history::stuck(run).iter().find(|actor| !asks[usize::from(actor.0)]);
        if let Some(actor) = stuck {
            let name = run.trace.name(*actor);
            let sentence = format!("an ordinary query of {name} waits for a connection for ever");
            return Finding::broken(Anomaly::Deadlock, sentence);
        }
        Finding::Holds { exercised }
    }
}
