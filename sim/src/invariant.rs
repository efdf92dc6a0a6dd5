//! Invariants: checks over the trace and the final rows. One speaks of what could be observed from outside, never
//! of how a strategy works, and says how often the situation it is about really came up.

use crate::choice::Pace;
use crate::fault::Rung;
use crate::trial::Run;

/// What an invariant may look at.
#[derive(Debug)]
pub struct Evidence<'a, W> {
    /// What the trial was given to do.
    pub workload: &'a W,
    /// The environment it ran in.
    pub rung: &'a Rung,
    /// What happened.
    pub run: &'a Run,
}

impl<W> Evidence<'_, W> {
    /// Whether durations in this trial mean anything; see [`Pace`].
    pub fn is_timed(&self) -> bool {
        self.run.tape.pace == Pace::Timed
    }
}

/// What an invariant found in one trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Nothing against it.
    Holds {
        /// How often the situation it is about came up; 0 means that the trial says nothing.
        exercised: u64,
    },
    /// It is broken.
    Violated(Breach),
    /// The trial cannot tell, for this reason.
    Unknown(String),
}

/// How an invariant is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// One sentence that a reviewer understands without having seen the code.
    pub sentence: String,
    /// The index of the event at which it shows; none for the end of the trial.
    pub event: Option<usize>,
}

impl Finding {
    /// A breach that shows at this event.
    pub fn broken_at(event: usize, sentence: impl Into<String>) -> Finding {
        Finding::Violated(Breach { sentence: sentence.into(), event: Some(event) })
    }

    /// A breach that shows at the end.
    pub fn broken(sentence: impl Into<String>) -> Finding {
        Finding::Violated(Breach { sentence: sentence.into(), event: None })
    }
}

/// A check over one trial of a scenario whose workload is `W`.
pub trait Invariant<W>: Sync {
    /// Looks at the evidence.
    fn check(&self, evidence: &Evidence<'_, W>) -> Finding;
}
