//! Patch and marker are merged into the row that is read under the lock.
//!
//! `bulkUpdateMetadataWithPatch` at commit 2d56900, the pull request's final answer to MR2: "base = DB re-read, +
//! cleanPatch (LLM fields), + cleanMarker; both are preserved". Absent values are filtered out before the merge, and
//! the recovery returns its result. A row without a vector throws before anything is deleted, as it did before there
//! was a check for it.
//!
//! What is still wrong: the patch also contains the values that a new memory begins with, among them `access_count: 0`,
//! which overwrites the plugin's count. A batch add that only seems to fail is made again, row by row, and an entry
//! whose original was restored counts as upgraded. The tool does not pass its scope on. (Later commits of the branch
//! check before they add again, 1ba9f4c, report what was restored, 4e934f9, and pass the scope on, 7d0b686.) And the
//! plugin's own `patchMetadata` reads before it takes the lock, so it writes old values over the upgrade. A reviewer
//! would ask: which of these fields does the upgrade know better than the row?

use crate::memory_upgrade::document_store::{Changes, Document};
use retrial_sim::actor::Task;
use retrial_sim::scenario::KnownFailure;

use super::super::bulk::{Merged, Recovery, bulk_update};
use super::super::upgrader::{BatchResult, Enriched, Legacy, Upgrader};
use super::super::{Upgrade, known_failures};

pub(super) struct Strategy;

impl Upgrade for Strategy {
    fn upgrade_batch<'a>(&'a self, tool: &'a Upgrader, batch: &'a [Legacy]) -> Task<'a, BatchResult> {
        Box::pin(async move {
            let enriched = tool.enrich_batch(batch).await;
            bulk_update(tool, &enriched, None, Recovery::CountsRestored, |row, enriched| {
                patched(tool, row, enriched)
            })
            .await
        })
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    known_failures::RESETS_THE_COUNTERS,
    known_failures::PLUGIN_TAKES_IT_BACK,
    known_failures::TEXT_HAS_CHANGED,
    known_failures::WRITES_OUT_OF_SCOPE,
    known_failures::A_DELETED_ONE_COMES_BACK,
    known_failures::RESTORED_COUNTS_AS_UPGRADED,
    known_failures::WRITES_UNDER_A_LOST_LOCK,
    known_failures::ADDS_AGAIN,
    known_failures::LOCK_FILE_IS_REMOVED,
];

/// The row with patch and marker merged into its metadata.
pub(super) fn patched(tool: &Upgrader, row: &Document, enriched: &Enriched<'_>) -> Merged {
    if row.vector.is_none() {
        return Merged::Throws;
    }
    let metadata = Some(tool.metadata(row, enriched));
    enriched.is_laid_over_the_row_just_read();
    Merged::Write(row.with(&Changes { metadata, ..Changes::default() }))
}
