//! A simulated document store, modelled on LanceDB as the memory plugin of the story uses it. Its only update deletes a
//! row and adds it again, in two separate steps. A row without a vector is never accepted.
//!
//! Rules and their sources ("LanceDB documentation", "Table: update, delete, add"; the Lance format's "Transactions"):
//! - Each `delete` and each `add` is one commit of the table: all of its rows or none, visible to all processes at
//!   once. Between the two the row is absent, and a process that dies there leaves it absent.
//! - The vector column is not nullable: an `add` with a row that lacks one is refused as a whole. Initial rows may lack
//!   one, as in files that older versions have written.
//! - A commit that fails because of the disk may or may not have been made; the writer gets an error either way
//!   ([`WriteError::Unknown`]).
//! - What a read sees depends on the handle that a process has opened ([`Reads`]). By default the handle never checks
//!   for other processes' commits (`ConnectionOptions.readConsistencyInterval`: "consistency is not checked"), so it
//!   sees the table as it was when the handle was opened or last wrote. "This consistency only applies to read
//!   operations. Write operations are always consistent": a delete finds the rows that exist when it runs. Observed on
//!   the Node package 0.26.2. A read is a step, because it is never lost.
//! - [`DocumentStore::merge_insert`] is `mergeInsert("id").whenMatchedUpdateAll({ where })`: one commit that replaces
//!   each row that is still as it was read, and leaves the others alone. If two conflict, the one whose commit is
//!   refused evaluates its condition again on the current table (observed: two attempts, no row updated).
//! - [`DocumentStore::update`] takes the file lock itself, and the lock is not re-entrant. Under the lock it does what
//!   `performUpdateLocked` of the plugin's `src/store.ts` does (the body of `update` at 2d56900): two reads, a delete,
//!   an add, and if the add fails, a lookup and an add of the row that the second read found. `Array.from(row.vector)`
//!   throws for a row without a vector before anything is deleted, whether or not a vector is among the changes.
//!
//! `version` exists only for the trace: LanceDB's rows have none, and no strategy may use it.
//!
//! Not modelled: reads that return several rows of one id, as LanceDB's do after a repeated add (reads here take the
//! newest; the trace's commits have both); failing reads; an ENOTACQUIRED of the release that becomes the error of the
//! update; the queue of updates within one process (`runSerializedUpdate`); a `mergeInsert` that gives up after ten
//! refused commits.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use retrial_sim::actor::Actor;
use retrial_sim::engine::{Row, RowChange, Table, Value};
use retrial_sim::footprint::Use;
use retrial_sim::part::Part;
use retrial_sim::parts::file_lock::FileLock;
use retrial_sim::trace::EventKind;
use retrial_sim::world::World;

use self::handle::Handle;
pub use self::handle::{Handling, Reads};
pub use self::metadata::{Fields, Metadata};
pub use self::update::{Changes, UpdateError};

mod handle;
mod merge;
mod metadata;
mod update;

/// Configuration of a store.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Its name in the trace.
    pub name: &'static str,
    /// The metadata fields that the trace shows as columns of their own.
    pub shows: &'static [&'static str],
}

/// A row.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its identifier.
    pub id: i64,
    /// The number of the row among all rows that its id has had; assigned by the trial.
    pub version: i64,
    /// The scope that may see it.
    pub scope: &'static str,
    /// The text.
    pub text: Rc<str>,
    /// The text's embedding, represented by a number; none in broken rows.
    pub vector: Option<i64>,
    /// When it was created, in Unix seconds.
    pub timestamp: i64,
    /// All other fields.
    pub metadata: Metadata,
}

/// Why a write failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteError {
    /// The row of that id has no vector; nothing was written.
    NullVector(i64),
    /// The commit failed; it may still have been made.
    Unknown,
}

/// A handle on a store; clones share the handle. The store outlives every process.
#[derive(Clone)]
pub struct DocumentStore {
    inner: Rc<Inner>,
    handle: Rc<Handle>,
}

struct Inner {
    part: Part,
    shows: &'static [&'static str],
    table: Rc<Table>,
    lock: FileLock,
    /// The file that the lock is for, as a part of its own: only acquisitions look at it.
    lock_file_part: Part,
    rows: RefCell<Vec<Stored>>,
    /// The number of commits; a stale handle sees the table as of one of them.
    commits: Cell<i64>,
    /// Whether deleted rows are kept, for handles that still see them.
    keeps_old: Cell<bool>,
    lock_file: Cell<handle::LockFile>,
    /// The last version of every id that has ever existed.
    versions: RefCell<BTreeMap<i64, i64>>,
    added: Cell<i64>,
}

/// A row in the store.
struct Stored {
    key: i64,
    document: Rc<Document>,
    row: Row,
    /// The commit that added it, and the one that deleted it.
    added: i64,
    deleted: Option<i64>,
}

/// The columns before those of the metadata.
const COLUMNS: [&str; 7] = ["id", "version", "scope", "text", "vector", "timestamp", "metadata"];

impl DocumentStore {
    /// Adds a store with these rows to the world; its updates take `lock`.
    pub fn new(world: &World, settings: Settings, lock: FileLock, documents: Vec<Document>) -> DocumentStore {
        let columns = COLUMNS.iter().chain(settings.shows).map(|column| (*column).to_owned()).collect();
        let inner = Inner {
            part: world.part("document_store", settings.name),
            shows: settings.shows,
            table: Rc::new(Table { name: settings.name.to_owned(), columns }),
            lock,
            lock_file_part: world.unnamed_part("lock_file"),
            rows: RefCell::default(),
            commits: Cell::default(),
            keeps_old: Cell::default(),
            lock_file: Cell::default(),
            versions: RefCell::default(),
            added: Cell::default(),
        };
        for document in documents {
            inner.append(document);
        }
        // The initial rows exist before the first commit.
        inner.rows.borrow_mut().iter_mut().for_each(|stored| stored.added = 0);
        DocumentStore { inner: Rc::new(inner), handle: Rc::default() }
    }

    /// The lock that its updates take.
    pub fn lock(&self) -> &FileLock {
        &self.inner.lock
    }

    /// The newest row of that id.
    pub async fn get_by_id(&self, actor: &Actor, label: &'static str, id: i64) -> Option<Rc<Document>> {
        let inner = &self.inner;
        let body = || vec![("id", Value::Integer(id))];
        let effect = |as_of| {
            inner.part.touch(Some(id as u64), Use::Read);
            inner.newest(id, as_of)
        };
        self.read(actor, label, 1, body, effect).await
    }

    /// The newest rows of these ids, in one read, each once and in the order of `ids`; missing rows are left out.
    pub async fn query(&self, actor: &Actor, label: &'static str, ids: &[i64]) -> Vec<Rc<Document>> {
        let inner = &self.inner;
        let body = || vec![("rows", Value::Integer(ids.len() as i64))];
        let effect = |as_of| {
            inner.touch(ids, Use::Read);
            // `IN` takes no row twice, however often its id is listed.
            let asked = ids.iter().enumerate().filter(|(index, id)| !ids[..*index].contains(id));
            asked.filter_map(|(_, id)| inner.newest(*id, as_of)).collect()
        };
        self.read(actor, label, ids.len(), body, effect).await
    }

    /// The newest row of every id, or of the ids whose newest row is in that scope, in the order in which they were
    /// added.
    pub async fn list(
        &self,
        actor: &Actor,
        label: &'static str,
        scope: Option<&'static str>,
    ) -> Vec<Rc<Document>> {
        let inner = &self.inner;
        let body = || scope.map_or(Vec::new(), |scope| vec![("scope", Value::from(scope))]);
        let effect = |as_of| {
            inner.part.touch(None, Use::Read);
            let rows = inner.rows.borrow();
            let seen: Vec<&Stored> = rows.iter().filter(|stored| stored.is_there(as_of)).collect();
            let is_newest = |(place, stored): &(usize, &&Stored)| {
                seen[place + 1..].iter().all(|later| later.document.id != stored.document.id)
            };
            let newest = seen.iter().enumerate().filter(is_newest);
            newest.map(|(_, stored)| stored.document.clone()).filter(|row| row.is_in(scope)).collect()
        };
        let rows = inner.rows.borrow().len();
        self.read(actor, label, rows, body, effect).await
    }

    /// Deletes every row of these ids, in one commit.
    ///
    /// # Errors
    /// [`WriteError::Unknown`].
    pub async fn delete(&self, actor: &Actor, label: &'static str, ids: &[i64]) -> Result<(), WriteError> {
        let inner = &self.inner;
        let effect = |_| {
            inner.touch(ids, Use::Write);
            inner.commit(actor, inner.remove(|stored| ids.contains(&stored.document.id)));
        };
        self.write(actor, label, ids, effect).await
    }

    /// Adds these rows, in one commit. The store assigns their versions; existing rows of the same ids stay beside
    /// them.
    ///
    /// # Errors
    /// [`WriteError`]; nothing was written if a row has no vector.
    pub async fn add(
        &self,
        actor: &Actor,
        label: &'static str,
        documents: &[Document],
    ) -> Result<(), WriteError> {
        let (inner, ids) = (&self.inner, ids(documents));
        let effect = |_| {
            has_vectors(documents)?;
            inner.touch(&ids, Use::Write);
            inner.commit(actor, documents.iter().map(|document| inner.append(document.clone())).collect());
            Ok(())
        };
        self.write(actor, label, &ids, effect).await?
    }
}

/// Depends only on the rows, so it does not touch the store.
fn has_vectors(documents: &[Document]) -> Result<(), WriteError> {
    let refused = documents.iter().find(|document| document.vector.is_none());
    refused.map_or(Ok(()), |refused| Err(WriteError::NullVector(refused.id)))
}

fn ids(documents: &[Document]) -> Vec<i64> {
    documents.iter().map(|document| document.id).collect()
}

impl Document {
    /// Whether a read of that scope sees it.
    pub fn is_in(&self, scope: Option<&'static str>) -> bool {
        scope.is_none_or(|scope| self.scope == scope)
    }
}

impl Stored {
    /// Whether it exists as of that commit.
    fn is_there(&self, as_of: i64) -> bool {
        self.added <= as_of && self.deleted.is_none_or(|deleted| deleted > as_of)
    }
}

impl Inner {
    fn touch(&self, ids: &[i64], how: Use) {
        for id in ids {
            self.part.touch(Some(*id as u64), how);
        }
    }

    /// The rows of an id are stored in version order.
    fn newest(&self, id: i64, as_of: i64) -> Option<Rc<Document>> {
        let rows = self.rows.borrow();
        let newest = rows.iter().rfind(|stored| stored.document.id == id && stored.is_there(as_of));
        newest.map(|stored| stored.document.clone())
    }

    fn append(&self, mut document: Document) -> RowChange {
        let key = self.added.get() + 1;
        self.added.set(key);
        let mut versions = self.versions.borrow_mut();
        let version = versions.entry(document.id).or_insert(0);
        *version += 1;
        document.version = *version;
        let row = self.row(&document);
        let change = RowChange { table: self.table.clone(), key, before: None, after: Some(row.clone()) };
        let (added, deleted) = (self.commits.get() + 1, None);
        self.rows.borrow_mut().push(Stored { key, document: Rc::new(document), row, added, deleted });
        change
    }

    fn remove(&self, is_meant: impl Fn(&Stored) -> bool) -> Vec<RowChange> {
        let (mut rows, mut changes) = (self.rows.borrow_mut(), Vec::new());
        for stored in rows.iter_mut().filter(|stored| stored.deleted.is_none()) {
            if is_meant(stored) {
                let (table, before) = (self.table.clone(), Some(stored.row.clone()));
                changes.push(RowChange { table, key: stored.key, before, after: None });
                stored.deleted = Some(self.commits.get() + 1);
            }
        }
        if !self.keeps_old.get() {
            rows.retain(|stored| stored.deleted.is_none());
        }
        changes
    }

    fn commit(&self, actor: &Actor, changes: Vec<RowChange>) {
        if !changes.is_empty() {
            self.commits.set(self.commits.get() + 1);
            self.part.record(actor.id(), EventKind::Committed(changes.into()));
        }
    }

    /// A row as the trace shows it.
    fn row(&self, document: &Document) -> Row {
        let Document { id, version, scope, text, vector, timestamp, metadata } = document;
        let own = [
            Value::Integer(*id),
            Value::Integer(*version),
            Value::from(*scope),
            Value::Text(text.clone()),
            vector.map_or(Value::Null, Value::Integer),
            Value::Integer(*timestamp),
            Value::Text(metadata.text().clone()),
        ];
        let mut row = vec![Value::Null; own.len() + self.shows.len()];
        let (first, shown) = row.split_at_mut(own.len());
        first.iter_mut().zip(own).for_each(|(place, value)| *place = value);
        metadata.show(self.shows, shown);
        row.into()
    }
}

impl fmt::Debug for DocumentStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DocumentStore").field(&self.inner.part.name()).finish()
    }
}
