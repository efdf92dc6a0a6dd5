//! A migration that was killed or has failed can be run again: it does not fail because of its own leftovers, does not
//! treat half-done work as done, and changes no value that is filled already. Exercised if it was run again.
//!
//! A failed CREATE INDEX CONCURRENTLY leaves an invalid index, which no query uses and every write maintains (manual,
//! "Building Indexes Concurrently"); IF NOT EXISTS finds it by its name.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trace::Statement;

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
                    let sentence =
                        format!("the re-run migration fails because of its own leftovers: {error}");
                    return Finding::broken(Anomaly::FalseReport, sentence).at(*event).on("runs", "id", None);
                }
            }
        }
        if let Some(event) = passed_over(&attempts) {
            let sentence = "the re-run migration treats the index that it left half built as complete";
            return Finding::broken(Anomaly::FalseReport, sentence).at(event).on("runs", "agent_id", None);
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

/// The event at which CREATE INDEX succeeds because an earlier, failed concurrent build has left an invalid index.
fn passed_over(attempts: &[Vec<(usize, &Statement)>]) -> Option<usize> {
    let mut is_half_built = false;
    for (event, statement) in attempts.iter().flatten() {
        match statement.label {
            "create-index" if statement.result.is_ok() && is_half_built => return Some(*event),
            "create-index" => {
                is_half_built |= statement.result.is_err() && statement.sql.contains("CONCURRENTLY");
            }
            "drop-index" => is_half_built &= statement.result.is_err(),
            _ => {}
        }
    }
    None
}
