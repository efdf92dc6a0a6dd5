//! `bulkUpdateMetadata` and `bulkUpdateMetadataWithPatch`: one lock for a batch, one read, one delete, one add, and a
//! recovery if the add fails. The strategy decides what happens to each row.

use std::rc::Rc;

use crate::memory_upgrade::document_store::Document;

use super::upgrader::{BatchResult, Enriched, Upgrader};

/// What happens to a row.
pub(super) enum Merged {
    /// It is replaced by this row.
    Write(Document),
    /// Nothing: it is already upgraded.
    Done,
    /// It is left unchanged, and counts as failed.
    Left,
    /// The call throws, before anything is deleted.
    Throws,
}

/// How the call recovers from a failed add, and what it reports.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Recovery {
    /// It throws after the recovery, whatever the recovery achieved.
    Throws,
    /// An entry whose original was restored counts as upgraded.
    CountsRestored,
    /// An entry counts as upgraded if it was written, by the failed add or by the one after it.
    CountsWritten,
    /// The add is not retried: missing rows are restored as they were, and every entry counts as failed.
    RestoresOnly,
}

/// A batch, prepared for writing.
pub(super) struct Batch {
    /// The rows to be written, as they are.
    pub(super) originals: Vec<Rc<Document>>,
    /// The same rows as they will be.
    pub(super) updated: Vec<Document>,
    /// The number of entries that are already upgraded.
    pub(super) done: usize,
    /// The ids of the entries that are left unchanged.
    pub(super) failed: Vec<i64>,
}

/// Takes the lock once, and writes the batch.
pub(super) async fn bulk_update(
    tool: &Upgrader,
    batch: &[Enriched<'_>],
    scope: Option<&'static str>,
    recovery: Recovery,
    merge: impl Fn(&Document, &Enriched<'_>) -> Merged,
) -> BatchResult {
    under_one_lock(tool, batch, async || {
        let rows = query(tool, "query", batch).await;
        match prepare(batch, &rows, scope, merge) {
            Some(prepared) => write(tool, prepared, recovery).await,
            None => None,
        }
    })
    .await
}

/// Runs `work` on a batch under the lock, which is taken once. If the lock cannot be acquired or the work throws
/// (returns none), every entry has failed.
pub(super) async fn under_one_lock(
    tool: &Upgrader,
    batch: &[Enriched<'_>],
    work: impl AsyncFnOnce() -> Option<BatchResult>,
) -> BatchResult {
    let done = tool.store.run_with_file_lock(&tool.actor, work).await;
    done.ok().flatten().unwrap_or_else(|| all_failed(batch))
}

/// The caller's result for an exception.
fn all_failed(batch: &[Enriched<'_>]) -> BatchResult {
    BatchResult { success: 0, failed: batch.iter().map(Enriched::id).collect() }
}

/// Reads the batch's rows.
pub(super) async fn query(tool: &Upgrader, label: &'static str, batch: &[Enriched<'_>]) -> Vec<Rc<Document>> {
    let ids: Vec<i64> = batch.iter().map(Enriched::id).collect();
    tool.store.query(&tool.actor, label, &ids).await
}

/// Decides what happens to each row; none if the call throws.
pub(super) fn prepare(
    batch: &[Enriched<'_>],
    rows: &[Rc<Document>],
    scope: Option<&'static str>,
    merge: impl Fn(&Document, &Enriched<'_>) -> Merged,
) -> Option<Batch> {
    let mut prepared = Batch { originals: Vec::new(), updated: Vec::new(), done: 0, failed: Vec::new() };
    for enriched in batch {
        let row = rows.iter().find(|row| row.id == enriched.id()).filter(|row| row.is_in(scope));
        match row.map(|row| (row, merge(row, enriched))) {
            Some((row, Merged::Write(updated))) => {
                prepared.originals.push(row.clone());
                prepared.updated.push(updated);
            }
            Some((_, Merged::Done)) => prepared.done += 1,
            Some((_, Merged::Left)) | None => prepared.failed.push(enriched.id()),
            Some((_, Merged::Throws)) => return None,
        }
    }
    Some(prepared)
}

/// Writes a prepared batch; none if the call throws.
async fn write(tool: &Upgrader, batch: Batch, recovery: Recovery) -> Option<BatchResult> {
    let Upgrader { actor, store, .. } = tool;
    let Batch { originals, updated, done, mut failed } = batch;
    if updated.is_empty() {
        return Some(BatchResult { success: done, failed });
    }
    let ids: Vec<i64> = updated.iter().map(|row| row.id).collect();
    store.delete(actor, "delete", &ids).await.ok()?;
    if store.add(actor, "add", &updated).await.is_ok() {
        return Some(BatchResult { success: done + updated.len(), failed });
    }
    if recovery == Recovery::RestoresOnly {
        let there = store.query(actor, "check", &ids).await;
        let missing = originals.iter().filter(|row| there.iter().all(|there| there.id != row.id));
        let missing: Vec<Document> = missing.map(|row| Document::clone(row)).collect();
        if !missing.is_empty() {
            let _ = store.add(actor, "restore", &missing).await;
        }
        failed.extend(ids);
        return Some(BatchResult { success: done, failed });
    }
    // The add may have succeeded despite its error; without a check everything is added again.
    let looks = recovery == Recovery::CountsWritten;
    let there = if looks { store.query(actor, "check", &ids).await } else { Vec::new() };
    let mut success = done;
    for (row, original) in updated.iter().zip(&originals) {
        let written = there.iter().any(|there| there.id == row.id)
            || store.add(actor, "add", std::slice::from_ref(row)).await.is_ok();
        let restored = !written && store.add(actor, "restore", &[Document::clone(original)]).await.is_ok();
        if written || (restored && recovery == Recovery::CountsRestored) {
            success += 1;
        } else {
            failed.push(row.id);
        }
    }
    (recovery != Recovery::Throws).then_some(BatchResult { success, failed })
}
