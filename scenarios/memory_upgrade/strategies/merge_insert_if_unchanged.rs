//! Every change of a row, the tool's and the plugin's, is one commit that takes effect only if the row still holds what
//! was read.
//!
//! Ours, and the least change that holds: `table.mergeInsert("id").whenMatchedUpdateAll({ where })` with the text, the
//! scope and the metadata that were read as the condition, in place of delete and add. Nothing is ever deleted to be
//! changed, so who dies leaves the old row or the new one; who was overtaken updates 0 rows, reads again and merges
//! again. A number for each version (issue 638) is not needed, and one that lives in the row dies with it: what is
//! compared is the content. The lock stays, to keep two from working for nothing; nothing depends on who has it.
//!
//! The project knows the call: `applyManualRecallMetadataBatch` of its src/store.ts at f6e63af makes it, under the lock
//! and with the scope for its condition. A reviewer would ask: does anybody still delete a row in order to change it?

use retrial_sim::actor::Task;
use retrial_sim::document_store::{Handling, UpdateError, WriteError};

use super::super::Upgrade;
use super::super::bulk::{self, Batch, Merged};
use super::super::plugin::Revision;
use super::super::upgrader::{AS_AT_F6E63AF, BatchResult, Enriched, Legacy, Upgrader};
use super::merge_under_the_lock::merged;

pub(super) struct Strategy;

/// How often whoever was overtaken begins anew.
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

/// An entry that was overtaken is merged with what stands there by then. So is one of which it is not known whether it
/// was written; if it was, it carries the marker. None where the call throws.
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
        if row.vector.is_none() {
            return Err(UpdateError::Write(WriteError::NullVector(*id)));
        }
        let revised = row.with(&revision.of(&row));
        // Whether a merge that seems to fail was made, nobody can tell from a counter; the caller hears of the error.
        if store.merge_insert(actor, "merge", &[(row, revised)]).await.map_err(UpdateError::Write)? > 0 {
            return Ok(true);
        }
    }
    Err(UpdateError::Locked)
}
