//! Where nobody has died or stood still, every write of the tool and the plugin is let through in the end: none is
//! given up for want of a lock.
//!
//! A lock that is held is waited for; who has waited to the end of its attempts has its write refused, and a plugin
//! whose write is refused logs an error and forgets it. Judged where durations are: in timed trials only.

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
                EventKind::Exchanged(exchange) if exchange.label == "remove-lock-file" => Some((
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
