//! Tool and plugin read, merge and write under the lock, and the patch contains only what the model was asked for.
//!
//! Ours: fixes what is still wrong with `bulk_patch_in_lock` (2d56900), in the project's own terms. The row keeps its
//! counters. An entry whose text has changed since the model saw it is left alone and reported failed (and no later run
//! will find it, because the edit has given it a category; see the README). An entry that is already upgraded is left
//! as it is. The tool passes its scope on. An entry counts as upgraded if it was written, not if it was restored. The
//! plugin does the same: it computes its change from what it reads under the lock.
//!
//! What is still wrong: the read under the lock is not fresh. The project opens its store with `connect(dbPath)`, and
//! such a handle does not see what another process has committed. A reviewer would ask: as of when is that read?

use crate::memory_upgrade::document_store::{Changes, Document, Metadata, UpdateError, WriteError};
use retrial_sim::actor::Task;
use retrial_sim::scenario::KnownFailure;

use super::super::bulk::{Merged, Recovery, bulk_update};
use super::super::plugin::Revision;
use super::super::smart_metadata::{self, is_upgraded};
use super::super::upgrader::{BatchResult, Enriched, Legacy, Upgrader};
use super::super::{Upgrade, known_failures};

pub(super) struct Strategy;

impl Upgrade for Strategy {
    fn upgrade_batch<'a>(&'a self, tool: &'a Upgrader, batch: &'a [Legacy]) -> Task<'a, BatchResult> {
        Box::pin(upgrade_batch(tool, batch))
    }

    fn revise<'a>(&'a self, revision: &'a Revision<'a>) -> Task<'a, Result<bool, UpdateError>> {
        Box::pin(revise(revision))
    }

    fn known_failures(&self) -> &'static [KnownFailure] {
        KNOWN_FAILURES
    }
}

const THE_READ_IS_STALE: &str =
    "the read under the lock uses a handle that does not see what another process has committed";

/// Seen in trials, with the reason.
const KNOWN_FAILURES: &[KnownFailure] = &[
    KnownFailure { because: THE_READ_IS_STALE, ..known_failures::PLUGIN_READS_TOO_SOON },
    KnownFailure { because: THE_READ_IS_STALE, ..known_failures::PLUGIN_TAKES_IT_BACK },
    KnownFailure {
        from: "two_upgraders",
        rarely: Some("plugin"),
        because: THE_READ_IS_STALE,
        ..known_failures::SAYS_FAILED_WHATEVER_WAS_DONE
    },
    KnownFailure { because: THE_READ_IS_STALE, ..known_failures::WRITES_OUT_OF_SCOPE },
    KnownFailure { because: THE_READ_IS_STALE, ..known_failures::UPGRADES_AGAIN },
    known_failures::A_DELETED_ONE_COMES_BACK,
    known_failures::WRITES_UNDER_A_LOST_LOCK,
    known_failures::LOCK_FILE_IS_REMOVED,
];

pub(super) async fn upgrade_batch(tool: &Upgrader, batch: &[Legacy]) -> BatchResult {
    let enriched = tool.enrich_batch(batch).await;
    bulk_update(tool, &enriched, tool.scope, Recovery::CountsWritten, |row, enriched| {
        merged(tool, row, enriched)
    })
    .await
}

/// Decides what happens to a row that was read under the lock.
pub(super) fn merged(tool: &Upgrader, row: &Document, enriched: &Enriched<'_>) -> Merged {
    if is_upgraded(row) {
        return Merged::Done;
    }
    if row.text != enriched.legacy.entry.text || row.vector.is_none() {
        return Merged::Left;
    }
    enriched.is_for_the_row_just_read();
    let patch = smart_metadata::merge(enriched.fields(), tool.marker());
    let metadata = Some(Metadata::from_fields(smart_metadata::build(row, patch)));
    Merged::Write(row.with(&Changes { metadata, ..Changes::default() }))
}

pub(super) async fn revise(revision: &Revision<'_>) -> Result<bool, UpdateError> {
    let Revision { actor, store, id, .. } = revision;
    let revised = store.run_with_file_lock(actor, async || match store.get_by_id(actor, "read", *id).await {
        None => Ok(false),
        Some(row) if row.vector.is_none() => Err(UpdateError::Write(WriteError::NullVector(*id))),
        Some(row) => {
            let changes = revision.of(&row);
            store.update_locked(actor, *id, &changes, None).await.map(|updated| updated.is_some())
        }
    });
    revised.await?
}
