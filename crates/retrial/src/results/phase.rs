//! The phases of a run's plan, and how much of each was run.

use std::time::Duration;

/// A phase of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Replays saved counterexamples.
    Saved,
    /// Searches the smallest workloads exhaustively.
    Searches,
    /// Runs trials of drawn workloads.
    Trials,
    /// Shrinks the counterexamples.
    Shrinking,
}

/// How much of a phase was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The phase.
    pub phase: Phase,
    /// How much was run.
    pub done: u64,
    /// How much was planned; `None` if a time limit decides.
    pub planned: Option<u64>,
}

/// The phase that is under way.
#[derive(Clone, Copy, Debug)]
pub struct Current {
    /// How much of it was run.
    pub share: Share,
    /// The time since the beginning of the run.
    pub elapsed: Duration,
    /// The time limit, if a time limits this phase.
    pub limit: Option<Duration>,
}
