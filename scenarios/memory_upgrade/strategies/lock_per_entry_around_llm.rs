//! One lock for each entry, held during the model call.
//!
//! The code before, as pull request 639 describes it: "OLD: lock held during LLM call (seconds, blocks plugin)". (The
//! code that it really replaced is [`update_after_llm`](super::update_after_llm); see there.)
//!
//! What is wrong: every other writer of memories waits for a model. A reviewer would ask: which part of that call needs
//! the lock?

use crate::memory_upgrade::document_store::Changes;
use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::scenario::KnownFailure;

use super::super::upgrader::{BatchResult, Legacy, Upgrader};
use super::super::{Upgrade, known_failures};

pub(super) struct Strategy;

impl Upgrade for Strategy {
    fn upgrade_batch<'a>(&'a self, tool: &'a Upgrader, batch: &'a [Legacy]) -> Task<'a, BatchResult> {
        Box::pin(async move {
            let mut result = BatchResult { success: 0, failed: Vec::new() };
            for legacy in batch {
                match upgrade_entry(tool, legacy).await {
                    true => result.success += 1,
                    false => result.failed.push(legacy.entry.id),
                }
            }
            result
        })
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    known_failures::OVERWRITES_FROM_THE_SCAN,
    known_failures::PLUGIN_TAKES_IT_BACK,
    KnownFailure {
        invariant: "plugin_is_not_starved",
        anomalies: &[Anomaly::Starvation],
        from: "plugin",
        rarely: None,
        because: "the lock is held for as long as the model takes, one entry after another",
    },
    KnownFailure { rarely: Some("plugin"), ..known_failures::WRITES_OUT_OF_SCOPE },
    known_failures::A_DELETED_ONE_COMES_BACK,
    known_failures::NULL_COUNTS_AS_UPGRADED,
    KnownFailure { from: "crash", rarely: None, ..known_failures::WRITES_UNDER_A_LOST_LOCK },
    known_failures::UPGRADES_AGAIN,
    known_failures::LOCK_FILE_IS_REMOVED,
];

async fn upgrade_entry(tool: &Upgrader, legacy: &Legacy) -> bool {
    let Upgrader { actor, store, .. } = tool;
    let updated = store.run_with_file_lock(actor, async || {
        let enriched = tool.enrich(legacy).await;
        let changes = Changes {
            text: Some(enriched.abstracted()),
            metadata: Some(tool.metadata(&legacy.entry, &enriched)),
            ..Changes::default()
        };
        store.update_locked(actor, legacy.entry.id, &changes, None).await
    });
    updated.await.is_ok_and(|updated| updated.is_ok())
}
