//! Every change of a row, the tool's and the plugin's, is one commit that takes effect only if the row still holds what
//! was read.
//!
//! Ours, and the smallest change that holds: `table.mergeInsert("id").whenMatchedUpdateAll({ where })` in place of
//! delete and add, with the text, the scope and the metadata that were read as its condition. No row is deleted in
//! order to change it, so a crash leaves the old row or the new one; a writer that was overtaken updates 0 rows, reads
//! again and merges again. A version number (issue 638) is not needed, and one that is stored in the row would be lost
//! with it: the content is compared. The lock stays, to avoid wasted work; nothing depends on which process has it.
//!
//! The project knows the call: `applyManualRecallMetadataBatch` of its src/store.ts at f6e63af makes it, under the lock
//! and with the scope as its condition. A reviewer would ask: does any code still delete a row in order to change it?

use crate::memory_upgrade::document_store::{Handling, UpdateError};
use retrial_sim::actor::Task;

use super::super::Upgrade;
use super::super::bulk::{self, Batch, Merged};
use super::super::plugin::Revision;
use super::super::upgrader::{AS_AT_F6E63AF, BatchResult, Enriched, Legacy, Upgrader};
use super::merge_under_the_lock::merged;

pub(super) struct Strategy;

/// The maximum number of attempts of a writer that is overtaken.
const ATTEMPTS: u32 = 10;

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
}

/// Writes the batch; none if the call throws. An entry that was overtaken is merged with what the row holds by then. So
/// is one for which it is unknown whether it was written; if it was, it carries the marker.
async fn write(tool: &Upgrader, batch: &[Enriched<'_>]) -> Option<BatchResult> {
    let Upgrader { actor, store, .. } = tool;
    for _ in 0..ATTEMPTS {
        let rows = bulk::query(tool, "query", batch).await;
        let prepared = bulk::prepare(batch, &rows, tool.scope, |row, enriched| {
            let merged = merged(tool, row, enriched);
            if let Merged::Done = merged {
                enriched.is_upgraded_by_another(row);
            }
            merged
        });
        let Batch { originals, updated, done, failed } = prepared?;
        let pairs: Vec<_> = originals.into_iter().zip(updated).collect();
        if pairs.is_empty() {
            return Some(BatchResult { success: done, failed });
        }
        if store.merge_insert(actor, "merge", &pairs).await == Ok(pairs.len()) {
            return Some(BatchResult { success: done + pairs.len(), failed });
        }
    }
    None
}

async fn revise(revision: &Revision<'_>) -> Result<bool, UpdateError> {
    let Revision { actor, store, .. } = revision;
    store.run_with_file_lock(actor, async || revise_locked(revision).await).await?
}

async fn revise_locked(revision: &Revision<'_>) -> Result<bool, UpdateError> {
    let Revision { actor, store, id, .. } = revision;
    for _ in 0..ATTEMPTS {
        let Some(row) = store.get_by_id(actor, "read", *id).await else { return Ok(false) };
        let revised = row.with(&revision.of(&row));
        // A counter does not show whether a merge that seems to fail was made, so the caller gets the error.
        if store.merge_insert(actor, "merge", &[(row, revised)]).await.map_err(UpdateError::Write)? > 0 {
            return Ok(true);
        }
    }
    Err(UpdateError::Locked)
}
