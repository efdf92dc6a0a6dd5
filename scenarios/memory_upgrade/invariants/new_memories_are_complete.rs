//! An old memory that has become a new one, by the upgrade or by a change of the plugin, has every field of a new one.
//! The tool looks for memories without a category, so no later run finds this one and adds what it lacks.
//!
//! The fields are those that `buildSmartMetadata` (src/smart-metadata.ts at 2d56900) fills in and this model has.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use serde_json::Value as Json;

use super::super::Workload;
use super::super::history::{Column, MEMORIES, Rows};

pub(super) struct Invariant;

const FIELDS: [&str; 7] =
    ["l0_abstract", "l1_overview", "l2_content", "tier", "access_count", "confidence", "injected_count"];

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let rows = Rows::in_the_end(evidence.workload, evidence.run);
        let mut exercised = 0;
        for id in 1..=evidence.workload.entries.len() as i64 {
            let Some(row) = rows.newest(id).filter(|row| *Column::Category.of(row) != Value::Null) else {
                continue;
            };
            let metadata = Column::Metadata.of(row).text().unwrap_or_default();
            let fields: Json = serde_json::from_str(metadata).unwrap_or_default();
            if let Some(missing) = FIELDS.into_iter().find(|field| fields[field].is_null()) {
                let sentence = format!("memory {id} counts as new, but has no {missing}");
                let broken = Finding::broken(Anomaly::Omission, sentence);
                return broken.on(MEMORIES, missing, Value::Integer(id));
            }
            exercised += 1;
        }
        Finding::Holds { exercised }
    }
}
