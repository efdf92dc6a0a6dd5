//! A memory that a tool reports as upgraded has the fields that the model was asked for, and the marker, in the end. An
//! entry that is not reported as failed must be upgraded. Memories that are deleted later are exempt.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::checks::operation;
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::Workload;
use super::super::history::{self, Column, MEMORIES, Rows};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let operations = operation::recorded(&run.trace, MEMORIES);
        // The same abstract written by another tool is as good.
        let differs = |lost: &operation::Lost| lost.stands.as_ref() != Some(&lost.value);
        let found = history::first_loss(run, &operations, |actor| history::is_tool(run, actor), differs);
        if matches!(found, Finding::Violated(_)) {
            return found;
        }
        let rows = Rows::in_the_end(evidence.workload, run);
        let mut exercised = 0;
        for batch in history::batches(run) {
            let Some(ended) = batch.ended else { continue };
            for id in batch.entries.iter().filter(|id| !batch.failed.contains(id)) {
                if rows.count(*id) == 0
                    || operations.iter().any(|it| it.deletes && it.row.integer() == Some(*id))
                {
                    continue;
                }
                let row = rows.newest(*id);
                let has = |column: Column| row.is_some_and(|row| *column.of(row) != Value::Null);
                for (column, name) in
                    [(Column::UpgradedAt, "upgraded_at"), (Column::Category, "memory_category")]
                {
                    if !has(column) {
                        let sentence =
                            format!("memory {id} was reported upgraded, but has no {name} in the end");
                        let broken = Finding::broken(Anomaly::Omission, sentence).at(ended);
                        return broken.on(MEMORIES, name, Value::Integer(*id));
                    }
                }
                exercised += 1;
            }
        }
        Finding::Holds { exercised }
    }
}
