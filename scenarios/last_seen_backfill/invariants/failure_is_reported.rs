//! If a lookup or a statement of the loop failed permanently, the status at the end of that life of the process is
//! `failed` with the error, never `done`. A failure is permanent if the same statement with the same parameters did not
//! succeed later in that life. Progress reports are exempt: the next one supersedes a lost one.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trace::EventKind;
use std::collections::BTreeMap;

use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let statuses = history::statuses(run);
        let lives = history::lives(run);
        let mut failures = 0;
        for (number, life) in lives.iter().enumerate() {
            let mut last = BTreeMap::new();
            for (event, what) in life {
                let EventKind::Ran(statement) = what else { continue };
                failures += u64::from(statement.result.is_err());
                if statement.label != "progress" {
                    last.insert((&*statement.sql, &statement.params), (*event, statement));
                }
            }
            let for_good = last.values().find(|(_, statement)| statement.result.is_err());
            let Some((event, statement)) = for_good else { continue };
            let next =
                lives.get(number + 1).and_then(|next| next.first()).map_or(usize::MAX, |first| first.0);
            match statuses.iter().rev().find(|status| status.event < next) {
                Some(end) if end.status == "failed" && end.error.is_some() => {}
                end => {
                    let sentence = format!(
                        "`{}` failed and was not retried, but the status is `{}`",
                        statement.label,
                        end.map_or("absent", |end| end.status)
                    );
                    let broken = Finding::broken(Anomaly::FalseReport, sentence).at(*event);
                    return broken.on("_async_migrations", "status", None);
                }
            }
        }
        Finding::Holds { exercised: failures }
    }
}
