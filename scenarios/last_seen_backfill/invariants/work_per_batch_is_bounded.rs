//! The rows that a batch visits do not grow with the rows already done or with the size of the table: the work of
//! each statement of the loop stays under a bound made of the batch size and of the observations of one row.
//!
//! Work is SQLite's count of virtual machine steps. The constants are twice what a page along the primary key was
//! seen to take: about 35 steps a row and 7 an observation.

use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use super::super::Workload;

pub(super) struct Invariant;

/// The statements that a loop sends again for every batch.
const LOOP: &[&str] = &["page", "batch", "remaining", "progress", "commit"];

const PER_STATEMENT: i64 = 60;
const PER_ROW: i64 = 70;
const PER_OBSERVATION: i64 = 14;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let Evidence { workload, run, .. } = evidence;
        let observations = workload.most_observations() + workload.arrivals.len() as i64;
        let bound = PER_STATEMENT + workload.batch * (PER_ROW + observations * PER_OBSERVATION);
        let mut exercised = 0;
        for (event, statement) in run.trace.statements("migration") {
            if !LOOP.contains(&statement.label) {
                continue;
            }
            let steps = statement.work.steps as i64;
            if steps > bound {
                let sentence = format!(
                    "`{}` took {steps} steps; a batch of {} rows with at most {observations} observations each is \
                     allowed {bound}, and the table has {} rows",
                    statement.label,
                    workload.batch,
                    workload.rows(),
                );
                return Finding::broken_at(event, sentence);
            }
            exercised += u64::from(workload.rows() > workload.batch);
        }
        Finding::Holds { exercised }
    }
}
