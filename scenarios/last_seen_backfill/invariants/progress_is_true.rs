//! Reported progress never exceeds the total, never falls, and ends at the number of rows that the migration really
//! changed. A migration that reports nothing says nothing false.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use std::collections::BTreeSet;

use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let mut reported = 0;
        let mut exercised = 0;
        for status in history::statuses(run).iter().filter(|status| status.reported) {
            let history::Status { event, processed, total, .. } = *status;
            if processed > total {
                let sentence = format!("progress says {processed} of {total} rows");
                return false_report(event, sentence);
            }
            if processed < reported {
                return false_report(event, format!("progress fell from {reported} to {processed} rows"));
            }
            reported = processed;
            exercised += 1;
            if status.status == "done" {
                let by_migration = history::seen(run).filter(|seen| seen.actor == "migration");
                let changed = by_migration.filter(|seen| seen.old != Some(seen.new)).map(|seen| seen.id);
                let done = changed.collect::<BTreeSet<_>>().len() as i64;
                if processed != done {
                    let sentence = format!("progress ends at {processed} rows, and {done} were changed");
                    return false_report(event, sentence);
                }
            }
        }
        Finding::Holds { exercised }
    }
}

fn false_report(event: usize, sentence: String) -> Finding {
    Finding::broken(Anomaly::FalseReport, sentence).at(event).on("_async_migrations", "rows_processed", None)
}
