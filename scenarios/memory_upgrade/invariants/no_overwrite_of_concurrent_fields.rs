//! What the plugin has written to a memory, and was told so, stands in the end, or was superseded by somebody who had
//! seen it: its counters, its text, whatever it has set. By whomever it was lost.

use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::operation;

use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let operations = operation::recorded(&run.trace, history::MEMORIES);
        history::first_loss(run, &operations, |actor| history::is_plugin(run, actor), |_| true)
    }
}
