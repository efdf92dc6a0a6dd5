//! No statement of the migration waits for a lock for longer than 30 s, which every file of the story states for its
//! definitions, nor for longer than what its own file has set where that is less; whoever queues behind it waits as
//! long. Judged in timed trials; exercised where the migration waits.

use std::time::Duration;

use retrial_sim::anomaly::Anomaly;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::{Workload, history};

pub(super) struct Invariant;

/// What the story states.
const STATED: Duration = Duration::from_secs(30);

/// Whoever hears late of the end of a wait has not waited longer.
const ALLOWANCE: Duration = Duration::from_secs(1);

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        if !evidence.is_timed() {
            return Finding::Holds { exercised: 0 };
        }
        let mut exercised = 0;
        for wait in history::waits(evidence.run).filter(|wait| wait.actor == history::MIGRATION) {
            let most = set_before(evidence, wait.event).filter(|set| *set < STATED).unwrap_or(STATED);
            if wait.waited > most + ALLOWANCE {
                let (waited, most) = (wait.waited.as_secs(), most.as_millis());
                let sentence =
                    format!("the migration waited {waited} s for a lock, and must give up after {most} ms");
                return Finding::broken(Anomaly::Starvation, sentence).at(wait.event).on("runs", "id", None);
            }
            exercised += 1;
        }
        Finding::Holds { exercised }
    }
}

/// The lock timeout that the migration's file has set last before that event; none where it has set none, or no limit.
fn set_before(evidence: &Evidence<'_, Workload>, event: usize) -> Option<Duration> {
    let attempts = history::attempts(evidence.run);
    let attempt =
        attempts.iter().rev().find(|attempt| attempt.first().is_some_and(|(first, _)| *first < event))?;
    let before = attempt.iter().rev().skip_while(|(index, _)| *index > event);
    let set = before.map(|(_, statement)| &statement.sql).find(|sql| sql.contains("lock_timeout"))?;
    let value = set.split('\'').nth(1)?;
    let digits = value.find(|letter: char| !letter.is_ascii_digit())?;
    let number: u64 = value[..digits].parse().ok()?;
    match &value[digits..] {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        _ => None,
    }
}
