//! Whatever a worker leaves in its conversation's transcript is based on what the last one has left there.
//!
//! Two workers of one conversation at a time, in one pod or in two, both begin with the same transcript, and the
//! second to end overwrites the first. That two are running for a moment shows in no row, so it is not asked.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::Value;
use retrial_sim::invariant::{Evidence, Finding, Invariant as Check};
use retrial_sim::trace::What;

use super::super::Workload;

pub(super) struct Invariant;

/// The columns of `transcripts`, in their order.
const CONVERSATION: usize = 0;
const REVISION: usize = 1;
const BASED_ON: usize = 2;
const RUN: usize = 3;

impl Check<Workload> for Invariant {
    fn check(&self, evidence: &Evidence<'_, Workload>) -> Finding {
        let mut exercised = 0;
        for (index, event) in evidence.run.trace.events.iter().enumerate() {
            let What::Committed(changes) = &event.what else { continue };
            for change in &**changes {
                let (Some(before), Some(after)) = (&change.before, &change.after) else { continue };
                if before[REVISION] == after[REVISION] {
                    continue;
                }
                if before[REVISION] != after[BASED_ON] {
                    let [conversation, run, base] = [&after[CONVERSATION], &after[RUN], &after[BASED_ON]];
                    let sentence = format!(
                        "run {run} overwrote revision {} of conversation {conversation}, which it had not seen: it \
                         had begun with {base}",
                        before[REVISION]
                    );
                    return Finding::broken(Anomaly::LostUpdate, sentence).at(index).on(
                        "transcripts",
                        "revision",
                        Value::clone(conversation),
                    );
                }
                exercised += 1;
            }
        }
        Finding::Holds { exercised }
    }
}
