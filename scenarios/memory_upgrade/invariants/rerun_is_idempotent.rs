//! A memory that carries the marker is not upgraded again, by the same tool or another.

use std::collections::BTreeMap;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::{Row, Value};
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trace::EventKind;

use super::super::Workload;
use super::super::history::{self, Column, MEMORIES};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        // The last row written for each id.
        let mut last: BTreeMap<i64, Row> = BTreeMap::new();
        let mut exercised = 0;
        for (index, event) in run.trace.events.iter().enumerate() {
            if history::request(event).is_some_and(|request| request.label == "scan") {
                exercised += last.values().filter(|row| is_upgraded(row)).count() as u64;
            }
            let EventKind::Committed(changes) = &event.kind else { continue };
            for change in changes.iter().filter(|change| change.table.name == MEMORIES) {
                let Some(row) = &change.after else { continue };
                let Some(id) = row[0].integer() else { continue };
                let again = last.get(&id).is_some_and(|known| is_upgraded(known) && is_upgraded(row));
                if again && history::is_tool(run, event.actor) {
                    let name = run.trace.name(event.actor);
                    let sentence = format!("{name} upgrades memory {id}, which is already upgraded");
                    let broken = Finding::broken(Anomaly::DuplicateEffect, sentence).at(index);
                    return broken.on(MEMORIES, "upgraded_at", Value::Integer(id));
                }
                last.insert(id, row.clone());
            }
        }
        Finding::Holds { exercised }
    }
}

fn is_upgraded(row: &Row) -> bool {
    *Column::UpgradedAt.of(row) != Value::Null
}
