//! Reported progress never exceeds the total, never falls, and ends at the number of rows that the migration really
//! changed; and where a migration has written down the last id that it goes to, its total counts no row beyond it. A
//! migration that reports nothing says nothing false.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trial::Run;
use std::collections::BTreeSet;

use super::super::migration::NAME;
use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let mut reported = 0;
        let most = rows_up_to_the_last(run);
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
            if let Some(most) = most.filter(|most| total > *most) {
                let sentence = format!(
                    "progress says that there are {total} rows to do, and the migration goes to {most} only"
                );
                return false_report(event, sentence);
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

/// How many rows lie up to the id that the migration's cursor goes to, if it keeps one. A row that arrives has an id of
/// its own beyond all that were there, and none ever goes.
fn rows_up_to_the_last(run: &Run) -> Option<i64> {
    let own = history::kept(run).filter(|(_, name, _)| *name == NAME);
    let last = own.filter_map(|(_, _, change)| change.value_after("max_id")?.integer()).last()?;
    let rows = run.rows("transmissions").iter().filter(|row| row[0].integer().is_some_and(|id| id <= last));
    Some(rows.count() as i64)
}

fn false_report(event: usize, sentence: String) -> Finding {
    Finding::broken(Anomaly::FalseReport, sentence).at(event).on("_async_migrations", "rows_processed", None)
}
