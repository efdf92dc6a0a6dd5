//! Like `bulk_patch_in_lock`, but the abstract also replaces the text.
//!
//! "Update text to L0 abstract for better search indexing": the code before the pull request and its first versions did
//! this, 2d56900 does not, and the branch ended with it again ("old design preserved stale text"). What is wrong: the
//! abstract is of the text that the scan saw. What the user has written since is lost, and was never read.
//!
//! A reviewer would ask: who owns the text?

use crate::memory_upgrade::document_store::Changes;
use retrial_sim::actor::Task;
use retrial_sim::scenario::KnownFailure;

use super::super::bulk::{Merged, Recovery, bulk_update};
use super::super::upgrader::{BatchResult, Legacy, Upgrader};
use super::super::{Upgrade, known_failures};
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
    known_failures::RESTORED_COUNTS_AS_UPGRADED,
    known_failures::WRITES_UNDER_A_LOST_LOCK,
    known_failures::ADDS_AGAIN,
    known_failures::LOCK_FILE_IS_REMOVED,
];
