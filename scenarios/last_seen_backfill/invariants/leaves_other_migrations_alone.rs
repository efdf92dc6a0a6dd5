//! The status and the cursor of another, earlier migration do not change.
//!
//! No strategy violates it: each names its own row. It fails when the names are removed from their statements, one
//! after the other, which is what `cargo xtask mutate` does.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::migration::NAME;
use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        if !evidence.workload.migrated {
            return Finding::Holds { exercised: 0 };
        }
        let mut exercised = 0;
        for (event, name, change) in history::kept(evidence.run) {
            if name != NAME && change.before != change.after {
                let sentence =
                    format!("the migration changed the row that `{name}` has left in {}", change.table.name);
                let row = Value::from(name);
                let broken = Finding::broken(Anomaly::LostUpdate, sentence).at(event);
                return broken.on("_async_migrations", "name", row);
            }
            exercised += 1;
        }
        Finding::Holds { exercised }
    }
}
