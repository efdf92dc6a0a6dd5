//! No reader and no ingest waits longer than 500 ms of virtual time, the figure that the story promises. Judged in
//! timed trials, where time means something.

use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use std::time::Duration;

use retrial_sim::trace::What;

use super::super::Workload;

pub(super) struct Invariant;

const BOUND: Duration = Duration::from_millis(500);

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let trace = &evidence.run.trace;
        if !evidence.is_timed() {
            return Finding::Holds { exercised: 0 };
        }
        let mut exercised = 0;
        for (index, event) in trace.events.iter().enumerate() {
            let name = trace.name(event.actor);
            match event.what {
                _ if name == "migration" => {}
                What::Resumed { waited, .. } if waited > BOUND => {
                    let sentence = format!(
                        "{name} waited {} ms, and {} ms are promised",
                        waited.as_millis(),
                        BOUND.as_millis()
                    );
                    return Finding::broken_at(index, sentence);
                }
                What::Ran(_) => exercised += 1,
                _ => {}
            }
        }
        Finding::Holds { exercised }
    }
}
