//! What went wrong in the run itself.

use retrial_sim::explore::LIKELY_CAUSES;

use crate::results::Line;
use crate::results::problem::{Disagreement, Missing, Problem};

/// Why a piece of work has no result; `what` is the work.
pub(super) fn problem(problem: &Problem, what: &str) -> String {
    match problem {
        Problem::Failed(error) => error.clone(),
        Problem::Panicked(message) => format!("{what} panicked: {message}"),
    }
}

/// Which work has no result, and why.
pub(super) fn missing(missing: &Missing) -> String {
    match missing {
        Missing::Trials(why) => problem(why, "it"),
        Missing::Shrunk(why) => format!("a counterexample cannot be shrunk: {}", problem(why, "it")),
    }
}

/// How two runs of one tape differed.
pub(super) fn disagreement(disagreement: &Disagreement) -> String {
    match disagreement {
        Disagreement::Audit(how) => how.clone(),
        Disagreement::Shrinking(error) => {
            format!("run again to be shrunk, the trial of a counterexample {error}")
        }
        Disagreement::Replay(error) => {
            format!("run again in a new thread, the trial of a counterexample {error}")
        }
        Disagreement::ReplayDiffers => {
            format!("run again in a new thread, the trial of a counterexample differed; {LIKELY_CAUSES}")
        }
    }
}

/// Why the trials of a line could not be run or judged; nothing if they could.
pub(super) fn obstacle(line: &Line) -> Option<String> {
    let differed = line.disagreement().as_ref().map(disagreement);
    let failure = || line.report.failure.as_ref().map(|failure| failure.error.to_string());
    differed.or_else(|| line.missing.as_ref().map(missing)).or_else(failure)
}
