//! A notification's previous status is the one persisted right before, in commit order. A notification without any
//! commit behind it is a phantom, which another invariant covers.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::history::Column;
use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let transitions: Vec<_> = history::transitions(run).collect();
        let mut exercised = 0;
        for told in history::notifications(run) {
            let mut previous = transitions
                .iter()
                .take_while(|write| write.event < told.event)
                .filter(|write| write.session == told.session && write.after(Column::Status) == told.next)
                .map(|write| write.before(Column::Status))
                .peekable();
            let Some(first) = previous.peek().copied() else { continue };
            if !previous.any(|previous| previous == told.previous) {
                let sentence = format!(
                    "{} was notified of a change from {} to {}, but in the database it changed from {first}",
                    told.session, told.previous, told.next
                );
                return Finding::broken(Anomaly::FalseReport, sentence)
                    .at(told.event)
                    .on("sink", "previous", None);
            }
            exercised += 1;
        }
        Finding::Holds { exercised }
    }
}
