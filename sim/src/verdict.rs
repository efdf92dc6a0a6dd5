//! Verdicts: what many trials say of one invariant. A violation cannot exist without its counterexample.

use crate::anomaly::Kind;
use crate::case::Case;

/// What is known of an invariant under one strategy in one environment.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// No trial broke it, and it was exercised this often.
    Holds {
        /// The sum over all trials.
        exercised: u64,
    },
    /// A trial broke it.
    Violated(Box<Counterexample>),
    /// No trial broke it, and at least one could not tell.
    Unknown(String),
    /// No trial broke it, and in none did the situation come up.
    NotExercised,
}

/// The least trial seen that shows a violation.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// How to hold it again.
    pub case: Case,
    /// What went wrong, and on what kind of cell.
    pub kind: Kind,
    /// What went wrong, in one sentence.
    pub sentence: String,
    /// The kernel's steps.
    pub steps: u32,
    /// How many faults struck.
    pub faults: usize,
    /// How many times an actor lost its turn.
    pub preemptions: u32,
    /// Requests to parts outside the engine, deliveries included.
    pub messages: usize,
    /// How it was shrunk; none where it is as it was met.
    pub shrinking: Option<Shrinking>,
    pub(crate) size: Size,
}

/// What shrinking a counterexample came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shrinking {
    /// The trials that it took.
    pub trials: u32,
    /// The steps in them.
    pub steps: u64,
    /// Whether no single removal is left that keeps the violation; if not, the budget was used up before that was
    /// known.
    pub is_minimal: bool,
}

/// How large a counterexample is, what matters most to a reader first: the derived order goes by the fields from the top.
///
/// A trial that is guided by part of a tape, or by a tape on part of a workload, has no choice and no fault that was
/// not on the tape. So every removal that keeps the violation makes the counterexample smaller: what may grow with one,
/// preemptions and steps, stands below what cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size {
    /// Faults that struck.
    pub faults: usize,
    /// How grave they were, added up.
    pub severity: u32,
    /// Whether it takes durations to show it.
    pub is_timed: bool,
    /// The values that the workload is made of.
    pub workload: usize,
    /// Choices other than the default.
    pub choices: usize,
    /// How many times an actor lost its turn.
    pub preemptions: u32,
    /// How far into the trial the choices stand, and how large their values are, added up.
    pub reach: u64,
    /// The numbers in the workload, added up.
    pub numbers: u64,
    /// The kernel's steps.
    pub steps: u32,
}

impl Counterexample {
    /// How large it is.
    pub fn size(&self) -> Size {
        self.size
    }
}
