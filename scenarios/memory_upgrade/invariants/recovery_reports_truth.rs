//! The tool's report matches what it did. An entry that is reported upgraded carries the marker, or carried it at some
//! time since the scan; an entry that is reported failed carries none. And every entry is reported.
//!
//! What another process has written to an entry since the scan, or its deletion, does not count against the report.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::{Row, RowChange, Value};
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trace::EventKind;
use retrial_sim::trial::Run;

use super::super::Workload;
use super::super::history::{self, Batch, Column, MEMORIES, Rows};

pub(super) struct Invariant;

/// What was committed to an entry between the scan and the report.
#[derive(Default)]
struct Meanwhile {
    /// It carried a marker for a while, whichever process wrote it.
    upgraded: bool,
    /// Another process has written or deleted it.
    disputed: bool,
}

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let mut exercised = 0;
        for batch in history::batches(run) {
            let Some(ended) = batch.ended else { continue };
            let rows = Rows::before(evidence.workload, run, ended);
            for id in &batch.entries {
                let Meanwhile { upgraded, disputed } = meanwhile(run, &batch, ended, *id);
                let stands = rows.newest(*id).is_some_and(is_marked);
                let says = match batch.failed.contains(id) {
                    true if stands && !disputed => Some("failed, but is upgraded"),
                    false if !stands && (!upgraded || !disputed) => Some("upgraded, but is not"),
                    _ => None,
                };
                if let Some(says) = says {
                    let sentence = format!("memory {id} is reported {says}");
                    return Finding::broken(Anomaly::FalseReport, sentence).at(ended);
                }
                exercised += u64::from(!disputed);
            }
            let (told, entries) = (batch.success + batch.failed.len() as i64, batch.entries.len());
            if told != entries as i64 {
                let sentence = format!("the report accounts for {told} entries of {entries}");
                return Finding::broken(Anomaly::FalseReport, sentence).at(ended);
            }
        }
        Finding::Holds { exercised }
    }
}

fn is_marked(row: &Row) -> bool {
    *Column::UpgradedAt.of(row) != Value::Null
}

fn meanwhile(run: &Run, batch: &Batch, ended: usize, id: i64) -> Meanwhile {
    // The batch's scan may be older than the batch.
    let scan = run.trace.events[..batch.began].iter().rposition(|event| {
        event.actor == batch.tool && history::request(event).is_some_and(|it| it.label == "scan")
    });
    let is_meant = |row: &&Row| row[0].integer() == Some(id);
    let marks = |change: &RowChange| change.after.as_ref().filter(is_meant).is_some_and(is_marked);
    let touches = |change: &RowChange| change.after.iter().chain(&change.before).any(|row| is_meant(&row));
    let mut meanwhile = Meanwhile::default();
    for event in &run.trace.events[scan.unwrap_or_default()..ended] {
        let EventKind::Committed(changes) = &event.kind else { continue };
        for change in changes.iter().filter(|change| change.table.name == MEMORIES) {
            meanwhile.upgraded |= marks(change);
            meanwhile.disputed |= event.actor != batch.tool && touches(change);
        }
    }
    meanwhile
}
