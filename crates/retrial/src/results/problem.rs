//! What went wrong in the run itself, as opposed to what its trials found.

use std::any::Any;

use retrial_sim::error::Error;

/// Why a piece of work has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It failed with an error that has this text.
    Failed(String),
    /// It panicked with this message.
    Panicked(String),
}

impl Problem {
    /// A failure, with the text of the error and of its causes.
    pub fn failed(error: &anyhow::Error) -> Problem {
        Problem::Failed(format!("{error:#}"))
    }

    /// A caught panic.
    pub fn panicked(panic: &(dyn Any + Send)) -> Problem {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Problem::Panicked(text.unwrap_or_else(|| "no text".to_owned()))
    }
}

/// Which work of a strategy in an environment has no result, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Some of its trials.
    Trials(Problem),
    /// The shrunk form of a counterexample, which stays as it was found.
    Shrunk(Problem),
}

/// How two runs of one tape differed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disagreement {
    /// In the search, as the kernel tells it.
    Audit(String),
    /// When a counterexample was run again to be shrunk, its trial ended with this error.
    Shrinking(Error),
    /// In a new thread, the trial of a shrunk counterexample ended with this error.
    Replay(Error),
    /// In a new thread, the trial of a shrunk counterexample was another one.
    ReplayDiffers,
}
