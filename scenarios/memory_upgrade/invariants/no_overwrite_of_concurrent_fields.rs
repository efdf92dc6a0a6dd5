//! What the plugin wrote to a memory, and was acknowledged, remains in the end or was superseded by a writer that had
//! seen it: counters, text, every field that it set. It does not matter which process caused the loss.

use retrial_sim::checks::operation;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};

use super::super::{Workload, history};

pub(super) struct Invariant;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let run = evidence.run;
        let operations = operation::recorded(&run.trace, history::MEMORIES);
        history::first_loss(run, &operations, |actor| history::is_plugin(run, actor), |_| true)
    }
}
