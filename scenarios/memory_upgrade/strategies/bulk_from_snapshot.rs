//! One call for the batch, one lock, and the whole metadata text as phase one built it.
//!
//! `bulkUpdateMetadata`, which finally takes "1 lock per batch": a read, a delete and an add of all rows under one
//! lock. What is wrong: everything but the metadata comes from the read under the lock, while the metadata is the
//! snapshot's, so "Plugin's injected_count=5" is overwritten all the same. And if an add fails, the recovery throws,
//! whatever it has saved. (A row without a vector throws before anything is deleted: `Array.from(null)` is a
//! TypeError.)
//!
//! A reviewer would ask: why read, if not to merge?

use crate::memory_upgrade::document_store::Changes;
use retrial_sim::actor::Task;
use retrial_sim::scenario::KnownFailure;

use super::super::bulk::{Merged, Recovery, bulk_update};
use super::super::upgrader::{BatchResult, Legacy, Upgrader};
use super::super::{Upgrade, known_failures};

pub(super) struct Strategy;

impl Upgrade for Strategy {
    fn upgrade_batch<'a>(&'a self, tool: &'a Upgrader, batch: &'a [Legacy]) -> Task<'a, BatchResult> {
        Box::pin(async move {
            let enriched = tool.enrich_batch(batch).await;
            bulk_update(tool, &enriched, None, Recovery::Throws, |row, enriched| {
                if row.vector.is_none() {
                    return Merged::Throws;
                }
                let metadata = Some(tool.metadata(&enriched.legacy.entry, enriched));
                Merged::Write(row.with(&Changes { metadata, ..Changes::default() }))
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
    known_failures::TEXT_HAS_CHANGED,
    known_failures::WRITES_OUT_OF_SCOPE,
    known_failures::A_DELETED_ONE_COMES_BACK,
    KnownFailure {
        because: "the recovery throws, so the batch is reported failed, including what was written",
        ..known_failures::SAYS_FAILED_WHATEVER_WAS_DONE
    },
    known_failures::WRITES_UNDER_A_LOST_LOCK,
    known_failures::ADDS_AGAIN,
    known_failures::LOCK_FILE_IS_REMOVED,
];
