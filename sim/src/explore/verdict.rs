//! Verdicts: what many trials show about one invariant. A violation always has its counterexample.

use crate::anomaly::Kind;
use crate::explore::case::Case;

/// The verdict on an invariant under one strategy in one environment.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// No trial violated it, and it was exercised this often.
    Holds {
        /// The sum over all trials.
        exercised: u64,
    },
    /// A trial violated it.
    Violated(Box<Counterexample>),
    /// No trial violated it, and at least one could not tell.
    Unknown(String),
    /// No trial violated it, and none exercised it.
    NotExercised,
}

/// The smallest trial seen that shows a violation.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// The case that replays it.
    pub case: Case,
    /// What went wrong, and in which column.
    pub kind: Kind,
    /// What went wrong, in one sentence.
    pub sentence: String,
    /// The kernel's steps.
    pub steps: u32,
    /// The number of injected faults.
    pub faults: usize,
    /// How many times the schedule switched away from an actor that could have continued.
    pub preemptions: u32,
    /// Requests to parts outside the engine, deliveries included.
    pub messages: usize,
    /// How it was shrunk; none if it was not.
    pub shrinking: Option<Shrinking>,
    pub(crate) size: Size,
}

/// The result of shrinking a counterexample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shrinking {
    /// The trials that shrinking took.
    pub trials: u32,
    /// The steps in them.
    pub steps: u64,
    /// Whether no single removal is left that keeps the violation; false if the budget was used up before that was
    /// known.
    pub is_minimal: bool,
}

/// The size of a counterexample. The derived order compares the fields from the top, what matters most to a reader
/// first.
///
/// A trial that is guided by part of a tape, or by a tape on part of a workload, has no choice and no fault that was
/// not on the tape. Every removal that keeps the violation therefore makes the counterexample smaller: what a removal
/// may increase, preemptions and steps, comes after what it cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size {
    /// The number of injected faults.
    pub faults: usize,
    /// The sum of their severities.
    pub severity: u32,
    /// Whether only a timed trial shows it.
    pub is_timed: bool,
    /// The number of values in the workload.
    pub workload: usize,
    /// The number of choices other than the default.
    pub choices: usize,
    /// How many times the schedule switched away from an actor that could have continued.
    pub preemptions: u32,
    /// The sum of how far into the trial the choices are, and of their values.
    pub reach: u64,
    /// The sum of the numbers in the workload.
    pub numbers: u64,
    /// The kernel's steps.
    pub steps: u32,
}

impl Counterexample {
    /// Its size.
    pub fn size(&self) -> Size {
        self.size
    }
}
