//! Everybody reads, merges and writes under the lock, and the patch holds nothing but what the model was asked for.
//!
//! Came out of the trials: what is still wrong with `bulk_patch_in_lock`, put right. The counters stay the row's; an
//! entry whose text has changed since the model saw it is left alone and reported failed (and no later run will find
//! it, because the edit has given it a category; see the README), and one that is upgraded already is left as it is;
//! the tool hands its scope on; an entry is upgraded if it was written, and not if it was restored. And the plugin
//! does the same: what it changes is made out of what it reads under the lock.
//!
//! So the gap between read and update is not inherent: the same store, the same lock, the same delete and add. What
//! is left is what a lock cannot give: a process that dies between delete and add, and one that goes on writing after
//! its lock was taken over. A reviewer would ask: and if you stop right here?

use retrial_sim::actor::Task;
use retrial_sim::document_store::{Changes, Document, Metadata, UpdateError, WriteError};
use retrial_sim::scenario::Break;

use super::super::bulk::{Merged, Recovery, bulk_update};
use super::super::plugin::Revision;
use super::super::smart_metadata::{self, is_upgraded};
use super::super::upgrader::{BatchResult, Enriched, Legacy, Upgrader};
use super::super::{Upgrade, breaks};

pub(super) struct Strategy;

impl Upgrade for Strategy {
    fn upgrade_batch<'a>(&'a self, tool: &'a Upgrader, batch: &'a [Legacy]) -> Task<'a, BatchResult> {
        Box::pin(async move {
            let enriched = tool.enrich_batch(batch).await;
            bulk_update(tool, &enriched, tool.scope, Recovery::CountsWritten, |row, enriched| {
                merged(tool, row, enriched)
            })
            .await
        })
    }

    fn revise<'a>(&'a self, revision: &'a Revision<'a>) -> Task<'a, Result<bool, UpdateError>> {
        Box::pin(revise(revision))
    }

    fn breaks(&self) -> &'static [Break] {
        BREAKS
    }
}

/// Seen in trials, with the reason.
const BREAKS: &[Break] = &[
    breaks::NO_ROW_BETWEEN_DELETE_AND_ADD,
    Break {
        from: "stale_lock",
        rarely: Some("crash"),
        because: "a process that has lost its lock writes what it had read before",
        ..breaks::PLUGIN_READS_TOO_SOON
    },
    Break {
        from: "stale_lock",
        rarely: Some("crash"),
        because: "a process that has lost its lock writes what it had read before",
        ..breaks::PLUGIN_TAKES_IT_BACK
    },
    breaks::WRITES_UNDER_A_LOST_LOCK,
    Break {
        from: "crash",
        rarely: Some("crash"),
        because: "a process that has lost its lock writes what it had read before",
        ..breaks::TEXT_HAS_CHANGED
    },
    Break {
        from: "crash",
        rarely: Some("crash"),
        because: "a process that has lost its lock writes what it had read before",
        ..breaks::WRITES_OUT_OF_SCOPE
    },
    Break {
        from: "all",
        rarely: Some("crash"),
        because: "a process that has lost its lock writes what it had read before",
        ..breaks::UPGRADES_AGAIN
    },
];

/// What becomes of a row that was read under the lock.
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

async fn revise(revision: &Revision<'_>) -> Result<bool, UpdateError> {
    let Revision { actor, store, id, .. } = revision;
    let held = store.lock().acquire(actor, "lock").await?;
    let revised = match store.get_by_id(actor, "read", *id).await {
        None => Ok(false),
        Some(row) if row.vector.is_none() => Err(UpdateError::Write(WriteError::NullVector(*id))),
        Some(row) => {
            let changes = revision.of(&row);
            store.update_locked(actor, *id, &changes, None).await.map(|updated| updated.is_some())
        }
    };
    let _ = held.release("unlock").await;
    revised
}
