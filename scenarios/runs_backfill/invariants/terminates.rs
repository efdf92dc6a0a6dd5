//! The migration ends: whatever the rows contain, it is recorded in the end, after one or more attempts, and within
//! five minutes, which is Helm's default timeout for its hook. The time is judged in timed trials only.

use std::time::Duration;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::sentence::counted;
use retrial_sim::trial::{Ending, Run};

use super::super::{Workload, history};

pub(super) struct Invariant;

/// Helm's `--timeout`, by default.
const PATIENCE: Duration = Duration::from_secs(300);

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let (attempts, commits) = (history::attempts(run).len(), history::chunks(run).count());
        let rows = run.rows("runs").len();
        let so_far = || {
            let parts = [(commits, "commit"), (attempts, "attempt"), (rows, "row")];
            let [commits, attempts, rows] = parts.map(|(number, noun)| counted(number, noun));
            format!("after {commits} in {attempts} over {rows}")
        };
        match &run.ending {
            Ending::NoRest { cycle: Some(cycle), .. } => {
                let round: Vec<_> =
                    cycle.round.iter().map(|(actor, what)| format!("{actor}: {what}")).collect();
                let round = round.join("; ");
                livelock(format!("{} it loops without changing any value ({round})", so_far()))
            }
            Ending::NoRest { fair_steps, .. } => {
                livelock(format!("{} it had not ended {fair_steps} steps after faults stopped", so_far()))
            }
            Ending::Stuck { .. } => {
                Finding::broken(Anomaly::Deadlock, "every actor waits for another one").on("runs", "id", None)
            }
            Ending::Quiescent if attempts > 0 && run.rows("schema_migrations").is_empty() => {
                let broken = Finding::broken(Anomaly::Omission, "it was abandoned and is not recorded");
                broken.on("schema_migrations", "version", None)
            }
            Ending::Quiescent if evidence.is_timed() && recorded_at(run) > PATIENCE => {
                let took = recorded_at(run).as_secs();
                let sentence = format!(
                    "{} it was recorded, {took} s after its start; the deploy hook gives up before",
                    so_far()
                );
                let broken = Finding::broken(Anomaly::Starvation, sentence);
                let broken = broken.on("schema_migrations", "version", None);
                let waited = history::waits(run).filter(|wait| wait.actor == history::MIGRATION).last();
                waited.map_or(broken.clone(), |wait| broken.at(wait.event))
            }
            Ending::Quiescent => Finding::Holds { exercised: u64::from(attempts > 0) },
            Ending::Panicked { .. } => Finding::Holds { exercised: 0 },
        }
    }
}

/// The time at which the last of its files was recorded.
fn recorded_at(run: &Run) -> Duration {
    let commits = run
        .trace
        .commits()
        .filter(|(_, _, changes)| changes.iter().any(|change| change.table.name == "schema_migrations"));
    commits.map(|(_, event, _)| event.at).last().unwrap_or_default()
}

fn livelock(sentence: String) -> Finding {
    Finding::broken(Anomaly::Livelock, sentence).on("runs", "agent_id", None)
}
