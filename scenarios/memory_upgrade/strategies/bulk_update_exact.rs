//! The project's current code: `bulkUpdateExact`, one lock for a batch, and the metadata as phase one built it.
//!
//! Pull request 853 (dead2f8, "batch memory upgrader writes"), which was merged in place of 639, as main has it at
//! f6e63af: `writePreparedBatch` of src/memory-upgrader.ts, `bulkUpdateExact` and `runWithFileLock` of src/store.ts.
//! The scope is passed on, the store is checked after a failed add before anything is restored, an entry whose original
//! was restored counts as failed, reads see the latest commit (7af97d4), and an old lock file does no harm.
//!
//! What is still wrong is what the review of 639 called MR2: text and metadata are built from the row that the scan
//! found minutes ago, and written over whatever is there. A reviewer would ask: why read under the lock, if not to
//! merge?

use crate::memory_upgrade::document_store::{Changes, Handling};
use retrial_sim::actor::Task;
use retrial_sim::scenario::KnownFailure;

use super::super::bulk::{Merged, Recovery, bulk_update};
use super::super::upgrader::{AS_AT_F6E63AF, BatchResult, Legacy, Upgrader};
use super::super::{Upgrade, known_failures};

pub(super) struct Strategy;

impl Upgrade for Strategy {
    fn upgrade_batch<'a>(&'a self, tool: &'a Upgrader, batch: &'a [Legacy]) -> Task<'a, BatchResult> {
        Box::pin(async move {
            let enriched = tool.enrich_batch(batch).await;
            bulk_update(tool, &enriched, tool.scope, Recovery::RestoresOnly, |row, enriched| {
                if row.vector.is_none() {
                    return Merged::Throws;
                }
                let text = Some(enriched.abstracted());
                let metadata = Some(tool.metadata(&enriched.legacy.entry, enriched));
                Merged::Write(row.with(&Changes { text, metadata, ..Changes::default() }))
            })
            .await
        })
    }

    fn opens(&self) -> Handling {
        AS_AT_F6E63AF
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    known_failures::OVERWRITES_FROM_THE_SCAN,
    known_failures::PLUGIN_TAKES_IT_BACK,
    known_failures::NO_ROW_BETWEEN_DELETE_AND_ADD,
    known_failures::SAYS_FAILED_WHATEVER_WAS_DONE,
    known_failures::WRITES_UNDER_A_LOST_LOCK,
    known_failures::UPGRADES_AGAIN,
    KnownFailure {
        from: "all",
        rarely: Some("plugin"),
        because: "a recall reads the new abstract, the user edits the text, and the recall writes back what it read",
        ..known_failures::TEXT_HAS_CHANGED
    },
    KnownFailure {
        from: "stale_lock",
        rarely: Some("crash"),
        because: "the scope is checked under the lock, but a process that has lost its lock continues to \
                  write",
        ..known_failures::WRITES_OUT_OF_SCOPE
    },
];
