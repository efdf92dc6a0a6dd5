//! No lock: the tool writes a row only if it is unchanged since the tool read it.
//!
//! Plan B of the pull request (issue 638, "Compare-and-Swap for Lock-Free Memory Upgrades"), as far as the tool alone
//! can go: read, build, swap in one conditional commit, and read again if the swap is refused.
//!
//! What is wrong: one side swaps and the other does not. The plugin's `update` reads under its lock, which does not
//! stop the tool, and then deletes whatever is there. A reviewer would ask: who else writes these rows, and do they
//! compare?

use crate::memory_upgrade::document_store::Changes;
use retrial_sim::actor::Task;
use retrial_sim::scenario::KnownFailure;

use super::super::upgrader::{BatchResult, Enriched, Legacy, Upgrader};
use super::super::{Upgrade, known_failures};

pub(super) struct Strategy;

/// The maximum number of attempts.
const ATTEMPTS: u32 = 5;

impl Upgrade for Strategy {
    fn upgrade_batch<'a>(&'a self, tool: &'a Upgrader, batch: &'a [Legacy]) -> Task<'a, BatchResult> {
        Box::pin(async move {
            let mut result = BatchResult { success: 0, failed: Vec::new() };
            for legacy in batch {
                let enriched = tool.enrich(legacy).await;
                match write(tool, &enriched).await {
                    true => result.success += 1,
                    false => result.failed.push(enriched.id()),
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
    known_failures::RESETS_THE_COUNTERS,
    KnownFailure {
        because: "the plugin reads under its lock, and deletes whatever is there, including what was swapped \
                  in meanwhile",
        ..known_failures::PLUGIN_TAKES_IT_BACK
    },
    known_failures::TEXT_HAS_CHANGED,
    KnownFailure { rarely: Some("plugin"), ..known_failures::WRITES_OUT_OF_SCOPE },
    known_failures::A_DELETED_ONE_COMES_BACK,
    known_failures::SAYS_FAILED_WHATEVER_WAS_DONE,
    known_failures::WRITES_UNDER_A_LOST_LOCK,
    known_failures::UPGRADES_AGAIN,
    known_failures::LOCK_FILE_IS_REMOVED,
];

async fn write(tool: &Upgrader, enriched: &Enriched<'_>) -> bool {
    let (Upgrader { actor, store, .. }, id) = (tool, enriched.id());
    for _ in 0..ATTEMPTS {
        let Some(row) = store.get_by_id(actor, "read", id).await else { return false };
        let metadata = Some(tool.metadata(&row, enriched));
        enriched.is_laid_over_the_row_just_read();
        let updated = row.with(&Changes { metadata, ..Changes::default() });
        match store.merge_insert(actor, "merge", &[(row, updated)]).await {
            Ok(0) => {}
            Ok(_) => return true,
            Err(_) => return false,
        }
    }
    false
}
