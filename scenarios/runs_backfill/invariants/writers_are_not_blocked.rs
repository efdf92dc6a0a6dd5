//! Nobody waits for the migration for longer than a chunk takes: its rows written, a worker's own time, and the
//! delays of a timed schedule. A wait must not last as long as the backfill. Judged in timed trials, where time means
//! something; exercised where somebody waits for the migration.

use std::time::Duration;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::{COST, Workload, history};

pub(super) struct Invariant;

/// What a wait may last besides the work of a chunk: a worker that has a row locked and is waited for in turn, and
/// the delays of some steps.
const ALLOWANCE: Duration = Duration::from_millis(450);

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        if !evidence.is_timed() {
            return Finding::Holds { exercised: 0 };
        }
        let chunk = evidence.workload.chunk as u32;
        let (bound, mut exercised) = (ALLOWANCE + COST.per_row * (chunk + 1), 0);
        for wait in history::waits(evidence.run) {
            let Some(waited) = wait.for_migration else { continue };
            if waited > bound {
                let sentence = format!(
                    "{} waited {} ms for the migration, and no chunk can need more than {} ms",
                    wait.actor,
                    waited.as_millis(),
                    bound.as_millis(),
                );
                return Finding::broken(Anomaly::Starvation, sentence)
                    .at(wait.event)
                    .on("runs", "status", None);
            }
            exercised += 1;
        }
        Finding::Holds { exercised }
    }
}
