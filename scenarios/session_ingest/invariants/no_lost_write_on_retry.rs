//! Once the queue has drained without dead letters, every field of a session in Postgres is what its object has;
//! columns that the API writer has written to are its own.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trial::Run;

use super::super::history::{Column, TABLE};
use super::super::workload::SESSIONS;
use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        if !history::has_drained(run) {
            return Finding::Holds { exercised: 0 };
        }
        let mut exercised = 0;
        for session in SESSIONS {
            if history::stored(run, session).next().is_none() {
                continue;
            }
            for field in history::FIELDS {
                let (object, row) = history::in_the_end(run, session, field);
                if object == row {
                    exercised += u64::from(*object != Value::Null);
                } else if !history::is_excepted(run, session, field) {
                    let said =
                        format!("the object of {session} has {field} {object}, and Postgres has {row}");
                    let sentence = format!("the queue is empty, {said} for ever");
                    let broken = Finding::broken(anomaly(run, session, field, object), sentence);
                    return broken.on(TABLE, field.name(), Value::from(session));
                }
            }
        }
        Finding::Holds { exercised }
    }
}

/// What was never written is lost with its message's acknowledgement; what was written lies under somebody's older
/// value.
fn anomaly(run: &Run, session: &str, field: Column, object: &Value) -> Anomaly {
    let mut writes = history::writes(run).filter(|write| write.session == session && write.moves(field));
    if writes.any(|write| write.after(field) == object) {
        Anomaly::StaleOverwrite
    } else {
        Anomaly::LostAcknowledgement
    }
}
