//! Each entry is read again right before its update.
//!
//! The answer to the first review: "MR2: re-read the latest state before each write". The text is left alone, and the
//! tool yields for 10 ms after every five writes. What is wrong: the read is outside of the lock that `update` takes.
//! "C1 TOCTOU: getById() and update() not atomic: this is inherent to LanceDB's delete+add pattern."
//!
//! A reviewer would ask: what happens between the two?

use std::time::Duration;

use crate::memory_upgrade::document_store::Changes;
use retrial_sim::actor::Task;
use retrial_sim::scenario::KnownFailure;

use super::super::upgrader::{BatchResult, Enriched, Legacy, Upgrader};
use super::super::{Upgrade, known_failures};

pub(super) struct Strategy;

/// "F5: yield every 5 writes".
const YIELD_EVERY: usize = 5;
const YIELD: Duration = Duration::from_millis(10);

impl Upgrade for Strategy {
    fn upgrade_batch<'a>(&'a self, tool: &'a Upgrader, batch: &'a [Legacy]) -> Task<'a, BatchResult> {
        Box::pin(async move {
            let enriched = tool.enrich_batch(batch).await;
            let mut result = BatchResult { success: 0, failed: Vec::new() };
            for (number, enriched) in enriched.iter().enumerate() {
                match write(tool, enriched).await {
                    true => result.success += 1,
                    false => result.failed.push(enriched.id()),
                }
                if (number + 1) % YIELD_EVERY == 0 {
                    tool.actor.sleep("yield", YIELD).await;
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
    KnownFailure {
        because: "the plugin writes between the read and the update, and the update restores what was read; \
                  and it resets the counters",
        ..known_failures::RESETS_THE_COUNTERS
    },
    known_failures::PLUGIN_TAKES_IT_BACK,
    known_failures::TEXT_HAS_CHANGED,
    known_failures::WRITES_OUT_OF_SCOPE,
    known_failures::A_DELETED_ONE_COMES_BACK,
    KnownFailure { from: "add_fails", rarely: Some("plugin"), ..known_failures::NULL_COUNTS_AS_UPGRADED },
    known_failures::WRITES_UNDER_A_LOST_LOCK,
    known_failures::UPGRADES_AGAIN,
    known_failures::LOCK_FILE_IS_REMOVED,
];

async fn write(tool: &Upgrader, enriched: &Enriched<'_>) -> bool {
    let Upgrader { actor, store, .. } = tool;
    let Some(latest) = store.get_by_id(actor, "reread", enriched.id()).await else { return false };
    let changes = Changes { metadata: Some(tool.metadata(&latest, enriched)), ..Changes::default() };
    enriched.is_laid_over_the_row_just_read();
    store.update(actor, enriched.id(), &changes, None).await.is_ok()
}
