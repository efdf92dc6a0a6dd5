//! The plugin waits for the lock for at most ten seconds, if no process crashes or stalls.
//!
//! That is three refusals in a row, after pauses of one, two and four seconds; the fourth would make it fifteen. A lock
//! that is held for the milliseconds of a write is rarely met that often by chance; one that is held during a model
//! call blocks every other writer. Durations are judged in timed trials only, and so is giving up.

use std::time::Duration;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trace::EventKind;

use super::super::{Workload, history};

pub(super) struct Invariant;

const MOST: Duration = Duration::from_secs(10);

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        if !evidence.is_timed() || history::anybody_was_hit(run) {
            return Finding::Holds { exercised: 0 };
        }
        let mut exercised = 0;
        for (index, event) in run.trace.events.iter().enumerate() {
            if !history::is_plugin(run, event.actor) {
                continue;
            }
            match event.kind {
                EventKind::Resumed { waited, timed_out } if waited > MOST => {
                    let end = if timed_out { "and gave up" } else { "and got it then" };
                    let sentence = format!(
                        "{} waited {} ms for the file lock, {end}",
                        run.trace.name(event.actor),
                        waited.as_millis()
                    );
                    let began = run.trace.events[..index].iter().rposition(|earlier| {
                        earlier.actor == event.actor && matches!(earlier.kind, EventKind::Waits { .. })
                    });
                    return Finding::broken(Anomaly::Starvation, sentence).at(began.unwrap_or(index));
                }
                _ => exercised += u64::from(matches!(history::hold(event), Some(history::Hold::Taken(_)))),
            }
        }
        Finding::Holds { exercised }
    }
}
