//! Every memory is there once in the end, or not at all, as the plugin's user was last told: what there was, and what
//! was stored or brought in since, stands unless it was deleted after that; what was deleted does not come back. A
//! delete or an import that nobody was told of may have been made or not.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::operation::{self, Operation};

use super::super::Workload;
use super::super::history::{MEMORIES, Rows};

pub(super) struct Invariant;

/// What a memory's user knows of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    There,
    Gone,
    Open,
}

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let rows = Rows::in_the_end(evidence.workload, run);
        let operations = operation::recorded(&run.trace, MEMORIES);
        let opened = 1..=evidence.workload.entries.len() as i64;
        let mut exercised = 0;
        for id in rows.ids() {
            let opened = if opened.contains(&id) { Known::There } else { Known::Gone };
            let of_id = operations.iter().filter(|operation| operation.row.integer() == Some(id));
            let known = of_id.fold(opened, known_after);
            let found = match (known, rows.count(id)) {
                (_, 2..) => {
                    Some((Anomaly::DuplicateEffect, "is there more than once, and nobody will tidy up"))
                }
                (Known::There, 0) => {
                    Some((Anomaly::LostAcknowledgement, "is gone, and nobody has deleted it"))
                }
                (Known::Gone, 1) => Some((Anomaly::StaleOverwrite, "was deleted, and is back")),
                _ => None,
            };
            if let Some((anomaly, what)) = found {
                let broken = Finding::broken(anomaly, format!("memory {id} {what}"));
                return broken.at(rows.changed(id)).on(MEMORIES, "id", Value::Integer(id));
            }
            exercised += u64::from(known != Known::Open && rows.was_written(id));
        }
        Finding::Holds { exercised }
    }
}

/// What is known after an operation, the next of its memory in the order in which they began.
fn known_after(known: Known, operation: &Operation) -> Known {
    let puts = operation.intends.iter().any(|intent| intent.column == "scope");
    match (operation.deletes, puts, operation.acknowledged) {
        (false, false, _) => known,
        (_, _, None) => Known::Open,
        (true, ..) => Known::Gone,
        (false, true, Some(_)) => Known::There,
    }
}
