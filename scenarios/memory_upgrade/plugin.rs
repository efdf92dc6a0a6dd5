//! The plugin: auto-recall raises counters; its user edits, adds and deletes memories. The strategy decides how a
//! change to a memory is written, because tool and plugin share the store's code.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::memory_upgrade::document_store::{Changes, Document, DocumentStore, Metadata, UpdateError};
use retrial_sim::actor::Actor;
use retrial_sim::actor::Ongoing;
use retrial_sim::engine::Value;
use retrial_sim::trace::Field;
use serde_json::Value as Json;

use super::smart_metadata::{self, count, fields};
use super::upgrader::Upgrade;
use super::workload::{Does, Errand, SCOPES};

/// A plugin process.
pub(super) struct Plugin {
    pub(super) actor: Actor,
    pub(super) store: DocumentStore,
    /// The process's number, from 1.
    pub(super) number: i64,
    /// The index of the next errand. It survives a crash: users do not repeat an errand because a process has crashed.
    pub(super) next: Rc<Cell<usize>>,
}

/// A change that the plugin makes to a memory, whatever the memory holds.
pub struct Revision<'a> {
    /// The plugin's actor.
    pub actor: &'a Actor,
    /// The store of memories.
    pub store: &'a DocumentStore,
    /// The memory's id.
    pub id: i64,
    operation: &'a Ongoing,
    change: &'a dyn Fn(&Document) -> Change,
}

/// A change, computed for a row that was read.
struct Change {
    changes: Changes,
    intends: Vec<Field>,
}

impl Revision<'_> {
    /// Computes the change for a row that was just read, and declares it as intended.
    pub fn of(&self, row: &Document) -> Changes {
        let Change { changes, intends } = (self.change)(row);
        self.operation.saw();
        self.operation.intends(intends);
        changes
    }
}

/// `patchMetadata`, and the tool `memory_update`: both read the row, build the whole metadata from it, and then call
/// `update`, which takes the lock.
pub(super) async fn read_then_update(revision: &Revision<'_>) -> Result<bool, UpdateError> {
    let Revision { actor, store, id, .. } = revision;
    let Some(existing) = store.get_by_id(actor, "recall", *id).await else { return Ok(false) };
    let changes = revision.of(&existing);
    Ok(store.update(actor, *id, &changes, None).await?.is_some())
}

/// Runs the plugin's errands.
pub(super) async fn run(strategy: &dyn Upgrade, plugin: &Plugin, errands: &[Errand]) {
    while let Some(errand) = errands.get(plugin.next.get()) {
        plugin.actor.sleep("pause", Duration::from_secs(u64::from(errand.after))).await;
        let number = plugin.next.replace(plugin.next.get() + 1) as i64 + 1;
        let done = match errand.does {
            Does::Recall(id) => recall(strategy, plugin, i64::from(id)).await,
            Does::Edit(id) => edit(strategy, plugin, i64::from(id), number).await,
            Does::Store => plugin.add(1000 * plugin.number + number).await,
            Does::Forget(id) => plugin.forget(i64::from(id)).await.map(|_| ()),
            Does::Move(id) => plugin.move_over(i64::from(id)).await,
        };
        // An error is only logged: the plugin continues without the write.
        if let Err(UpdateError::Locked | UpdateError::NoLockFile) = done {
            plugin.actor.note("refused", number, 0);
        }
    }
}

/// `runRecallLifecycle` and the injection after it; their two patches are one here.
async fn recall(strategy: &dyn Upgrade, plugin: &Plugin, id: i64) -> Result<(), UpdateError> {
    let now = plugin.actor.unix_seconds();
    let change = |row: &Document| {
        let injected = count(&row.metadata, "injected_count") + 1;
        let accessed = count(&row.metadata, "access_count") + 1;
        let patch = fields([
            ("injected_count", Json::from(injected)),
            ("access_count", Json::from(accessed)),
            ("last_injected_at", Json::from(now)),
        ]);
        let metadata = Metadata::from_fields(smart_metadata::build(row, patch));
        Change {
            changes: Changes { metadata: Some(metadata), ..Changes::default() },
            intends: vec![
                ("injected_count", injected.into()),
                ("access_count", accessed.into()),
                ("last_injected_at", now.into()),
            ],
        }
    };
    plugin.revise(strategy, id, &change).await
}

/// `memory_update` with a new text; the metadata about the text is rebuilt with it.
async fn edit(strategy: &dyn Upgrade, plugin: &Plugin, id: i64, number: i64) -> Result<(), UpdateError> {
    let text: Rc<str> = format!("memory {id}, edit {}.{number}", plugin.number).into();
    let overview = format!("- {text}");
    let change = |row: &Document| {
        let patch = fields([
            ("l0_abstract", Json::from(&*text)),
            ("l1_overview", Json::from(&*overview)),
            ("l2_content", Json::from(&*text)),
        ]);
        let metadata = Metadata::from_fields(smart_metadata::build(row, patch));
        let changes =
            Changes { text: Some(text.clone()), vector: Some(10 * id + number), metadata: Some(metadata) };
        let own = |name| (name, Value::Text(text.clone()));
        let overview = ("l1_overview", Value::from(overview.as_str()));
        let vector = ("vector", Value::Integer(10 * id + number));
        Change {
            changes,
            intends: vec![own("text"), vector, own("l0_abstract"), overview, own("l2_content")],
        }
    };
    plugin.revise(strategy, id, &change).await
}

impl Plugin {
    async fn revise(
        &self,
        strategy: &dyn Upgrade,
        id: i64,
        change: &dyn Fn(&Document) -> Change,
    ) -> Result<(), UpdateError> {
        let operation = self.actor.operation("memories", id);
        let revision = Revision { actor: &self.actor, store: &self.store, id, operation: &operation, change };
        if strategy.revise(&revision).await? {
            operation.acknowledged();
        }
        Ok(())
    }

    /// `store()`.
    async fn add(&self, id: i64) -> Result<(), UpdateError> {
        let text: Rc<str> = format!("memory {id}").into();
        let document = Document {
            id,
            version: 0,
            scope: SCOPES[0],
            text: text.clone(),
            vector: Some(10 * id),
            timestamp: self.actor.unix_seconds(),
            metadata: Metadata::from_fields(fields([
                ("l0_abstract", Json::from(&*text)),
                ("memory_category", Json::from("events")),
            ])),
        };
        self.put(document, "store").await
    }

    /// `delete()`; returns the deleted row.
    async fn forget(&self, id: i64) -> Result<Option<Rc<Document>>, UpdateError> {
        let deleted = self.store.run_with_file_lock(&self.actor, async || {
            let row = self.store.get_by_id(&self.actor, "look", id).await;
            if row.is_some() {
                let operation = self.actor.operation("memories", id);
                operation.deletes();
                self.store.delete(&self.actor, "forget", &[id]).await?;
                operation.acknowledged();
            }
            Ok(row)
        });
        deleted.await?.map_err(UpdateError::Write)
    }

    /// `memory-pro export`, `delete` and `importEntry`, which keeps the id.
    async fn move_over(&self, id: i64) -> Result<(), UpdateError> {
        let Some(row) = self.forget(id).await? else { return Ok(()) };
        let other = if row.scope == SCOPES[0] { SCOPES[1] } else { SCOPES[0] };
        self.put(Document { scope: other, ..Document::clone(&row) }, "import").await
    }

    async fn put(&self, document: Document, label: &'static str) -> Result<(), UpdateError> {
        let operation = self.actor.operation("memories", document.id);
        let added = self.store.run_with_file_lock(&self.actor, async || {
            operation.intends(vec![
                ("scope", Value::from(document.scope)),
                ("text", Value::Text(document.text.clone())),
            ]);
            self.store.add(&self.actor, label, &[document]).await?;
            operation.acknowledged();
            Ok(())
        });
        added.await?.map_err(UpdateError::Write)
    }
}

impl fmt::Debug for Revision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Revision").field(&self.id).finish()
    }
}
