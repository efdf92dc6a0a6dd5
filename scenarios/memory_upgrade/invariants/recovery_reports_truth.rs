//! What the tool says of a batch is what the store has of it: as many entries carry the marker by then as it calls
//! upgraded, and none of those that it calls failed does.
//!
//! An entry that somebody else has written to, or deleted, since the batch began is not held against the report.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::{Row, Value};
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trace::What;
use retrial_sim::trial::Run;

use super::super::Workload;
use super::super::history::{self, Batch, Column, MEMORIES, Rows};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let mut exercised = 0;
        for batch in history::batches(run) {
            let Some(ended) = batch.ended else { continue };
            if is_disputed(run, &batch, ended) {
                continue;
            }
            let rows = Rows::before(evidence.workload, run, ended);
            let is_upgraded =
                |id: &&i64| rows.newest(**id).is_some_and(|row| *Column::UpgradedAt.of(row) != Value::Null);
            let upgraded = batch.entries.iter().filter(is_upgraded).count() as i64;
            if let Some(id) = batch.failed.iter().find(is_upgraded) {
                let sentence = format!("memory {id} is reported failed, and is upgraded");
                let broken = Finding::broken(Anomaly::FalseReport, sentence);
                return broken.at(ended);
            }
            if upgraded != batch.success {
                let success = batch.success;
                let sentence =
                    format!("{success} are reported upgraded, and {upgraded} of {} are", batch.entries.len());
                return Finding::broken(Anomaly::FalseReport, sentence).at(ended);
            }
            exercised += 1;
        }
        Finding::Holds { exercised }
    }
}

/// Whether anybody but the batch's tool has written to one of its entries since the batch began.
fn is_disputed(run: &Run, batch: &Batch, ended: usize) -> bool {
    // The scan that the batch is from may be older than the batch.
    let scan = run.trace.events[..batch.began].iter().rposition(|event| {
        event.actor == batch.tool && history::exchange(event).is_some_and(|it| it.label == "scan")
    });
    let is_meant = |row: &Row| row[0].integer().is_some_and(|id| batch.entries.contains(&id));
    run.trace.events[scan.unwrap_or_default()..ended].iter().any(|event| match &event.what {
        What::Committed(changes) if event.actor != batch.tool => changes.iter().any(|change| {
            change.table.name == MEMORIES && change.after.iter().chain(&change.before).any(is_meant)
        }),
        _ => false,
    })
}
