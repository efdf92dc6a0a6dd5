//! An upgraded memory's abstract is of its final text, not of a text that has been replaced.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::Workload;
use super::super::history::{Column, MEMORIES, Rows};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let rows = Rows::in_the_end(evidence.workload, evidence.run);
        let mut exercised = 0;
        for id in rows.ids() {
            let Some(row) = rows.newest(id) else { continue };
            let texts = [Column::Text, Column::Abstract].map(|column| column.of(row).text());
            let [Some(text), Some(abstracted)] = texts else { continue };
            if *Column::UpgradedAt.of(row) == Value::Null {
                continue;
            }
            if abstracted != text && abstracted.strip_prefix("abstract of ") != Some(text) {
                let sentence =
                    format!("the text of memory {id} is `{text}`, but its abstract is `{abstracted}`");
                let broken = Finding::broken(Anomaly::TornWrite, sentence).at(rows.changed(id));
                return broken.on(MEMORIES, "l0_abstract", Value::Integer(id));
            }
            exercised += 1;
        }
        Finding::Holds { exercised }
    }
}
