//! The migration releases its row locks after each chunk: none of its transactions changes more rows than a chunk has.
//! Exercised if there are more rows to fill than that.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let chunk = evidence.workload.chunk as usize;
        let mut changed = 0;
        for (event, rows) in history::chunks(evidence.run) {
            if rows.len() > chunk {
                let sentence =
                    format!("{} rows were locked until one commit; a chunk has {chunk}", rows.len());
                return Finding::broken(Anomaly::LongLockHold, sentence)
                    .at(event)
                    .on("runs", "agent_id", None);
            }
            changed += rows.len();
        }
        Finding::Holds { exercised: u64::from(changed > chunk) }
    }
}
