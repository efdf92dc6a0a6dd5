//! The persisted value of a field never goes back to an older revision of the object.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::history::{Column, TABLE, Write};
use super::super::workload::SESSIONS;
use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let writes: Vec<_> = history::writes(run).filter(Write::is_by_consumer).collect();
        let mut exercised = 0;
        for session in SESSIONS {
            for field in history::FIELDS {
                let moves = |write: &&Write<'_>| write.session == session && write.moves(field);
                let mut moves = writes.iter().filter(moves).peekable();
                if moves.peek().is_none() {
                    continue;
                }
                let revisions = revisions(evidence, session, field);
                let mut persisted = 0;
                for write in moves {
                    let value = write.after(field);
                    let known = revisions.iter().enumerate().filter(|(_, (event, _))| *event < write.event);
                    let same = known.filter(|(_, (_, known))| *known == value).map(|(revision, _)| revision);
                    let same: Vec<usize> = same.collect();
                    // A value that the object has had twice is matched to its earliest possible revision.
                    match same.iter().find(|revision| **revision >= persisted) {
                        Some(revision) => persisted = *revision,
                        None if same.is_empty() => continue,
                        None => {
                            let sentence = format!(
                                "{} changed {field} of {session} from {} back to the older {value}",
                                write.actor,
                                write.before(field)
                            );
                            return Finding::broken(Anomaly::StaleOverwrite, sentence).at(write.event).on(
                                TABLE,
                                field.name(),
                                Value::from(session),
                            );
                        }
                    }
                    exercised += 1;
                }
            }
        }
        Finding::Holds { exercised }
    }
}

/// The values that the object has had in that field, each with the event that stored it; the first is NULL.
fn revisions<'r>(evidence: &Evidence<'r, Workload>, session: &str, field: Column) -> Vec<(usize, &'r Value)> {
    let mut revisions = vec![(0, &Value::Null)];
    for (event, stored) in history::stored(evidence.run, session) {
        if let Some(value) = stored.field(field.name())
            && revisions.last().is_some_and(|(_, last)| *last != value)
        {
            revisions.push((event, value));
        }
    }
    revisions
}
