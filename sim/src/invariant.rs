//! Invariants: checks over the trace and the final rows. One speaks of what could be observed from outside, never
//! of how a strategy works, and says how often the situation it is about really came up.

use crate::anomaly::{Anomaly, Cell, Kind};
use crate::choice::Pace;
use crate::engine::Value;
use crate::fault::Environment;
use crate::trial::Run;

/// What an invariant may look at.
#[derive(Debug)]
pub struct Evidence<'a, W> {
    /// What the trial was given to do.
    pub workload: &'a W,
    /// The environment it ran in.
    pub environment: &'a Environment,
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
    /// What went wrong, as the field calls it.
    pub anomaly: Anomaly,
    /// Where it shows; none where it shows in no cell.
    pub on: Option<Cell>,
    /// One sentence that a reviewer understands without having seen the code.
    pub sentence: String,
    /// The index of the event at which it shows; none for the end of the trial.
    pub event: Option<usize>,
}

impl Finding {
    /// A breach that shows at the end of the trial and in no cell.
    pub fn broken(anomaly: Anomaly, sentence: impl Into<String>) -> Finding {
        Finding::Violated(Breach { anomaly, on: None, sentence: sentence.into(), event: None })
    }

    /// What it has in common with others of the same bug; none where nothing is broken.
    pub fn kind(&self) -> Option<Kind> {
        if let Finding::Violated(breach) = self { Some(breach.kind()) } else { None }
    }

    /// The same in words, as cases have it.
    pub fn shows(&self) -> Option<String> {
        self.kind().map(|kind| kind.to_string())
    }

    /// The same, where it shows at this event.
    #[must_use]
    pub fn at(mut self, event: usize) -> Finding {
        if let Finding::Violated(breach) = &mut self {
            breach.event = Some(event);
        }
        self
    }

    /// The same, where it shows in this column of this table or part, in the row whose first column has that value.
    #[must_use]
    pub fn on(mut self, part: &'static str, column: &'static str, row: impl Into<Option<Value>>) -> Finding {
        if let Finding::Violated(breach) = &mut self {
            breach.on = Some(Cell { part, column, row: row.into() });
        }
        self
    }
}

impl Breach {
    /// What it has in common with others of the same bug.
    pub fn kind(&self) -> Kind {
        Kind { anomaly: self.anomaly, on: self.on.as_ref().map(|cell| (cell.part, cell.column)) }
    }
}

/// A check over one trial of a scenario whose workload is `W`.
pub trait Invariant<W>: Sync {
    /// Looks at the evidence.
    fn check(&self, evidence: &Evidence<'_, W>) -> Finding;
}
