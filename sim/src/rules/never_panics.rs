//! No actor panics.

use super::{Demand, Rule};
use crate::anomaly::Anomaly;
use crate::invariant::Finding;
use crate::trial::{Ending, Run};

pub(super) const RULE: Rule =
    Rule { name: "never_panics", about: "No actor panics.", demand: Demand::EveryTrial, check };

fn check(run: &Run) -> Finding {
    match &run.ending {
        Ending::Panicked { actor, message } => {
            Finding::broken(Anomaly::Panic, format!("{} {message}", run.trace.name(*actor)))
        }
        _ => Finding::Holds { exercised: 1 },
    }
}
