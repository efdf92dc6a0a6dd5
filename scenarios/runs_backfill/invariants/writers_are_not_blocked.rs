//! No actor waits for the migration for longer than one chunk takes: the time to write its rows, a worker's own time,
//! and the delays of a timed schedule. Judged in timed trials only; exercised if an actor waits for the migration.

use std::time::Duration;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::{COST, Workload, history};

pub(super) struct Invariant;

/// How long a wait may last in addition to the work of a chunk: the migration may itself wait for a worker's row lock,
/// and some steps are delayed.
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
                    "{} waited {} ms for the migration, and no chunk needs more than {} ms",
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
