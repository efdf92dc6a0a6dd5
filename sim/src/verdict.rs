//! Verdicts: what many trials say of one invariant. A violation cannot exist without its witness.

use crate::anomaly::Kind;
use crate::case::Case;

/// What is known of an invariant under one strategy on one rung.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// No trial broke it, and it was exercised this often.
    Holds {
        /// The sum over all trials.
        exercised: u64,
    },
    /// A trial broke it.
    Violated(Box<Witness>),
    /// No trial broke it, and at least one could not tell.
    Unknown(String),
    /// No trial broke it, and in none did the situation come up.
    NotExercised,
}

/// The least trial seen that shows a violation.
#[derive(Clone, Debug)]
pub struct Witness {
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
}

/// How large a witness is: see [`Witness::size`].
pub type Size = (u32, usize, u32, usize, usize);

impl Witness {
    /// Fewer steps make a smaller witness; then fewer faults, preemptions and choices, and a shorter workload.
    pub fn size(&self) -> Size {
        (self.steps, self.faults, self.preemptions, self.case.tape.choices.len(), self.case.workload.len())
    }
}
