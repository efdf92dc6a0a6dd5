//! What a candidate costs, in virtual time: read from timed trials only, because elsewhere the order of events
//! says nothing about how long they took.

use std::time::Duration;

use crate::choice::Pace;
use crate::trace::What;
use crate::trial::Run;

/// The samples of many trials.
#[derive(Clone, Debug, Default)]
pub struct Costs {
    /// How long each write lock was held.
    pub lock_holds: Vec<Duration>,
    /// How long each wait for a lock or a connection lasted.
    pub waits: Vec<Duration>,
    /// How long each trial took until its last event.
    pub finishes: Vec<Duration>,
    /// Statements sent.
    pub statements: u64,
    /// Statements sent again by the same actor right after they had failed.
    pub retries: u64,
}

impl Costs {
    /// Takes in a trial, if it was timed.
    pub(crate) fn add(&mut self, run: &Run) {
        if run.tape.pace == Pace::Free {
            return;
        }
        let mut failed = vec![""; run.trace.cast.len()];
        for event in &run.trace.events {
            match &event.what {
                What::Released(held) => self.lock_holds.push(*held),
                What::Resumed { waited, .. } => self.waits.push(*waited),
                What::Ran(statement) => {
                    self.statements += 1;
                    let last = &mut failed[event.actor.index()];
                    self.retries += u64::from(*last == statement.label);
                    *last = if statement.result.is_err() { statement.label } else { "" };
                }
                _ => {}
            }
        }
        self.finishes.extend(run.trace.events.last().map(|event| event.at));
    }

    /// Takes in the samples of other trials.
    pub fn absorb(&mut self, other: Costs) {
        self.lock_holds.extend(other.lock_holds);
        self.waits.extend(other.waits);
        self.finishes.extend(other.finishes);
        self.statements += other.statements;
        self.retries += other.retries;
    }
}

/// The smallest sample that at least `percent` of a hundred samples do not exceed; none of no samples.
pub fn percentile(samples: &[Duration], percent: usize) -> Option<Duration> {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}
