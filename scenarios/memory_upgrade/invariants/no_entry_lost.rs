//! No memory is out of sight, or exists twice, for longer than a second, which a search in between would show. Memories
//! that are deleted or moved are exempt. A delete and an add take milliseconds; a process that deletes, waits for
//! something, and adds takes longer. Judged in timed trials only.
//!
//! And in the end every memory exists once or not at all, as last acknowledged to the plugin's user. A memory that
//! existed at first, or was stored or imported since, exists unless it was deleted after that; a deleted memory does
//! not come back. An unacknowledged delete or import may have been made or not.

use std::collections::BTreeMap;
use std::time::Duration;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::checks::operation::{self, Operation};
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trace::EventKind;

use super::super::Workload;
use super::super::history::{MEMORIES, Rows};

pub(super) struct Invariant;

/// The longest time for which a memory may be out of sight or exist twice.
const MOST: Duration = Duration::from_secs(1);

/// What a user knows about the existence of a memory.
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
                    Some((Anomaly::DuplicateEffect, "exists more than once, and nothing will clean it up"))
                }
                (Known::There, 0) => Some((Anomaly::LostAcknowledgement, "is missing, but was not deleted")),
                (Known::Gone, 1) => Some((Anomaly::StaleOverwrite, "was deleted, but exists again")),
                _ => None,
            };
            if let Some((anomaly, what)) = found {
                let broken = Finding::broken(anomaly, format!("memory {id} {what}"));
                return broken.at(rows.changed(id)).on(MEMORIES, "id", Value::Integer(id));
            }
            exercised += u64::from(known != Known::Open && rows.was_written(id));
        }
        if evidence.is_timed()
            && let Some(broken) = out_of_sight(evidence, &operations)
        {
            return broken;
        }
        Finding::Holds { exercised }
    }
}

/// The first memory that a search would have missed, or found twice, for too long during the trial.
fn out_of_sight(evidence: &Evidence<'_, Workload>, operations: &[Operation]) -> Option<Finding> {
    let moved = |operation: &&Operation| {
        operation.deletes || operation.intends.iter().any(|intent| intent.column == "scope")
    };
    let moved: Vec<i64> = operations.iter().filter(moved).filter_map(|it| it.row.integer()).collect();
    let opened = 1..=evidence.workload.entries.len() as i64;
    let judged: Vec<i64> = opened.filter(|id| !moved.contains(id)).collect();
    let mut rows = Rows::initial_state(evidence.workload);
    // Since when a memory has not existed exactly once: the event, its time, the number of rows.
    let mut since: BTreeMap<i64, (usize, Duration, usize)> = BTreeMap::new();
    for (index, event) in evidence.run.trace.events.iter().enumerate() {
        for (id, (began, at, count)) in &since {
            if event.at - *at > MOST {
                let (anomaly, what) = match count {
                    0 => (Anomaly::Omission, "is out of sight"),
                    _ => (Anomaly::DuplicateEffect, "exists twice"),
                };
                let sentence = format!("memory {id} {what} for more than {} ms", MOST.as_millis());
                let broken = Finding::broken(anomaly, sentence).at(*began);
                return Some(broken.on(MEMORIES, "id", Value::Integer(*id)));
            }
        }
        let EventKind::Committed(changes) = &event.kind else { continue };
        rows.take(index, event);
        for change in changes.iter().filter(|change| change.table.name == MEMORIES) {
            let row = change.after.as_ref().or(change.before.as_ref());
            let Some(id) = row.and_then(|row| row[0].integer()).filter(|id| judged.contains(id)) else {
                continue;
            };
            match rows.count(id) {
                1 => drop(since.remove(&id)),
                count => drop(since.entry(id).or_insert((index, event.at, count))),
            }
        }
    }
    None
}

/// What is known after the next operation on a memory, in the order in which its operations began.
fn known_after(known: Known, operation: &Operation) -> Known {
    let puts = operation.intends.iter().any(|intent| intent.column == "scope");
    match (operation.deletes, puts, operation.acknowledged) {
        (false, false, _) => known,
        (_, _, None) => Known::Open,
        (true, ..) => Known::Gone,
        (false, true, Some(_)) => Known::There,
    }
}
