//! Once everything is at rest, every committed change of a status has been notified at least once.

use std::collections::BTreeMap;

use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trial::Ending;

use super::super::history::Column;
use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        if run.ending != Ending::Quiescent {
            return Finding::Holds { exercised: 0 };
        }
        let mut told: BTreeMap<_, u32> = BTreeMap::new();
        for notification in history::notifications(run) {
            *told.entry((notification.session, notification.previous, notification.next)).or_default() += 1;
        }
        let mut exercised = 0;
        for write in history::transitions(run) {
            let (previous, next) = (write.before(Column::Status), write.after(Column::Status));
            // Two transitions that look alike need two notifications.
            match told.get_mut(&(write.session, previous, next)) {
                Some(left) if *left > 0 => *left -= 1,
                _ => {
                    let sentence = format!(
                        "{} went from {previous} to {next}, and nobody was ever notified",
                        write.session
                    );
                    return Finding::broken_at(write.event, sentence);
                }
            }
            exercised += 1;
        }
        Finding::Holds { exercised }
    }
}
