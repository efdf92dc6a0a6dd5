//! Where nothing fails, a listener hears of a status within a second of its commit.
//!
//! What a listener shows is a session that somebody looks at. A second is more than trials need (a relay that sends
//! eight notifications one after the other, each step delayed), and far less than the minute after which a relay looks
//! by itself. Judged in timed trials in which no fault struck; a status that is never notified, or
//! before its commit only, is another invariant's matter.
//!
//! No candidate breaks it. It was seen to fail when nobody told the relay that something waits for it, which is what
//! `cargo xtask mutate` does to the candidate that holds.

use std::time::Duration;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::history::{Column, Write};
use super::super::{Workload, history};

pub(super) struct Invariant;

const MOST: Duration = Duration::from_secs(1);

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        if !evidence.is_timed() || !run.strikes.is_empty() {
            return Finding::Holds { exercised: 0 };
        }
        let at = |event: usize| run.trace.events[event].at;
        let mut told: Vec<_> = history::notifications(run).collect();
        let mut exercised = 0;
        for write in history::transitions(run).filter(Write::is_by_consumer) {
            let (previous, next) = (write.before(Column::Status), write.after(Column::Status));
            let mine = told.iter().position(|told| {
                told.event > write.event
                    && (told.session, told.previous, told.next) == (write.session, previous, next)
            });
            let Some(mine) = mine.map(|mine| told.remove(mine)) else { continue };
            let late = at(mine.event).saturating_sub(at(write.event));
            if late > MOST {
                let what = format!("{} went from {previous} to {next}", write.session);
                let sentence =
                    format!("{what}, and the notification came {} ms after the commit", late.as_millis());
                return Finding::broken(Anomaly::Starvation, sentence)
                    .at(mine.event)
                    .on("sink", "next", None);
            }
            exercised += 1;
        }
        Finding::Holds { exercised }
    }
}
