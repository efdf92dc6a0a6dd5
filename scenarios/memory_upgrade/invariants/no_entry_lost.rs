//! Every memory that there was, or that the plugin was told is stored, is there once in the end, unless the plugin has
//! begun to delete it.

use std::collections::BTreeSet;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::operation;

use super::super::Workload;
use super::super::history::{MEMORIES, Rows};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let rows = Rows::in_the_end(evidence.workload, run);
        let operations = operation::recorded(&run.trace, MEMORIES);
        let is_new =
            |operation: &operation::Operation| operation.intends.iter().any(|it| it.column == "scope");
        let of = |wanted: &dyn Fn(&operation::Operation) -> bool| -> BTreeSet<i64> {
            operations.iter().filter(|it| wanted(it)).filter_map(|it| it.row.integer()).collect()
        };
        let deleted = of(&|operation| operation.deletes);
        let stored = of(&|operation| is_new(operation) && operation.acknowledged.is_some());
        let opened = 1..=evidence.workload.entries.len() as i64;
        let mut exercised = 0;
        for id in rows.ids() {
            let count = rows.count(id);
            if count > 1 {
                let sentence = format!("memory {id} is there {count} times, and nobody will tidy up");
                let broken = Finding::broken(Anomaly::DuplicateEffect, sentence).at(rows.changed(id));
                return broken.on(MEMORIES, "id", Value::Integer(id));
            }
            let must_be = (opened.contains(&id) || stored.contains(&id)) && !deleted.contains(&id);
            if must_be && count == 0 {
                let sentence = format!("memory {id} is gone, and nobody has deleted it");
                let broken = Finding::broken(Anomaly::LostAcknowledgement, sentence).at(rows.changed(id));
                return broken.on(MEMORIES, "id", Value::Integer(id));
            }
            exercised += u64::from(must_be && rows.newest(id).is_some());
        }
        Finding::Holds { exercised }
    }
}
