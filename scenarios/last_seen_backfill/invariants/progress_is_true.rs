//! Reported progress never exceeds the total, does not fall while the process lives, is first shown after at most two
//! batches, and at `done` counts every row that this life of the process has changed. If a migration stores the last id
//! that it goes to, its total counts no row beyond that id. A migration that reports no progress is not judged.
//!
//! After a restart progress may start from 0 again, because the total is counted again, too.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::sentence::counted;
use retrial_sim::trace::EventKind;
use retrial_sim::trial::Run;
use std::collections::BTreeSet;

use super::super::migration::NAME;
use super::super::{Workload, history};

pub(super) struct Invariant;

/// How many batches may be committed before the first report: a report may follow its batch in a commit of its own, and
/// the next batch need not wait for it.
const UNSEEN: usize = 2;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let Evidence { workload, run, .. } = evidence;
        let most = rows_up_to_the_last(workload, run);
        // The last report since the process started, and the last values of the row.
        let (mut life, mut reported, mut before) = (0, None, None);
        let mut exercised = 0;
        for status in history::statuses(run).iter().filter(|status| status.reported) {
            let history::Status { event, processed, total, .. } = *status;
            if history::life_of(run, event) > life {
                (life, reported) = (history::life_of(run, event), None);
            }
            if processed > total {
                return false_report(event, format!("progress says {processed}, of a total of {total}"));
            }
            if let Some(reported) = reported.filter(|reported| processed < *reported) {
                return false_report(
                    event,
                    format!("progress fell from {reported} to {}", counted(processed, "row")),
                );
            }
            if let Some(most) = most.filter(|most| total > *most) {
                let sentence = format!(
                    "progress counts {} to do, but the migration goes only to {most}",
                    counted(total, "row")
                );
                return false_report(event, sentence);
            }
            if before != Some((processed, total)) {
                reported = Some(processed);
            }
            before = Some((processed, total));
            exercised += 1;
            if status.status != "done" || lost_a_report(run, life) {
                continue;
            }
            let changed = changed_in(run, life);
            if processed < changed {
                let sentence =
                    format!("progress ends at {}, but {changed} were changed", counted(processed, "row"));
                return false_report(event, sentence);
            }
        }
        if let Some((event, unseen)) = late_report(run) {
            let sentence = format!("{unseen} batches were committed before any progress was reported");
            return false_report(event, sentence);
        }
        Finding::Holds { exercised }
    }
}

/// How many rows the migration has changed in that life of the process.
fn changed_in(run: &Run, life: usize) -> i64 {
    let by_migration =
        history::seen(run).filter(|seen| seen.actor == "migration" && seen.old != Some(seen.new));
    let here = by_migration.filter(|seen| history::life_of(run, seen.event) == life);
    here.map(|seen| seen.id).collect::<BTreeSet<_>>().len() as i64
}

/// The first report that came late in a life of the process, with the number of batches committed before it.
fn late_report(run: &Run) -> Option<(usize, usize)> {
    history::lives(run).into_iter().find_map(|life| {
        let reports = |what: &EventKind| matches!(what, EventKind::Ran(ran) if ran.label == "progress");
        let first = life.iter().position(|(_, what)| reports(what))?;
        let fills = |what: &EventKind| match what {
            EventKind::Committed(changes) => {
                changes.iter().any(|change| change.table.name == "transmissions")
            }
            _ => false,
        };
        let unseen = life[..first].iter().filter(|(_, what)| fills(what)).count();
        (unseen > UNSEEN).then_some((life[first].0, unseen))
    })
}

/// Whether a report could not be written in that life of the process.
fn lost_a_report(run: &Run, life: usize) -> bool {
    history::lives(run)[life].iter().any(
        |(_, what)| matches!(what, EventKind::Ran(ran) if ran.label == "progress" && ran.result.is_err()),
    )
}

/// The number of rows up to the last id that the migration's cursor goes to, if it stores one. An arriving row has a
/// larger id than all initial rows.
fn rows_up_to_the_last(workload: &Workload, run: &Run) -> Option<i64> {
    let own = history::kept(run).filter(|(_, name, _)| *name == NAME);
    let last = own.filter_map(|(_, _, change)| change.value_after("max_id")?.integer()).last()?;
    let mut ids: BTreeSet<i64> = workload.transmissions.iter().map(|transmission| transmission.id).collect();
    ids.extend(history::seen(run).map(|seen| seen.id));
    Some(ids.range(..=last).count() as i64)
}

fn false_report(event: usize, sentence: String) -> Finding {
    Finding::broken(Anomaly::FalseReport, sentence).at(event).on("_async_migrations", "rows_processed", None)
}
