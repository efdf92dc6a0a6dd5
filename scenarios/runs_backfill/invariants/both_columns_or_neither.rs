//! The backfill fills both columns of a row or neither. A row with only one is missed by queries that need both, and
//! skipped by a later backfill that looks for rows with none.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let mut exercised = 0;
        for (event, rows) in history::chunks(evidence.run) {
            for change in rows {
                let filled = |column| change.value_after(column).is_some_and(|value| *value != Value::Null);
                let (agent, conversation) = (filled("agent_id"), filled("conversation_id"));
                if agent != conversation {
                    let missing = if agent { "conversation_id" } else { "agent_id" };
                    let sentence = format!("the backfill left run {} without its {missing}", change.key);
                    let broken = Finding::broken(Anomaly::TornWrite, sentence).at(event);
                    return broken.on("runs", missing, Value::Integer(change.key));
                }
                exercised += u64::from(agent);
            }
        }
        Finding::Holds { exercised }
    }
}
