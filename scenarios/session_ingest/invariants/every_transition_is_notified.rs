//! Once everything has finished, every status that a consumer committed has been notified at least once after its
//! commit. Status changes by the API writer are not covered.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trial::Ending;

use super::super::history::{Column, TABLE};
use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        if run.ending != Ending::Quiescent {
            return Finding::Holds { exercised: 0 };
        }
        let mut told: Vec<_> = history::notifications(run).collect();
        let mut exercised = 0;
        for write in history::transitions(run).filter(history::Write::is_by_consumer) {
            let (previous, next) = (write.before(Column::Status), write.after(Column::Status));
            // Two identical transitions need two notifications, each after its own commit.
            let mine = told.iter().position(|told| {
                told.event > write.event
                    && (told.session, told.previous, told.next) == (write.session, previous, next)
            });
            let Some(mine) = mine else {
                let what = format!("{} went from {previous} to {next}", write.session);
                let sentence = format!("{what}, and no notification was sent afterwards");
                let broken = Finding::broken(Anomaly::Omission, sentence).at(write.event);
                return broken.on(TABLE, "status", Value::from(write.session));
            };
            told.remove(mine);
            exercised += 1;
        }
        Finding::Holds { exercised }
    }
}
