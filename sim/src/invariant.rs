//! Invariants: checks over the trace and the final rows. An invariant refers only to what can be observed from outside,
//! never to how a strategy works, and reports how often its situation was exercised.

use crate::anomaly::{Anomaly, Cell, Kind};
use crate::choice::Pace;
use crate::engine::Value;
use crate::fault::Environment;
use crate::trial::Run;

/// The evidence that an invariant judges.
#[derive(Debug)]
pub struct Evidence<'a, W> {
    /// The workload.
    pub workload: &'a W,
    /// The environment.
    pub environment: &'a Environment,
    /// The finished trial.
    pub run: &'a Run,
}

impl<W> Evidence<'_, W> {
    /// Whether durations in this trial are meaningful; see [`Pace`].
    pub fn is_timed(&self) -> bool {
        self.run.tape.pace == Pace::Timed
    }
}

/// The finding of an invariant for one trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The invariant holds.
    Holds {
        /// How often its situation was exercised; 0 means that the trial says nothing.
        exercised: u64,
    },
    /// It is violated.
    Violated(Breach),
    /// The trial cannot tell, for this reason.
    Unknown(String),
}

/// A violation of an invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// What went wrong, as the literature names it.
    pub anomaly: Anomaly,
    /// The cell in which it shows; none if it shows in no cell.
    pub on: Option<Cell>,
    /// One sentence that a reviewer understands without having seen the code.
    pub sentence: String,
    /// The index of the event at which it shows; none for the end of the trial.
    pub event: Option<usize>,
}

impl Finding {
    /// A violation that shows at the end of the trial and in no cell.
    pub fn broken(anomaly: Anomaly, sentence: impl Into<String>) -> Finding {
        Finding::Violated(Breach { anomaly, on: None, sentence: sentence.into(), event: None })
    }

    /// What violations of the same bug share; none if nothing is violated.
    pub fn kind(&self) -> Option<Kind> {
        if let Finding::Violated(breach) = self { Some(breach.kind()) } else { None }
    }

    /// The same as text, as cases have it.
    pub fn shows(&self) -> Option<String> {
        self.kind().map(|kind| kind.to_string())
    }

    /// The same finding, located at this event.
    #[must_use]
    pub fn at(mut self, event: usize) -> Finding {
        if let Finding::Violated(breach) = &mut self {
            breach.event = Some(event);
        }
        self
    }

    /// The same finding, located in this column of this table or part, in the row whose first column is `row`.
    #[must_use]
    pub fn on(mut self, part: &'static str, column: &'static str, row: impl Into<Option<Value>>) -> Finding {
        if let Finding::Violated(breach) = &mut self {
            breach.on = Some(Cell { part, column, row: row.into() });
        }
        self
    }
}

impl Breach {
    /// What violations of the same bug share.
    pub fn kind(&self) -> Kind {
        Kind { anomaly: self.anomaly, on: self.on.as_ref().map(|cell| (cell.part, cell.column)) }
    }
}

/// A check over one trial of a scenario whose workload is `W`.
pub trait Invariant<W>: Sync {
    /// Judges the evidence.
    fn check(&self, evidence: &Evidence<'_, W>) -> Finding;
}
