//! Readers, and actors that share the writer connection with the migration, wait for at most one batch: the time of the
//! most expensive one plus 170 ms of virtual time. A wait must not grow with the table.
//!
//! Judged in timed trials only; exercised if an actor waits. With a write-ahead log readers never wait; the prune at
//! start-up does.

use std::time::Duration;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use retrial_sim::trace::EventKind;

use super::super::{COST, Workload, effort};

pub(super) struct Invariant;

/// The time of a batch in addition to filling rows: its begin, its progress, its commit, a scan past rows that are done
/// (judged by `work_per_batch_is_bounded`), and the delays of a timed schedule.
pub(super) const ALLOWANCE: Duration = Duration::from_millis(170);

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let trace = &evidence.run.trace;
        if !evidence.is_timed() {
            return Finding::Holds { exercised: 0 };
        }
        let dearest = effort::of_dearest_batch(evidence.workload);
        let bound = ALLOWANCE + COST.per_step * dearest as u32;
        let mut exercised = 0;
        let end = trace.events.last().map_or(Duration::ZERO, |event| event.at);
        for (index, event) in trace.events.iter().enumerate() {
            let name = trace.name(event.actor);
            if name == "migration" || !matches!(event.kind, EventKind::Waits { .. }) {
                continue;
            }
            // A wait that never ended lasts until the end of the trial.
            let later = trace.events[index..].iter().filter(|later| later.actor == event.actor);
            let over = later.skip(1).map(|later| later.at).next().unwrap_or(end);
            let waited = over - event.at;
            if waited > bound {
                let (waited, most) = (waited.as_millis(), bound.as_millis());
                let sentence = format!("{name} waited {waited} ms, and no batch needs more than {most} ms");
                return Finding::broken(Anomaly::Starvation, sentence).at(index);
            }
            exercised += 1;
        }
        Finding::Holds { exercised }
    }
}
