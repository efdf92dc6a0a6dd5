//! A run that asks for a conversation's lock gets an answer within a second, possibly a refusal.
//!
//! A second is far more than the statements for an answer take, even if each is delayed and queues behind ordinary
//! queries; and far less than a worker's life, for which a run waits that waits for the worker's connection. Durations
//! are judged in timed trials only, endless waits in all trials.

use std::time::Duration;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::history::{Fact, Gauge};
use super::super::{Workload, history};

pub(super) struct Invariant;

const MOST: Duration = Duration::from_secs(1);

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let mut gauge = Gauge::default();
        // By actor: the run that waits for its answer, and since when.
        let mut asked = vec![None; run.trace.cast.len()];
        let mut exercised = 0;
        for (index, event) in run.trace.events.iter().enumerate() {
            let Some(fact) = gauge.take(event) else { continue };
            let Some(place) = asked.get_mut(usize::from(event.actor.0)) else { continue };
            match fact {
                Fact::Asks { run, .. } => *place = Some((run, event.at)),
                Fact::Answered { run, .. } => {
                    let waited = place.take().map_or(Duration::ZERO, |(_, since)| event.at - since);
                    if evidence.is_timed() && waited > MOST {
                        let sentence = format!(
                            "run {run} waited {} ms for an answer, in the pool's queue",
                            waited.as_millis()
                        );
                        return Finding::broken(Anomaly::Starvation, sentence).at(index);
                    }
                    exercised += 1;
                }
                _ => {}
            }
        }
        let stuck = history::stuck(run).iter().find_map(|actor| asked[usize::from(actor.0)]);
        if let Some((number, _)) = stuck {
            let sentence = format!("run {number} waits for a connection for ever, and is not refused");
            return Finding::broken(Anomaly::Deadlock, sentence);
        }
        Finding::Holds { exercised }
    }
}
