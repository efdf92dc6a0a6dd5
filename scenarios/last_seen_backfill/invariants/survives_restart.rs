//! If the process stops or crashes before the migration is done, the migration reaches the same end after the restart.
//!
//! The status in between does not matter: `pending_async` and `failed` both make the next start run it again.

use std::collections::BTreeSet;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trace::EventKind;
use retrial_sim::trial::Ending;

use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let statuses = history::statuses(run);
        let is_unfinished = |index: usize| {
            let left = statuses.iter().rev().find(|status| status.event < index);
            left.is_none_or(|left| left.status != "done")
        };
        let restarts = run.trace.events.iter().enumerate().filter(|(index, event)| {
            matches!(event.kind, EventKind::Started(2..))
                && run.trace.process(event.actor) == "server"
                && is_unfinished(*index)
        });
        let exercised = restarts.count() as u64;
        if exercised == 0 || run.ending != Ending::Quiescent {
            return Finding::Holds { exercised: 0 };
        }
        match statuses.last() {
            Some(last) if last.status == "done" => match unfilled(evidence) {
                Some(id) => {
                    let sentence =
                        format!("after a restart the status is done, but transmission {id} is not filled");
                    let row = Value::Integer(id);
                    Finding::broken(Anomaly::Omission, sentence).on("transmissions", "last_seen", row)
                }
                None => Finding::Holds { exercised },
            },
            Some(last) => {
                let sentence =
                    format!("after a restart everything is idle, but the status is `{}`", last.status);
                Finding::broken(Anomaly::FalseReport, sentence).on("_async_migrations", "status", None)
            }
            None => {
                let sentence = "after a restart everything is idle, but the migration was never registered";
                Finding::broken(Anomaly::Omission, sentence).on("_async_migrations", "status", None)
            }
        }
    }
}

/// A row that has observations but is not filled, and that the ingestor never wrote: what the ingestor does to a row
/// has nothing to do with restarts.
fn unfilled(evidence: &Evidence<'_, Workload>) -> Option<i64> {
    let Evidence { workload, run, .. } = evidence;
    let touched: BTreeSet<i64> =
        history::seen(run).filter(|seen| seen.actor == "ingestor").map(|seen| seen.id).collect();
    let eligible = workload.kept().filter(|transmission| !touched.contains(&transmission.id));
    let mut latest =
        eligible.filter_map(|transmission| Some((transmission.id, *transmission.observations.iter().max()?)));
    let missed =
        latest.find(|(id, latest)| history::final_last_seen(run, *id).is_none_or(|found| found < *latest));
    missed.map(|(id, _)| id)
}
