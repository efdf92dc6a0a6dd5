//! No worker is refused while its conversation has no other worker and the cap has room.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::history::{Answer, Fact, Gauge};
use super::super::{Workload, history};

pub(super) struct Invariant;

/// A message handler that has asked for a conversation's lock or has it.
#[derive(Clone, Copy)]
struct Present {
    pod: usize,
    conversation: i64,
    /// Whether nothing has justified a refusal since it asked.
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
                            "run {run} was refused, although no other worker had its conversation and the cap had room"
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

/// Marks the other handlers of a conversation as obstructed by the one that has just asked for its lock. Returns
/// whether there is no other.
fn stand_in_way(present: &mut [Option<Present>], conversation: i64) -> bool {
    let mut is_alone = true;
    for other in present.iter_mut().flatten().filter(|other| other.conversation == conversation) {
        other.has_way = false;
        is_alone = false;
    }
    is_alone
}

/// Whether the cap has room for the run that has just asked; other waiting runs may be counted before it.
fn has_room(gauge: &Gauge) -> bool {
    gauge.cap.is_none_or(|cap| gauge.reserved + gauge.asking - 1 < cap)
}
