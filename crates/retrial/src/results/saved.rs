//! Saved counterexamples, and what replaying them showed.

use retrial_sim::explore::case::Case;

use super::problem::Problem;

/// A saved counterexample.
#[derive(Clone, Debug)]
pub struct Saved {
    /// Its file's name.
    pub name: String,
    /// The case.
    pub case: Case,
}

/// A saved counterexample that was replayed.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The counterexample.
    pub saved: Saved,
    /// The result.
    pub outcome: Outcome,
}

/// The result of replaying a saved counterexample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The recorded verdict was reproduced.
    AsRecorded,
    /// It shows this instead; `None` if the invariant holds now.
    Other(Option<String>),
    /// It can no longer be replayed.
    Inapplicable(Inapplicable),
}

/// Why a saved counterexample can no longer be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inapplicable {
    /// Its trial has no result.
    NotReplayed(Problem),
    /// Its trial could not be judged, for this reason.
    Unknown(String),
}
