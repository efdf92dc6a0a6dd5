//! The rows that a batch visits do not grow with the rows already done or with the size of the table: the work of
//! each statement of the loop stays under what the rows that it wrote, and those it may have had to look at besides,
//! are worth.
//!
//! Work is SQLite's count of virtual machine steps; what rows are worth stands in `effort.rs`.

use super::super::{Workload, effort, history};
use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

pub(super) struct Invariant;

/// The statements that a loop sends again for every batch.
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
                    "`{}` took {steps} steps; what a batch of {} rows has to visit is worth {bound}, and the table \
                     has {} rows",
                    statement.label,
                    workload.batch,
                    workload.rows(),
                );
                return Finding::broken(Anomaly::UnboundedWork, sentence).at(event);
            }
            exercised += u64::from(workload.rows() > workload.batch);
        }
        Finding::Holds { exercised }
    }
}

/// What the statement at that event may take: the rows that its transaction wrote, and as many more as the batch
/// size leaves room for, these with as many observations as any row has.
fn bound(evidence: &Evidence<'_, Workload>, event: usize) -> i64 {
    let Evidence { workload, run, .. } = evidence;
    let written = history::written_by_batch(run, event);
    let observed = history::observations_before(run, workload, event);
    let most = observed.values().copied().max().unwrap_or(0);
    let rows = written.iter().map(|id| observed.get(id).copied().unwrap_or(0)).collect();
    effort::of_batch(workload, rows, most)
}
