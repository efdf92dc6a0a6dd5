//! No process asks for the lock while it has it.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::Workload;
use super::super::history::{self, Hold};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let mut exercised = 0;
        for (index, event) in run.trace.events.iter().enumerate() {
            match history::hold(event) {
                Some(Hold::Tried { own: true }) => {
                    let name = run.trace.name(event.actor);
                    let sentence =
                        format!("{name} asks for the lock that it has itself, and will not get it");
                    return Finding::broken(Anomaly::Deadlock, sentence).at(index);
                }
                Some(Hold::Taken(_)) => exercised += 1,
                _ => {}
            }
        }
        Finding::Holds { exercised }
    }
}
