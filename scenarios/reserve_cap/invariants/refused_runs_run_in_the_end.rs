//! Every run that was sent has run in the end, however often it was refused before; and none is refused for nothing, with
//! nobody at its conversation and room under the cap.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trace::What;
use retrial_sim::trial::Ending;

use super::super::history::{Answer, Fact, Gauge};
use super::super::{Workload, history};

pub(super) struct Invariant;

/// What is known of a run.
#[derive(Clone, Copy, Default)]
struct Known {
    refused: u64,
    is_done: bool,
    /// The pod that it is in, and its conversation, while it asks for the lock or has it.
    at: Option<(usize, i64)>,
    /// Nothing has been in its way since it asked.
    has_way: bool,
}

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let mut runs = vec![Known::default(); evidence.workload.runs.len()];
        let mut gauges = [Gauge::default(); 2];
        for (index, event) in run.trace.events.iter().enumerate() {
            if let What::Exchanged(exchange) = &event.what {
                let message = exchange.field("message").and_then(|value| value.integer());
                if let Some(known) = message.filter(|_| exchange.label == "ack") {
                    runs[known as usize - 1].is_done = true;
                }
                continue;
            }
            let Some(pod) = history::pod(run, event.actor) else { continue };
            match gauges[pod].take(event) {
                Some(Fact::Started) => {
                    runs.iter_mut().filter(|known| known.at.is_some_and(|at| at.0 == pod)).for_each(|known| known.at = None);
                }
                Some(Fact::Asks { run, conversation }) => ask(&mut runs, &gauges[pod], run, (pod, conversation)),
                Some(Fact::Answered { run, answer }) if answer != Answer::Acquired => {
                    let known = &mut runs[run as usize - 1];
                    known.refused += 1;
                    known.at = None;
                    if answer == Answer::Refused && known.has_way {
                        let sentence =
                            format!("run {run} was refused, with nobody at its conversation and room under the cap");
                        return Finding::broken(Anomaly::Starvation, sentence).at(index);
                    }
                }
                Some(Fact::Released { run }) => runs[run as usize - 1].at = None,
                _ => {}
            }
        }
        judge(&run.ending, &runs)
    }
}

/// A run asks for its conversation's lock: it is in the way of those who ask for the same, and they in its.
fn ask(runs: &mut [Known], gauge: &Gauge, run: i64, at: (usize, i64)) {
    let mut is_alone = true;
    for other in runs.iter_mut().filter(|other| other.at.is_some_and(|other| other.1 == at.1)) {
        other.has_way = false;
        is_alone = false;
    }
    // Whoever asks beside it may be counted before it.
    let has_room = gauge.cap.is_none_or(|cap| gauge.reserved + gauge.asking - 1 < cap);
    let known = &mut runs[run as usize - 1];
    (known.at, known.has_way) = (Some(at), is_alone && has_room);
}

fn judge(ending: &Ending, runs: &[Known]) -> Finding {
    let left = runs.iter().position(|known| !known.is_done);
    let told = left.map(|left| match runs[left].refused {
        0 => format!("run {} has not run", left + 1),
        times => format!("run {} has not run, and was refused {times} times", left + 1),
    });
    match (ending, told) {
        (Ending::Panicked { .. }, _) => Finding::Holds { exercised: 0 },
        (Ending::NoRest { fair_steps, .. }, told) => {
            let told = told.unwrap_or_else(|| "every run has run".to_owned());
            let sentence = format!("nothing fails any more, and {fair_steps} steps later {told}");
            Finding::broken(Anomaly::Livelock, sentence)
        }
        (Ending::Stuck { .. }, Some(told)) => {
            Finding::broken(Anomaly::Deadlock, format!("{told}: workers wait for each other's connections"))
        }
        (_, Some(told)) => Finding::broken(Anomaly::Omission, format!("{told}, and nobody does anything")),
        (_, None) => Finding::Holds { exercised: runs.iter().filter(|known| known.refused > 0).count() as u64 },
    }
}
