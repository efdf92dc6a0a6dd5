//! `merge_under_the_lock_reading_latest`, but the new row is added before the old one is deleted.
//!
//! Ours: the closest that `add` and `delete` come to a swap. A process that crashes in between leaves one row too many
//! instead of one too few, and the old row is deleted only if it still holds what was read (`delete("id = .. AND
//! metadata = ..")`).
//!
//! What is wrong: LanceDB has no conditional add, so a process that has lost the lock is not refused. Every search
//! between the two commits finds the memory twice, and a memory that is left twice stays so. A reviewer would ask:
//! which of the two rows does `getById` return?

use crate::memory_upgrade::document_store::{Document, Handling, UpdateError, WriteError};
use retrial_sim::actor::Task;
use retrial_sim::scenario::KnownFailure;

use super::super::bulk::{self, Batch};
use super::super::plugin::Revision;
use super::super::upgrader::{AS_AT_F6E63AF, BatchResult, Enriched, Legacy, Upgrader};
use super::super::{Upgrade, known_failures};
use super::merge_under_the_lock::merged;

pub(super) struct Strategy;

impl Upgrade for Strategy {
    fn upgrade_batch<'a>(&'a self, tool: &'a Upgrader, batch: &'a [Legacy]) -> Task<'a, BatchResult> {
        Box::pin(async move {
            let enriched = tool.enrich_batch(batch).await;
            bulk::under_one_lock(tool, &enriched, async || write(tool, &enriched).await).await
        })
    }

    fn revise<'a>(&'a self, revision: &'a Revision<'a>) -> Task<'a, Result<bool, UpdateError>> {
        Box::pin(revise(revision))
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
    KnownFailure {
        because: "a process that crashes between add and delete, or whose add only seems to fail, leaves the \
                  memory twice",
        rarely: Some("add_fails"),
        ..known_failures::NO_ROW_BETWEEN_DELETE_AND_ADD
    },
    known_failures::WRITES_UNDER_A_LOST_LOCK,
    KnownFailure {
        because: NOBODY_IS_REFUSED,
        from: "stale_lock",
        rarely: Some("crash"),
        ..known_failures::PLUGIN_READS_TOO_SOON
    },
    KnownFailure {
        because: NOBODY_IS_REFUSED,
        from: "stale_lock",
        rarely: Some("crash"),
        ..known_failures::PLUGIN_TAKES_IT_BACK
    },
    KnownFailure {
        because: NOBODY_IS_REFUSED,
        from: "stale_lock",
        rarely: Some("stale_lock"),
        ..known_failures::WRITES_OUT_OF_SCOPE
    },
    KnownFailure {
        because: NOBODY_IS_REFUSED,
        from: "all",
        rarely: Some("crash"),
        ..known_failures::UPGRADES_AGAIN
    },
];

const NOBODY_IS_REFUSED: &str =
    "an add has no condition, so a process that has lost its lock adds what it read before";

/// Writes the batch; none if the call throws.
async fn write(tool: &Upgrader, batch: &[Enriched<'_>]) -> Option<BatchResult> {
    let Upgrader { actor, store, .. } = tool;
    let rows = bulk::query(tool, "query", batch).await;
    let prepared = bulk::prepare(batch, &rows, tool.scope, |row, enriched| merged(tool, row, enriched));
    let Batch { originals, updated, done, mut failed } = prepared?;
    if updated.is_empty() {
        return Some(BatchResult { success: done, failed });
    }
    if store.add(actor, "add", &updated).await.is_err() {
        // The add may have succeeded despite its error.
        let there = bulk::query(tool, "check", batch).await;
        let stands = |row: &Document| there.iter().any(|there| there.holds_the_same(row));
        if !updated.iter().all(stands) {
            failed.extend(updated.iter().map(|row| row.id));
            return Some(BatchResult { success: done, failed });
        }
    }
    let _ = store.delete_unchanged(actor, "delete-old", &originals).await;
    Some(BatchResult { success: done + updated.len(), failed })
}

async fn revise(revision: &Revision<'_>) -> Result<bool, UpdateError> {
    let Revision { actor, store, .. } = revision;
    let revised = store.run_with_file_lock(actor, async || revise_locked(revision).await).await?;
    revised.map_err(UpdateError::Write)
}

async fn revise_locked(revision: &Revision<'_>) -> Result<bool, WriteError> {
    let Revision { actor, store, id, .. } = revision;
    let Some(row) = store.get_by_id(actor, "read", *id).await else { return Ok(false) };
    let revised = row.with(&revision.of(&row));
    store.add(actor, "add", &[revised]).await?;
    let _ = store.delete_unchanged(actor, "delete-old", &[row]).await;
    Ok(true)
}
