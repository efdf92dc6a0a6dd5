//! The phases of a run's plan, and how much of each was run.

use crate::results::phase::{Current, Phase, Share};

/// The name of a phase in JSON.
pub(super) fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Saved => "saved_counterexamples",
        Phase::Searches => "searches",
        Phase::Trials => "trials",
        Phase::Shrinking => "shrinking",
    }
}

/// The label of the progress bar.
pub(crate) fn under_way(phase: Phase) -> &'static str {
    match phase {
        Phase::Saved => "replaying saved counterexamples",
        Phase::Searches => "searching the smallest workloads",
        Phase::Trials => "running trials",
        Phase::Shrinking => "shrinking counterexamples",
    }
}

/// The counted unit, after a number.
fn unit(phase: Phase) -> &'static str {
    match phase {
        Phase::Saved => "saved counterexamples replayed",
        Phase::Searches => "searches run",
        Phase::Trials => "trials run",
        Phase::Shrinking => "counterexamples shrunk",
    }
}

/// How much of a phase was run.
pub(super) fn share(share: &Share) -> String {
    let Share { phase, done, planned } = share;
    match planned {
        Some(planned) => format!("{done} of {planned} {}", unit(*phase)),
        None => format!("{done} {}", unit(*phase)),
    }
}

/// How far a run is, where there is no terminal.
pub(crate) fn line(current: &Current) -> String {
    let limit = current.limit.map_or(String::new(), |limit| format!(" of {}", limit.as_secs()));
    format!("progress: {}, {}{limit} s", share(&current.share), current.elapsed.as_secs())
}
