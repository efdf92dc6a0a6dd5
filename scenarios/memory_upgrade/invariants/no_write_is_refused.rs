//! If no process crashes or stalls, every write of the tool and the plugin gets through eventually: none is given up
//! for lack of the lock.
//!
//! Writers wait for a lock that is held. A writer whose attempts are exhausted has its write refused; a plugin then
//! logs an error and drops the write. Judged in timed trials only, as durations are.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trace::EventKind;

use super::super::Workload;
use super::super::history::{self, Hold};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        if !evidence.is_timed() || history::anybody_was_hit(run) {
            return Finding::Holds { exercised: 0 };
        }
        let (mut exercised, mut asks_itself) = (0, false);
        for (index, event) in run.trace.events.iter().enumerate() {
            let name = run.trace.name(event.actor);
            asks_itself |= matches!(history::hold(event), Some(Hold::Tried { own: true }));
            let found = match &event.kind {
                EventKind::Resumed { timed_out: true, .. } => {
                    let anomaly = if asks_itself { Anomaly::Deadlock } else { Anomaly::Starvation };
                    Some((anomaly, format!("{name} gives up its write: the lock was held at every attempt")))
                }
                EventKind::Requested(request) if request.label == "remove-lock-file" => Some((
                    Anomaly::Starvation,
                    format!("{name}'s write fails with ENOENT: it has removed the lock file that it needs"),
                )),
                EventKind::Annotated("refused", number, _) => {
                    Some((Anomaly::Starvation, format!("{name}'s errand {number} is given up")))
                }
                _ => None,
            };
            if let Some((anomaly, sentence)) = found {
                return Finding::broken(anomaly, sentence).at(index);
            }
            exercised += u64::from(matches!(event.kind, EventKind::Committed(_)));
        }
        Finding::Holds { exercised }
    }
}
