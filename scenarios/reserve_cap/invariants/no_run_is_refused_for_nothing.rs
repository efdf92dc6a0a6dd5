//! No worker is refused with nobody at its conversation and room under the cap.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::history::{Answer, Fact, Gauge};
use super::super::{Workload, history};

pub(super) struct Invariant;

/// What is known of who handles messages, while it asks for a conversation's lock or has it.
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
        let mut present: Vec<Option<Present>> = vec![None; run.trace.cast.len()];
        let mut gauges = [Gauge::default(); 2];
        let mut exercised = 0;
        for (index, event) in run.trace.events.iter().enumerate() {
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
                    let had_way = present[actor].take().is_some_and(|it| it.has_way);
                    if answer == Answer::Refused && had_way {
                        let sentence = format!(
                            "run {run} was refused, with nobody at its conversation and room under the cap"
                        );
                        return Finding::broken(Anomaly::Starvation, sentence).at(index);
                    }
                    exercised += 1;
                }
                Fact::Released { .. } => present[actor] = None,
                _ => {}
            }
        }
        Finding::Holds { exercised }
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
