//! A lock for each entry, held while the model is asked.
//!
//! What was there before, as pull request 639 tells it: "OLD: lock held during LLM call (seconds, blocks plugin)". (The
//! code that it replaced is [`update_after_llm`](super::update_after_llm); see there.)
//!
//! What is wrong: whoever wants to write a memory waits for a model. A reviewer would ask: what of that call needs the
//! lock?

use retrial_sim::actor::Task;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::document_store::Changes;
use retrial_sim::scenario::Break;

use super::super::upgrader::{BatchResult, Legacy, Upgrader};
use super::super::{Upgrade, breaks};

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

    fn breaks(&self) -> &'static [Break] {
        BREAKS
    }
}

/// Seen in trials, with the reason.
const BREAKS: &[Break] = &[
    breaks::OVERWRITES_FROM_THE_SCAN,
    breaks::PLUGIN_TAKES_IT_BACK,
    Break {
        invariant: "plugin_is_not_starved",
        anomalies: &[Anomaly::Starvation],
        from: "plugin",
        rarely: None,
        because: "the lock is held for as long as the model takes, one entry after the other",
    },
    Break { rarely: Some("plugin"), ..breaks::WRITES_OUT_OF_SCOPE },
    breaks::A_DELETED_ONE_COMES_BACK,
    breaks::NULL_COUNTS_AS_UPGRADED,
    Break { from: "crash", rarely: None, ..breaks::WRITES_UNDER_A_LOST_LOCK },
    breaks::UPGRADES_AGAIN,
    breaks::LOCK_FILE_IS_REMOVED,
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
