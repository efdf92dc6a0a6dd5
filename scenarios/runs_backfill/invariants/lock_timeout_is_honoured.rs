//! No statement of the migration waits for a lock for longer than the lock timeout that its file promises; whoever
//! queues behind it waits as long. Judged in timed trials; exercised where the migration waits.

use std::time::Duration;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::{Workload, history};

pub(super) struct Invariant;

/// What every file of the story promises.
const PROMISED: Duration = Duration::from_secs(30);

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        if !evidence.is_timed() {
            return Finding::Holds { exercised: 0 };
        }
        let mut exercised = 0;
        for wait in history::waits(evidence.run).filter(|wait| wait.actor == history::MIGRATION) {
            // Whoever hears late of the end of a wait has not waited longer.
            if wait.waited > PROMISED + Duration::from_secs(1) {
                let (waited, promised) = (wait.waited.as_secs(), PROMISED.as_secs());
                let sentence =
                    format!("the migration waited {waited} s for a lock and promises {promised} s");
                return Finding::broken(Anomaly::Starvation, sentence).at(wait.event).on("runs", "id", None);
            }
            exercised += 1;
        }
        Finding::Holds { exercised }
    }
}
