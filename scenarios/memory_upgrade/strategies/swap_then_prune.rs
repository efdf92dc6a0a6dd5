//! `merge_under_the_lock`, and a row is never deleted before the next one stands.
//!
//! Came out of the trials: under the lock alone, a process that dies between delete and add takes the memory with it,
//! and one that was paused goes on writing under a lock that somebody else has. What changes: every write, the tool's
//! and the plugin's, is a swap on the version that was read, and the version before is pruned after it. Whoever was
//! overtaken is refused by the store, lock or no lock; whoever dies leaves a row too many, which no read sees and the
//! next start prunes. The lock is left to do what it is good at: keep two from working for nothing.
//!
//! A reviewer would ask: does anybody still write without comparing?

use std::rc::Rc;

use retrial_sim::actor::{Actor, Task};
use retrial_sim::document_store::{Document, DocumentStore, UpdateError, WriteError};
use retrial_sim::scenario::Break;

use super::super::Upgrade;
use super::super::bulk::{self, Batch};
use super::super::plugin::Revision;
use super::super::upgrader::{BatchResult, Enriched, Legacy, Upgrader};
use super::merge_under_the_lock::merged;

pub(super) struct Strategy;

/// How often whoever was overtaken begins anew, and how often a prune that seems to fail is repeated.
const ATTEMPTS: u32 = 5;

impl Upgrade for Strategy {
    fn upgrade_batch<'a>(&'a self, tool: &'a Upgrader, batch: &'a [Legacy]) -> Task<'a, BatchResult> {
        Box::pin(async move {
            let enriched = tool.enrich_batch(batch).await;
            let lock = tool.store.lock();
            let Ok(held) = lock.acquire(&tool.actor, "lock").await else {
                return bulk::all_failed(&enriched);
            };
            let result = write(tool, &enriched).await;
            let _ = held.release("unlock").await;
            result
        })
    }

    fn revise<'a>(&'a self, revision: &'a Revision<'a>) -> Task<'a, Result<bool, UpdateError>> {
        Box::pin(revise(revision))
    }

    fn recover<'a>(&'a self, store: &'a DocumentStore, actor: &'a Actor) -> Task<'a, ()> {
        Box::pin(async { prune(store, actor, None).await })
    }

    fn breaks(&self) -> &'static [Break] {
        &[]
    }
}

async fn write(tool: &Upgrader, batch: &[Enriched<'_>]) -> BatchResult {
    let Upgrader { actor, store, .. } = tool;
    let rows = bulk::query(tool, "query", batch).await;
    let prepared = bulk::prepare(batch, &rows, tool.scope, |row, enriched| merged(tool, row, enriched));
    let Some(Batch { updated, done, mut failed, .. }) = prepared else { return bulk::all_failed(batch) };
    if updated.is_empty() {
        return BatchResult { success: done, failed };
    }
    let taken = match store.swap(actor, "swap", &updated).await {
        Ok(taken) => taken,
        // The swap may have been made all the same.
        Err(_) => written(&updated, &bulk::query(tool, "check", batch).await),
    };
    prune(store, actor, Some(&taken)).await;
    failed.extend(updated.iter().map(|row| row.id).filter(|id| !taken.contains(id)));
    BatchResult { success: done + taken.len(), failed }
}

/// Those that stand as they were to be written.
fn written(updated: &[Document], rows: &[Rc<Document>]) -> Vec<i64> {
    let stands = |updated: &&Document| {
        let own =
            |row: &&Rc<Document>| row.id == updated.id && row.metadata.text() == updated.metadata.text();
        rows.iter().any(|row| own(&row))
    };
    updated.iter().filter(stands).map(|row| row.id).collect()
}

/// Takes away what newer rows stand beside. Doing it twice does no harm.
async fn prune(store: &DocumentStore, actor: &Actor, ids: Option<&[i64]>) {
    for _ in 0..ATTEMPTS {
        if store.prune(actor, "prune", ids).await.is_ok() {
            break;
        }
    }
}

async fn revise(revision: &Revision<'_>) -> Result<bool, UpdateError> {
    let Revision { actor, store, id, .. } = revision;
    for _ in 0..ATTEMPTS {
        let held = store.lock().acquire(actor, "lock").await?;
        let revised = revise_locked(revision).await;
        // A swap that seems to fail may have been made.
        if !matches!(revised, Ok(None | Some(false))) {
            prune(store, actor, Some(&[*id])).await;
        }
        let _ = held.release("unlock").await;
        match revised {
            Ok(Some(false)) => {}
            other => return other.map(|revised| revised.is_some()).map_err(UpdateError::Write),
        }
    }
    Err(UpdateError::Locked)
}

/// Tells whether the swap was taken; none where there is no such row.
async fn revise_locked(revision: &Revision<'_>) -> Result<Option<bool>, WriteError> {
    let Revision { actor, store, id, .. } = revision;
    let Some(row) = store.get_by_id(actor, "read", *id).await else { return Ok(None) };
    let revised = row.with(&revision.of(&row));
    Ok(Some(!store.swap(actor, "swap", &[revised]).await?.is_empty()))
}
