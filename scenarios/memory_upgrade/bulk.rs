//! `bulkUpdateMetadata` and `bulkUpdateMetadataWithPatch`: one lock for a batch, one read, one delete, one add, and a
//! recovery where the add fails. What becomes of a row is the candidate's to say.

use std::rc::Rc;

use retrial_sim::document_store::Document;

use super::upgrader::{BatchResult, Enriched, Upgrader};

/// What becomes of a row.
pub(super) enum Merged {
    /// It is written like this.
    Write(Document),
    /// It is upgraded already.
    Done,
    /// It is left as it is, and counts as failed.
    Left,
    /// The call throws, before anything is deleted.
    Throws,
}

/// What the call says where an add has failed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Recovery {
    /// It throws after the recovery, whatever that came to.
    Throws,
    /// An entry whose original was restored counts as upgraded.
    CountsRestored,
    /// An entry is upgraded if it was written, by the add that has failed or the one after it.
    CountsWritten,
    /// Nothing is tried again: what is missing is put back as it was, and every entry counts as failed.
    RestoresOnly,
}

/// What becomes of a batch.
pub(super) struct Batch {
    /// The rows that are to be written, as they are.
    pub(super) originals: Vec<Rc<Document>>,
    /// The same as they will be.
    pub(super) updated: Vec<Document>,
    /// How many are upgraded already.
    pub(super) done: usize,
    /// Who is left as it is.
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

/// Does the work on a batch under the lock, taken once. Every entry has failed where it is not to be had, or where the
/// work throws: where it gives none.
pub(super) async fn under_one_lock(
    tool: &Upgrader,
    batch: &[Enriched<'_>],
    work: impl AsyncFnOnce() -> Option<BatchResult>,
) -> BatchResult {
    let done = tool.store.run_with_file_lock(&tool.actor, work).await;
    done.ok().flatten().unwrap_or_else(|| all_failed(batch))
}

/// What the caller makes of an exception.
fn all_failed(batch: &[Enriched<'_>]) -> BatchResult {
    BatchResult { success: 0, failed: batch.iter().map(Enriched::id).collect() }
}

/// Reads the batch's rows.
pub(super) async fn query(tool: &Upgrader, label: &'static str, batch: &[Enriched<'_>]) -> Vec<Rc<Document>> {
    let ids: Vec<i64> = batch.iter().map(Enriched::id).collect();
    tool.store.query(&tool.actor, label, &ids).await
}

/// What becomes of each row; none where the call throws.
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

/// None where the call throws.
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
    // The add may have been made all the same; who does not look adds everything once more.
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
