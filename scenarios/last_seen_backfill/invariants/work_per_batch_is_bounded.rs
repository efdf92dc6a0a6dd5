//! The work of a batch does not grow with the number of rows already done or with the size of the table: each statement
//! of the loop stays within a bound for the rows that it wrote and those that it may have had to read as well.
//!
//! Work is SQLite's count of virtual machine steps; `effort.rs` has the steps per row.

use super::super::{Workload, effort, history};
use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::sentence::counted;

pub(super) struct Invariant;

/// The statements that a loop sends for every batch.
const LOOP: &[&str] = &["page", "batch", "remaining", "progress", "commit"];

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let Evidence { workload, run, .. } = evidence;
        let mut exercised = 0;
        for (event, statement) in run.trace.statements("migration") {
            if !LOOP.contains(&statement.label) {
                continue;
            }
            let steps = statement.work.steps as i64;
            let bound = bound(evidence, event);
            if steps > bound {
                let sentence = format!(
                    "`{}` took {steps} steps; a batch of {} needs at most {bound}, and the table has \
                     {}",
                    statement.label,
                    counted(workload.batch, "row"),
                    counted(workload.rows(), "row"),
                );
                return Finding::broken(Anomaly::UnboundedWork, sentence).at(event);
            }
            exercised += u64::from(workload.rows() > workload.batch);
        }
        Finding::Holds { exercised }
    }
}

/// The steps allowed for the statement at that event: for the rows that its transaction wrote, filled up to the batch
/// size with rows that have as many observations as any row.
fn bound(evidence: &Evidence<'_, Workload>, event: usize) -> i64 {
    let Evidence { workload, run, .. } = evidence;
    let written = history::written_by_batch(run, event);
    let observed = history::observations_before(run, workload, event);
    let most = observed.values().copied().max().unwrap_or(0);
    let rows = written.iter().map(|id| observed.get(id).copied().unwrap_or(0)).collect();
    effort::of_batch(workload, rows, most)
}
