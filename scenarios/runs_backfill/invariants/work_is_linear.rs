//! The number of row visits of one migration attempt is linear in the size of the table, not quadratic. Exercised if
//! the table is large enough for the difference to show, on an engine that reports row visits.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::{Workload, history};

pub(super) struct Invariant;

/// Visits per row that an attempt may need: to find it, to recheck it, to write it, to insert it into an index.
const PER_ROW: u64 = 4;

/// Statements per chunk that an attempt may need. Each counts as one visit in addition to the rows that it visits.
const PER_CHUNK: u64 = 6;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let Evidence { workload, run, .. } = evidence;
        let (rows, chunk) = (workload.runs(), workload.chunk as u64);
        let bound = 20 + PER_ROW * rows + PER_CHUNK * rows.div_ceil(chunk);
        let mut exercised = 0;
        for attempt in history::attempts(run) {
            let visits: u64 = attempt.iter().map(|(_, statement)| statement.work.steps).sum();
            if rows >= 4 * chunk && visits > bound {
                let sentence = format!(
                    "the migration visited {visits} rows of a table of {rows} in chunks of {chunk}; {bound} are enough"
                );
                let updates = attempt.iter().filter(|(_, statement)| statement.label == "update");
                let dearest = updates.max_by_key(|(_, statement)| statement.work.steps);
                return Finding::broken(Anomaly::UnboundedWork, sentence)
                    .at(dearest.map_or(0, |(event, _)| *event))
                    .on("runs", "agent_id", None);
            }
            let fills = attempt.iter().any(|(_, statement)| statement.label == "update");
            if fills && visits == 0 {
                return Finding::Unknown(
                    "the engine does not report how many rows a statement visits".to_owned(),
                );
            }
            exercised += u64::from(fills && rows >= 4 * chunk);
        }
        Finding::Holds { exercised }
    }
}
