//! A migration that was killed can be run again: it does not fail over what it has left behind itself, and changes no
//! value that is filled already. Exercised where it was run again.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::{Workload, history};

pub(super) struct Invariant;

/// SQLSTATE duplicate_column, duplicate_function, duplicate_table, undefined_column, unique_violation.
const LEFTOVERS: [&str; 5] = ["42701", "42723", "42P07", "42703", "23505"];

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let attempts = history::attempts(run);
        for attempt in attempts.iter().skip(1) {
            for (event, statement) in attempt {
                if let Err(error) = &statement.result
                    && LEFTOVERS.contains(&&*error.code)
                {
                    let sentence = format!("run again, the migration fails over what it has left: {error}");
                    return Finding::broken(Anomaly::FalseReport, sentence).at(*event).on("runs", "id", None);
                }
            }
        }
        for (event, rows) in history::chunks(run) {
            for change in rows {
                for column in ["agent_id", "conversation_id"] {
                    let before = change.value_before(column).filter(|value| **value != Value::Null);
                    let after = change.value_after(column);
                    if before.is_some() && after.is_some() && before != after {
                        let sentence =
                            format!("the backfill changed the {column} that run {} had", change.key);
                        let broken = Finding::broken(Anomaly::StaleOverwrite, sentence).at(event);
                        return broken.on("runs", column, Value::Integer(change.key));
                    }
                }
            }
        }
        Finding::Holds { exercised: attempts.len().saturating_sub(1) as u64 }
    }
}
