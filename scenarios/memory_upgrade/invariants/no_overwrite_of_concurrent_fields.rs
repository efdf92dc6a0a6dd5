//! What the plugin has written to a memory, and was told so, stands in the end, or was superseded by somebody who had
//! seen it: its counters, its text, whatever it has set. By whomever it was lost.

use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::operation;

use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let mut operations = operation::recorded(&run.trace, history::MEMORIES);
        for operation in operations.iter_mut().filter(|operation| history::is_tool(run, operation.actor)) {
            // What the tool was acknowledged for is another invariant's.
            operation.acknowledged = None;
        }
        history::losses(run, &operations)
    }
}
