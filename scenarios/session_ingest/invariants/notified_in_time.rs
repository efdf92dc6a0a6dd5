//! A listener hears of a status within a second of its commit where nothing fails, and within four minutes otherwise.
//!
//! What a listener shows is a session that somebody looks at. A second is more than trials need (a relay that sends
//! eight notifications one after the other, each step delayed), and far less than the minute after which a relay looks
//! by itself. Four minutes are two such looks, a relay that stands still for a minute, and its pauses. Judged in timed
//! trials; a status that is never notified, or before its commit only, is another invariant's matter.
//!
//! No strategy breaks it. It was seen to fail when nobody told the relay that something waits for it, which is what
//! `cargo xtask mutate` does to the strategy that holds.

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
            // Of transitions that look alike the last is taken for the one that it tells of.
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
