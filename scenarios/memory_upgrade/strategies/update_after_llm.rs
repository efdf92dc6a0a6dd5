//! The model is called without a lock; `update` takes its own for the write.
//!
//! The actual code before pull request 639: `upgradeEntry` awaits the model first and then calls `store.update()`,
//! which takes the lock. No lock was ever held during a model call.
//!
//! What is wrong: text and metadata are built from the row as the scan found it, and `update` replaces both. What the
//! plugin has written since then is lost. And `update` returns null for a row that no longer exists, which is not
//! checked. A reviewer would ask: how old is what you write back?

use crate::memory_upgrade::document_store::Changes;
use retrial_sim::actor::Task;
use retrial_sim::scenario::KnownFailure;

use super::super::upgrader::{BatchResult, Enriched, Legacy, Upgrader};
use super::super::{Upgrade, known_failures};

pub(super) struct Strategy;

impl Upgrade for Strategy {
    fn upgrade_batch<'a>(&'a self, tool: &'a Upgrader, batch: &'a [Legacy]) -> Task<'a, BatchResult> {
        Box::pin(async move {
            let mut result = BatchResult { success: 0, failed: Vec::new() };
            for legacy in batch {
                let enriched = tool.enrich(legacy).await;
                write_back(tool, &enriched, &mut result).await;
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
    known_failures::WRITES_OUT_OF_SCOPE,
    known_failures::A_DELETED_ONE_COMES_BACK,
    known_failures::NULL_COUNTS_AS_UPGRADED,
    known_failures::WRITES_UNDER_A_LOST_LOCK,
    known_failures::UPGRADES_AGAIN,
    known_failures::LOCK_FILE_IS_REMOVED,
];

/// Writes an entry's text and metadata as built from the scan.
pub(super) async fn write_back(tool: &Upgrader, enriched: &Enriched<'_>, result: &mut BatchResult) {
    let changes = Changes {
        text: Some(enriched.abstracted()),
        metadata: Some(tool.metadata(&enriched.legacy.entry, enriched)),
        ..Changes::default()
    };
    // Only an exception is an error; a missing row is not.
    match tool.store.update(&tool.actor, enriched.id(), &changes, None).await {
        Ok(_) => result.success += 1,
        Err(_) => result.failed.push(enriched.id()),
    }
}
