//! Every run that was sent has run in the end, however often it was refused before; and none is refused for nothing,
//! with nobody at its conversation and room under the cap.

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
}

/// What is known of who takes up runs, while it asks for a conversation's lock or has it.
#[derive(Clone, Copy)]
struct Present {
    pod: usize,
    conversation: i64,
    /// Nothing has been in its way since it asked.
    has_way: bool,
}

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let mut runs = vec![Known::default(); evidence.workload.runs.len()];
        let mut present: Vec<Option<Present>> = vec![None; run.trace.cast.len()];
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
            let Some(fact) = gauges[pod].take(event) else { continue };
            let actor = usize::from(event.actor.0);
            match fact {
                Fact::Started => present.iter_mut().for_each(|it| *it = it.filter(|it| it.pod != pod)),
                Fact::Asks { conversation, .. } => {
                    let is_alone = stand_in_way(&mut present, conversation);
                    let has_way = is_alone && has_room(&gauges[pod]);
                    present[actor] = Some(Present { pod, conversation, has_way });
                }
                Fact::Answered { run, answer } if answer != Answer::Acquired => {
                    runs[run as usize - 1].refused += 1;
                    let had_way = present[actor].take().is_some_and(|it| it.has_way);
                    if answer == Answer::Refused && had_way {
                        let sentence = format!(
                            "run {run} was refused, with nobody at its conversation and room under the cap"
                        );
                        return Finding::broken(Anomaly::Starvation, sentence).at(index);
                    }
                }
                Fact::Released { .. } => present[actor] = None,
                _ => {}
            }
        }
        judge(&run.ending, &runs)
    }
}

/// Whoever asks for a conversation's lock is in the way of those who ask for the same; tells whether there is nobody.
fn stand_in_way(present: &mut [Option<Present>], conversation: i64) -> bool {
    let mut is_alone = true;
    for other in present.iter_mut().flatten().filter(|other| other.conversation == conversation) {
        other.has_way = false;
        is_alone = false;
    }
    is_alone
}

/// Whether there is room under the cap for whoever has just asked; others who ask may be counted before it.
fn has_room(gauge: &Gauge) -> bool {
    gauge.cap.is_none_or(|cap| gauge.reserved + gauge.asking - 1 < cap)
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
        (Ending::Stuck { .. }, None) => {
            Finding::broken(Anomaly::Deadlock, "every run has run, and somebody waits for ever all the same")
        }
        (_, Some(told)) => Finding::broken(Anomaly::Omission, format!("{told}, and nobody does anything")),
        (_, None) => {
            Finding::Holds { exercised: runs.iter().filter(|known| known.refused > 0).count() as u64 }
        }
    }
}
