//! A tool that is called for one scope writes no memory of another, and moves none between scopes.

use std::collections::BTreeMap;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trace::EventKind;

use super::super::Workload;
use super::super::history::{self, Column, MEMORIES, Rows};
use super::super::workload::SCOPES;

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let (run, workload) = (evidence.run, evidence.workload);
        let Some(scope) = workload.scope() else { return Finding::Holds { exercised: 0 } };
        let opened = workload.entries.iter().enumerate();
        let mut scopes: BTreeMap<i64, Value> =
            opened.map(|(index, entry)| (index as i64 + 1, SCOPES[entry.scope - 1].into())).collect();
        let (mut rows, mut exercised) = (Rows::initial_state(workload), 0);
        for (index, event) in run.trace.events.iter().enumerate() {
            let EventKind::Committed(changes) = &event.kind else { continue };
            rows.take(index, event);
            for change in changes.iter().filter(|change| change.table.name == MEMORIES) {
                let Some(row) = change.after.as_ref().or(change.before.as_ref()) else { continue };
                let Some(id) = row[0].integer() else { continue };
                let known = scopes.insert(id, Column::Scope.of(row).clone());
                // A row that is removed beside a newer one of its memory does not count.
                let is_missed = change.after.is_some() || rows.count(id) == 0;
                if !history::is_tool(run, event.actor) || !is_missed {
                    continue;
                }
                if let Some(known) = known.filter(|known| known.text() != Some(scope)) {
                    let sentence =
                        format!("the tool was called for {scope}, but writes memory {id} of {known}");
                    let broken = Finding::broken(Anomaly::PhantomEffect, sentence).at(index);
                    return broken.on(MEMORIES, "scope", Value::Integer(id));
                }
                exercised += 1;
            }
        }
        Finding::Holds { exercised }
    }
}
