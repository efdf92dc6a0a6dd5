//! No write transaction of the migration changes more rows of `transmissions` than the batch size.

use super::super::Workload;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let Evidence { workload, run, .. } = evidence;
        let mut exercised = 0;
        for (event, by, changes) in run.trace.commits() {
            if run.trace.name(by.actor) != "migration" {
                continue;
            }
            let rows = changes.iter().filter(|change| change.table.name == "transmissions").count() as i64;
            if rows > workload.batch {
                let sentence =
                    format!("one transaction wrote {rows} rows, and the batch size is {}", workload.batch);
                return Finding::broken(Anomaly::UnboundedWork, sentence).at(event);
            }
            exercised += u64::from(rows > 0 && workload.rows() > workload.batch);
        }
        Finding::Holds { exercised }
    }
}
