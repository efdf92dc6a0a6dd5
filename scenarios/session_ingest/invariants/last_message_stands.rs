//! Once everything has finished, each field of a session has the value that its client sent last: no older message
//! prevails, and none is lost before it reaches the object. Columns that the API writer has written since are exempt.

use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trial::Ending;

use super::super::history::{Column, TABLE};
use super::super::workload::SESSIONS;
use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        if run.ending != Ending::Quiescent {
            return Finding::Holds { exercised: 0 };
        }
        let mut exercised = 0;
        for session in SESSIONS {
            for field in history::FIELDS {
                let Some((said, times)) = last_said(evidence, session, field) else { continue };
                let (_, row) = history::in_the_end(run, session, field);
                if said != row && !history::is_excepted(run, session, field) {
                    let sentence =
                        format!("the client of {session} last sent {field} {said}, but the row has {row}");
                    let broken = Finding::broken(history::became_of(run, session, field, said), sentence);
                    return broken.on(TABLE, field.name(), Value::from(session));
                }
                exercised += u64::from(times > 1);
            }
        }
        Finding::Holds { exercised }
    }
}

/// The value that the session's client sent last for that field, and how many values it sent. A client resends a
/// message until it is confirmed and only then sends the next, so the order of sending is the client's.
fn last_said<'r>(
    evidence: &Evidence<'r, Workload>,
    session: &str,
    field: Column,
) -> Option<(&'r Value, usize)> {
    let sent = history::sent(evidence.run).into_values();
    let said = sent.filter(|sent| sent.session() == session && !sent.is_poison());
    let said: Vec<&Value> = said.filter_map(|sent| sent.field(field)).collect();
    Some((*said.last()?, said.len()))
}
