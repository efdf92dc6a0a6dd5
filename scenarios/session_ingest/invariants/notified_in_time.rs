//! Listeners are notified of a status within a second of its commit if no fault is injected, and within four minutes
//! otherwise.
//!
//! A listener displays the session to a user. One second is more than trials need (a relay that sends eight
//! notifications one after another, each step delayed), and far less than the minute after which a relay polls by
//! itself. Four minutes cover two such polls, a relay that stalls for a minute, and its pauses. Judged in timed trials;
//! a status that is never notified, or only before its commit, is left to another invariant.
//!
//! Only `intake_snapshot` violates it, and rarely. It also fails when the relay is not notified of a new row, as in a
//! mutant by `cargo xtask mutate` of the strategy that holds.

use std::time::Duration;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::history::{Column, Write};
use super::super::{Workload, history};

pub(super) struct Invariant;

const MOST: Duration = Duration::from_secs(1);

const MOST_AFTER_A_FAULT: Duration = Duration::from_mins(4);

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        if !evidence.is_timed() {
            return Finding::Holds { exercised: 0 };
        }
        let most = if run.injected.is_empty() { MOST } else { MOST_AFTER_A_FAULT };
        let at = |event: usize| run.trace.events[event].at;
        let mut open: Vec<_> = history::transitions(run).filter(Write::is_by_consumer).collect();
        let mut exercised = 0;
        for told in history::notifications(run) {
            // Of identical transitions the last is taken as the notified one.
            let mine = open.iter().rposition(|write| {
                let (previous, next) = (write.before(Column::Status), write.after(Column::Status));
                told.event > write.event
                    && (told.session, told.previous, told.next) == (write.session, previous, next)
            });
            let Some(write) = mine.map(|mine| open.remove(mine)) else { continue };
            let late = at(told.event).saturating_sub(at(write.event));
            if late > most {
                let what = format!("{} went from {} to {}", told.session, told.previous, told.next);
                let sentence =
                    format!("{what}, and the notification came {} ms after the commit", late.as_millis());
                return Finding::broken(Anomaly::Starvation, sentence)
                    .at(told.event)
                    .on("sink", "next", None);
            }
            exercised += 1;
        }
        Finding::Holds { exercised }
    }
}
