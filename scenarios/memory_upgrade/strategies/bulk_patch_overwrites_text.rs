//! As `bulk_patch_in_lock`, and the abstract becomes the text.
//!
//! "Update text to L0 abstract for better search indexing": so did the code before the pull request, its first versions
//! did, 2d56900 does not, and the branch ended with it again ("old design preserved stale text"). What is
//! wrong: the abstract is of the text that the scan has seen. What the user has written since is gone, and nobody has
//! read it.
//!
//! A reviewer would ask: whose is the text?

use retrial_sim::actor::Task;
use retrial_sim::document_store::Changes;
use retrial_sim::scenario::Break;

use super::super::bulk::{Merged, Recovery, bulk_update};
use super::super::upgrader::{BatchResult, Legacy, Upgrader};
use super::super::{Upgrade, breaks};
use super::bulk_patch_in_lock::patched;

pub(super) struct Strategy;

impl Upgrade for Strategy {
    fn upgrade_batch<'a>(&'a self, tool: &'a Upgrader, batch: &'a [Legacy]) -> Task<'a, BatchResult> {
        Box::pin(async move {
            let enriched = tool.enrich_batch(batch).await;
            bulk_update(tool, &enriched, None, Recovery::CountsRestored, |row, enriched| {
                match patched(tool, row, enriched) {
                    Merged::Write(row) => {
                        let text = Some(enriched.abstracted());
                        Merged::Write(row.with(&Changes { text, ..Changes::default() }))
                    }
                    other => other,
                }
            })
            .await
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
    breaks::WRITES_OUT_OF_SCOPE,
    breaks::A_DELETED_ONE_COMES_BACK,
    breaks::RESTORED_COUNTS_AS_UPGRADED,
    breaks::WRITES_UNDER_A_LOST_LOCK,
    breaks::ADDS_AGAIN,
    breaks::LOCK_FILE_IS_REMOVED,
];
