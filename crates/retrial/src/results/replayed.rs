//! What replaying a case showed, alone or against another strategy.

use retrial_sim::error::Error;
use retrial_sim::explore::Replayed;
use retrial_sim::explore::case::Case;
use retrial_sim::explore::cross_replay::{self, Against};
use retrial_sim::invariant::Finding;

use crate::exit::Exit;

/// A case that was replayed.
pub struct Replay {
    /// The case, with the engine that it was replayed on. If it was replayed against another strategy, with that one.
    pub case: Case,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of replaying a case.
pub enum Outcome {
    /// Its trial, and how that compares with the recorded one.
    Alone(Replayed, Likeness),
    /// The cross-replay against another strategy.
    Against(Against),
    /// Its choices no longer apply.
    Unreachable(Error),
}

/// How a trial compares with the recorded one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// The digests are equal.
    Same,
    /// The verdict and the events are the same; only their costs differ.
    SameButForCosts,
    /// The trials differ.
    Other,
}

impl Replay {
    /// The exit code: whether the recorded verdict was reproduced.
    pub fn exit(&self) -> Exit {
        let finding = match &self.outcome {
            Outcome::Alone(replayed, _) => &replayed.finding,
            Outcome::Against(Against { outcome: cross_replay::Outcome::Replayed(replayed), .. }) => {
                &replayed.finding
            }
            Outcome::Against(_) | Outcome::Unreachable(_) => return Exit::Unknown,
        };
        match finding {
            Finding::Unknown(_) => Exit::Unknown,
            finding if finding.shows() == self.case.shows => Exit::AsExpected,
            _ => Exit::Differs,
        }
    }
}
