//! A deadlock (40P01) never causes a dead letter or a lost change.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::point::ActorId;
use retrial_sim::trace::EventKind;
use retrial_sim::trial::{Ending, Run};

use super::super::history::Column;
use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let mut exercised = 0;
        for (index, event) in run.trace.events.iter().enumerate() {
            let is_consumer = |actor| history::is_consumer(run.trace.name(actor));
            match &event.kind {
                EventKind::Waits { holders, .. } if is_consumer(event.actor) => {
                    let crosses = holders.iter().any(|holder| crosses(run, index, *holder));
                    exercised += u64::from(crosses);
                }
                EventKind::Ran(statement)
                    if is_consumer(event.actor)
                        && statement.result.as_ref().is_err_and(|error| error.code == "40P01") =>
                {
                    exercised += 1;
                    let Some(message) = history::in_hand(run, index, event.actor) else { continue };
                    if history::dead_letters(run).contains(&message) {
                        let sentence = format!("message {message} hit a deadlock and became a dead letter");
                        return Finding::broken(Anomaly::Deadlock, sentence).at(index);
                    }
                    let lost = history::sent(run).get(&message).and_then(|sent| lost(evidence, sent));
                    if let Some(field) = lost {
                        let sentence = format!("message {message} hit a deadlock, and its {field} is lost");
                        return Finding::broken(Anomaly::Deadlock, sentence).at(index);
                    }
                }
                _ => {}
            }
        }
        Finding::Holds { exercised }
    }
}

/// Whether the two consumers are handling messages of different sessions: a deadlock consists of waits across sessions.
fn crosses(run: &Run, event: usize, holder: ActorId) -> bool {
    if !history::is_consumer(run.trace.name(holder)) {
        return false;
    }
    let sent = history::sent(run);
    let session = |actor| {
        let message = history::in_hand(run, event, actor)?;
        Some(sent.get(&message)?.session())
    };
    session(run.trace.events[event].actor) != session(holder)
}

/// The field of the message whose value is in the object but not in Postgres.
fn lost(evidence: &Evidence<'_, Workload>, sent: &history::Sent<'_>) -> Option<Column> {
    let run = evidence.run;
    if run.ending != Ending::Quiescent {
        return None;
    }
    history::FIELDS.into_iter().find(|field| {
        let (object, row) = history::in_the_end(run, sent.session(), *field);
        sent.field(*field) == Some(object)
            && object != row
            && !history::is_excepted(run, sent.session(), *field)
    })
}
