//! No notification reports a status that had not been committed by then.

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
            let mut earlier = transitions.iter().take_while(|write| write.event < told.event);
            if !earlier.any(|write| write.session == told.session && write.after(Column::Status) == told.next)
            {
                let sentence = format!(
                    "{} was notified as {}, which had not been committed by then",
                    told.session, told.next
                );
                return Finding::broken(Anomaly::PhantomEffect, sentence)
                    .at(told.event)
                    .on("sink", "next", None);
            }
            exercised += 1;
        }
        Finding::Holds { exercised }
    }
}
