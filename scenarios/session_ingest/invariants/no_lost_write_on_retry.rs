//! Once everything has finished, every field of a session in Postgres equals the object's, whatever became of the
//! messages. Columns that the API writer has written since are exempt.

use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trial::Ending;

use super::super::history::TABLE;
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
            if history::stored(run, session).next().is_none() {
                continue;
            }
            for field in history::FIELDS {
                let (object, row) = history::in_the_end(run, session, field);
                if object == row {
                    exercised += u64::from(*object != Value::Null);
                } else if !history::is_excepted(run, session, field) {
                    let said = format!("the object of {session} has {field} {object} and Postgres has {row}");
                    let sentence = format!("everything has finished, but {said}");
                    let broken = Finding::broken(history::became_of(run, session, field, object), sentence);
                    return broken.on(TABLE, field.name(), Value::from(session));
                }
            }
        }
        Finding::Holds { exercised }
    }
}
