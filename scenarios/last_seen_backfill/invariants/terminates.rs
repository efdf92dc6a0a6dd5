//! The migration reaches a terminal status, in no more batches, and in timed trials in no more virtual time, than its
//! rows and its batch size require.
//!
//! Judged at the end of the trial, after faults have stopped and under a fair schedule. Each message that arrives while
//! the migration runs may cost one more batch: a row without an observation may get its first.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::sentence::counted;
use retrial_sim::trace::EventKind;
use retrial_sim::trial::{Ending, Run};
use std::time::Duration;

use super::super::migration::YIELD;
use super::super::{COST, Workload, effort, history};
use super::nobody_waits_beyond_a_batch::ALLOWANCE;

pub(super) struct Invariant;

/// The last batch, which finds nothing left.
const SLACK: i64 = 1;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let Evidence { workload, run, .. } = evidence;
        let batches = history::batches(run).count();
        let so_far =
            || format!("after {} over {}", counted(batches, "batch"), counted(workload.rows(), "row"));
        match &run.ending {
            Ending::NoRest { cycle: Some(cycle), .. } => {
                let round: Vec<_> =
                    cycle.round.iter().map(|(actor, what)| format!("{actor}: {what}")).collect();
                return livelock(format!(
                    "{} the migration loops without changing any value ({})",
                    so_far(),
                    round.join("; "),
                ));
            }
            Ending::NoRest { fair_steps, .. } => {
                return livelock(format!(
                    "{} it had not ended {fair_steps} steps after faults stopped",
                    so_far()
                ));
            }
            Ending::Stuck { .. } => {
                return Finding::broken(Anomaly::Deadlock, "every actor waits for another one");
            }
            _ => {}
        }
        let bound = workload.batches() + workload.arrivals.len() as i64 + SLACK;
        for life in history::lives(run) {
            let mut batches =
                life.iter().filter(|(_, what)| matches!(what, EventKind::Ran(ran) if ran.label == "batch"));
            if let Some((event, _)) = batches.nth(bound as usize) {
                let bound = counted(bound, "batch");
                return livelock(format!("{} took more than {bound}", counted(workload.rows(), "row")))
                    .at(*event);
            }
            let (took, most) = (took(run, &life), most(workload, bound));
            if evidence.is_timed() && took > most {
                let (took, most) = (took.as_millis(), most.as_millis());
                return livelock(format!(
                    "it took {took} ms, where {most} ms are enough for {}",
                    counted(bound, "batch")
                ));
            }
        }
        match history::statuses(run).last() {
            Some(last) if !last.is_terminal() => {
                let sentence = format!("everything is idle, but the status is `{}`", last.status);
                let broken = Finding::broken(Anomaly::FalseReport, sentence).at(last.event);
                broken.on("_async_migrations", "status", None)
            }
            _ => Finding::Holds { exercised: u64::from(batches > 0) },
        }
    }
}

/// How long the migration took in one life of the process, without its waits for the connection.
fn took(run: &Run, life: &[(usize, &EventKind)]) -> Duration {
    let at = |place: Option<&(usize, &EventKind)>| {
        place.map_or(Duration::ZERO, |(event, _)| run.trace.events[*event].at)
    };
    let waited = life.iter().filter_map(|(_, what)| match what {
        EventKind::Resumed { waited, .. } => Some(*waited),
        _ => None,
    });
    (at(life.last()) - at(life.first())).saturating_sub(waited.sum())
}

/// The time that this many batches may take, each as long as the most expensive one with its pause and allowance, plus
/// what comes before and after the loop.
fn most(workload: &Workload, batches: i64) -> Duration {
    let dearest = COST.per_step * effort::of_dearest_batch(workload) as u32;
    (dearest + YIELD + ALLOWANCE) * (batches as u32 + 2)
}

fn livelock(sentence: String) -> Finding {
    Finding::broken(Anomaly::Livelock, sentence).on("transmissions", "last_seen", None)
}
