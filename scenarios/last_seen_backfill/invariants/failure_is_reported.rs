//! If a lookup or a statement of the loop failed for good, the status is `failed` and carries the error; it is
//! never `done`. Failed for good means that the same statement, with the same
//! parameters, did not succeed later.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use std::collections::BTreeMap;

use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let mut last = BTreeMap::new();
        let mut failures = 0;
        for (event, statement) in run.trace.statements("migration") {
            failures += u64::from(statement.result.is_err());
            last.insert((&*statement.sql, &statement.params), (event, statement));
        }
        let for_good = last.values().find(|(_, statement)| statement.result.is_err());
        let Some((event, statement)) = for_good else {
            return Finding::Holds { exercised: failures };
        };
        let end = history::statuses(run).last().copied();
        match end {
            Some(end) if end.status == "failed" && end.error.is_some() => {
                Finding::Holds { exercised: failures }
            }
            end => {
                let sentence = format!(
                    "`{}` failed and was not tried again, and the status is `{}`",
                    statement.label,
                    end.map_or("absent", |end| end.status)
                );
                let broken = Finding::broken(Anomaly::FalseReport, sentence).at(*event);
                broken.on("_async_migrations", "status", None)
            }
        }
    }
}
