//! Every message is answered in the end, however often its worker was refused before. Not judged with a cap of 0, with
//! which the operator blocks all reservations on purpose.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::sentence::counted;
use retrial_sim::trial::Ending;

use super::super::history::{Answer, Fact, Gauge};
use super::super::{Workload, history};

pub(super) struct Invariant;

/// The state of a run.
#[derive(Clone, Copy, Default)]
struct Known {
    refused: u64,
    is_told: bool,
    is_done: bool,
}

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        if history::is_drained(evidence.workload) || matches!(run.ending, Ending::Panicked { .. }) {
            return Finding::Holds { exercised: 0 };
        }
        let mut runs = vec![Known::default(); evidence.workload.runs.len()];
        let mut gauge = Gauge::default();
        for event in &run.trace.events {
            match gauge.take(event) {
                Some(Fact::Answered { run, answer }) if answer != Answer::Acquired => {
                    runs[run as usize - 1].refused += 1;
                }
                Some(Fact::Told { run }) => runs[run as usize - 1].is_told = true,
                Some(Fact::Replied { run }) => runs[run as usize - 1].is_done = true,
                _ => {}
            }
        }
        judge(&run.ending, &runs)
    }
}

fn judge(ending: &Ending, runs: &[Known]) -> Finding {
    let left = runs.iter().position(|known| !known.is_done);
    let told = left.map(|left| tell(left + 1, runs[left]));
    match (ending, told) {
        (Ending::NoRest { fair_steps, .. }, told) => {
            let told = told.unwrap_or_else(|| "every run has run".to_owned());
            let sentence = format!("{fair_steps} steps after faults stopped: {told}");
            Finding::broken(Anomaly::Livelock, sentence)
        }
        (Ending::Stuck { .. }, told) => {
            let told = told.unwrap_or_else(|| "every run has run".to_owned());
            Finding::broken(Anomaly::Deadlock, format!("{told}, and an actor waits for ever"))
        }
        (_, Some(told)) => Finding::broken(Anomaly::Omission, format!("{told}, and everything is idle")),
        (_, None) => {
            Finding::Holds { exercised: runs.iter().filter(|known| known.refused > 0).count() as u64 }
        }
    }
}

fn tell(run: usize, known: Known) -> String {
    let Known { refused, is_told, .. } = known;
    let told = if is_told { "was notified that the worker did not start" } else { "was not notified" };
    let times = counted(refused, "time");
    format!("run {run} has no answer: its worker was refused {times}, and its user {told}")
}
