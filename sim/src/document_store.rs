//! A store of documents whose only update is to delete a row and add it again, as LanceDB is used by the memory plugin
//! of the story. It must never make the two one step, and never take a row that has no vector.
//!
//! Which rule follows what ("LanceDB documentation", "Table: update, delete, add"; the Lance format's "Transactions"):
//! - Each `delete` and each `add` is one commit of the table: all of its rows or none, visible to everybody at once.
//!   Between the two there is no row, and a process that dies there leaves none.
//! - The vector column is not nullable: an `add` with a row that lacks one is refused as a whole. Rows that a trial
//!   opens with may lack one, as files that older versions have written do.
//! - A commit that fails for the disk's sake may have been made or not: the writer hears of an error either way
//!   ([`WriteError::Unknown`]).
//! - A read sees the last commit. (A LanceDB handle does so only with `readConsistencyInterval: 0`; one that refreshes
//!   more seldom reads what is older still, which is not modelled.) It is a step: none is lost on its way.
//! - Every row that is added gets the next number of its id's version counter, which outlives the row.
//!   [`DocumentStore::swap`] adds a row only if the newest is the expected one. It deletes nothing: the version before
//!   stands beside the new one until it is pruned, and reads take the newest. (LanceDB's own means to this end is
//!   `mergeInsert`.)
//! - [`DocumentStore::update`] takes the file lock itself, and the lock is not re-entrant. Under it goes on what
//!   `performUpdateLocked` of the plugin's `src/store.ts` does (the body of `update` at 2d56900): two reads, a delete,
//!   an add, and where that fails a look and the add of what the second read has found. `Array.from(row.vector)` throws
//!   for a row that has none before anything is deleted, whether or not a vector is among the changes.
//!
//! Not modelled: that LanceDB's reads show each of two rows of one id, as an add leaves that is made twice (ours take
//! the newest; the trace's commits have both); reads that fail; that an ENOTACQUIRED of the release becomes the error
//! of the update, and the queue of updates within one process (`runSerializedUpdate`).

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use crate::actor::{Actor, Lost};
use crate::engine::{Row, RowChange, Table, Value};
use crate::fault::Fault;
use crate::file_lock::FileLock;
use crate::footprint::Use;
use crate::point::PointKind;
use crate::trace::{Field, What};
use crate::world::{Shared, World};

pub use self::metadata::{Fields, Metadata};
pub use self::update::{Changes, UpdateError};

mod metadata;
mod update;

/// How a store is set up.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Its name in the trace.
    pub name: &'static str,
    /// The fields of the metadata that the trace has as columns of their own.
    pub shows: &'static [&'static str],
}

/// A row.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it is known by.
    pub id: i64,
    /// The version counter's number; the store gives it.
    pub version: i64,
    /// Who may see it.
    pub scope: &'static str,
    /// The text.
    pub text: Rc<str>,
    /// The text's embedding, here a number; none in broken rows.
    pub vector: Option<i64>,
    /// When it was made, in Unix seconds.
    pub timestamp: i64,
    /// Everything else.
    pub metadata: Metadata,
}

/// Why a write failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteError {
    /// The row of that id has no vector; nothing was written.
    NullVector(i64),
    /// The commit failed; it may have been made all the same.
    Unknown,
}

/// A store; cloning it gives another handle on the same one. It outlives every process.
#[derive(Clone)]
pub struct DocumentStore(Rc<Inner>);

struct Inner {
    shared: Rc<Shared>,
    name: &'static str,
    shows: &'static [&'static str],
    table: Rc<Table>,
    lock: FileLock,
    rows: RefCell<Vec<Stored>>,
    /// The last version of every id that there has ever been.
    versions: RefCell<BTreeMap<i64, i64>>,
    added: Cell<i64>,
}

/// A row as it lies there.
struct Stored {
    key: i64,
    document: Rc<Document>,
    row: Row,
}

/// The columns before those of the metadata.
const COLUMNS: [&str; 7] = ["id", "version", "scope", "text", "vector", "timestamp", "metadata"];

impl World {
    /// Adds a store with those rows, whose updates take that lock.
    pub fn document_store(
        &self,
        settings: Settings,
        lock: FileLock,
        documents: Vec<Document>,
    ) -> DocumentStore {
        self.shared.names_part(settings.name);
        let columns = COLUMNS.iter().chain(settings.shows).map(|column| (*column).to_owned()).collect();
        let inner = Inner {
            shared: self.shared.clone(),
            name: settings.name,
            shows: settings.shows,
            table: Rc::new(Table { name: settings.name.to_owned(), columns }),
            lock,
            rows: RefCell::default(),
            versions: RefCell::default(),
            added: Cell::default(),
        };
        for document in documents {
            inner.append(document);
        }
        DocumentStore(Rc::new(inner))
    }
}

impl DocumentStore {
    /// The lock that its updates take.
    pub fn lock(&self) -> &FileLock {
        &self.0.lock
    }

    /// The newest row of that id.
    pub async fn get_by_id(&self, actor: &Actor, label: &'static str, id: i64) -> Option<Rc<Document>> {
        let inner = &self.0;
        let body = || vec![("id", Value::Integer(id))];
        let effect = |_| {
            inner.shared.touch("document_store", inner.name, Some(id as u64), Use::Read);
            inner.newest(id)
        };
        inner.read(actor, label, body, effect).await
    }

    /// The newest rows of those ids, in one read, each once and in the order in which they are asked for; who is not
    /// there is left out.
    pub async fn query(&self, actor: &Actor, label: &'static str, ids: &[i64]) -> Vec<Rc<Document>> {
        let inner = &self.0;
        let body = || vec![("rows", Value::Integer(ids.len() as i64))];
        let effect = |_| {
            inner.touch(ids, Use::Read);
            // `IN` takes no row twice, however often its id is listed.
            let asked = ids.iter().enumerate().filter(|(index, id)| !ids[..*index].contains(id));
            asked.filter_map(|(_, id)| inner.newest(*id)).collect()
        };
        inner.read(actor, label, body, effect).await
    }

    /// The newest row of every id, or of those whose newest is in that scope, in the order in which they were added.
    pub async fn list(
        &self,
        actor: &Actor,
        label: &'static str,
        scope: Option<&'static str>,
    ) -> Vec<Rc<Document>> {
        let inner = &self.0;
        let body = || scope.map_or(Vec::new(), |scope| vec![("scope", Value::from(scope))]);
        let effect = |_| {
            inner.shared.touch("document_store", inner.name, None, Use::Read);
            let rows = inner.rows.borrow();
            let newest = rows.iter().filter(|stored| inner.is_newest(&rows, stored));
            newest.map(|stored| stored.document.clone()).filter(|row| row.is_in(scope)).collect()
        };
        inner.read(actor, label, body, effect).await
    }

    /// Deletes every row of those ids, in one commit.
    ///
    /// # Errors
    /// [`WriteError::Unknown`].
    pub async fn delete(&self, actor: &Actor, label: &'static str, ids: &[i64]) -> Result<(), WriteError> {
        let inner = &self.0;
        let effect = |_| {
            inner.touch(ids, Use::Write);
            inner.commit(actor, inner.remove(|stored, _| ids.contains(&stored.document.id)));
        };
        inner.write(actor, label, ids, effect).await
    }

    /// Adds those rows, in one commit. The store gives them their versions; what was there of the same id stays beside
    /// them.
    ///
    /// # Errors
    /// [`WriteError`]; nothing was written where a row has no vector.
    pub async fn add(
        &self,
        actor: &Actor,
        label: &'static str,
        documents: &[Document],
    ) -> Result<(), WriteError> {
        let (inner, ids) = (&self.0, ids(documents));
        let effect = |_| {
            has_vectors(documents)?;
            inner.touch(&ids, Use::Write);
            inner.commit(actor, documents.iter().map(|document| inner.append(document.clone())).collect());
            Ok(())
        };
        inner.write(actor, label, &ids, effect).await?
    }

    /// Adds those rows, in one commit, each only if the newest row of its id is of the version that this one was read
    /// with; tells which ids were taken. What was there before stays beside them. Of two of one id the first overtakes
    /// the second.
    ///
    /// # Errors
    /// As [`DocumentStore::add`].
    pub async fn swap(
        &self,
        actor: &Actor,
        label: &'static str,
        documents: &[Document],
    ) -> Result<Vec<i64>, WriteError> {
        let (inner, ids) = (&self.0, ids(documents));
        let effect = |_| {
            has_vectors(documents)?;
            // Who is refused has looked at the versions, and a write conflicts with whatever a look does.
            inner.touch(&ids, Use::Write);
            let (mut taken, mut changes) = (Vec::new(), Vec::new());
            for document in documents {
                if inner.newest(document.id).is_some_and(|newest| newest.version == document.version) {
                    changes.push(inner.append(document.clone()));
                    taken.push(document.id);
                }
            }
            inner.commit(actor, changes);
            Ok(taken)
        };
        inner.write(actor, label, &ids, effect).await?
    }

    /// Deletes the rows that a newer one of their id stands beside, in one commit: of those ids or of all, which the
    /// trace has as 0 rows.
    ///
    /// # Errors
    /// [`WriteError::Unknown`].
    pub async fn prune(
        &self,
        actor: &Actor,
        label: &'static str,
        ids: Option<&[i64]>,
    ) -> Result<(), WriteError> {
        let inner = &self.0;
        let effect = |_| {
            match ids {
                Some(ids) => inner.touch(ids, Use::Write),
                None => inner.shared.touch("document_store", inner.name, None, Use::Write),
            }
            let is_meant = |id| ids.is_none_or(|ids| ids.contains(&id));
            let removed =
                inner.remove(|stored, rows| is_meant(stored.document.id) && !inner.is_newest(rows, stored));
            inner.commit(actor, removed);
        };
        inner.write(actor, label, ids.unwrap_or_default(), effect).await
    }
}

/// The rows alone decide it, so it is no look at the store.
fn has_vectors(documents: &[Document]) -> Result<(), WriteError> {
    let refused = documents.iter().find(|document| document.vector.is_none());
    refused.map_or(Ok(()), |refused| Err(WriteError::NullVector(refused.id)))
}

fn ids(documents: &[Document]) -> Vec<i64> {
    documents.iter().map(|document| document.id).collect()
}

impl Document {
    /// Whether somebody who asks for that scope sees it.
    pub fn is_in(&self, scope: Option<&'static str>) -> bool {
        scope.is_none_or(|scope| self.scope == scope)
    }
}

impl Inner {
    fn touch(&self, ids: &[i64], how: Use) {
        for id in ids {
            self.shared.touch("document_store", self.name, Some(*id as u64), how);
        }
    }

    /// A read, which does not fail.
    async fn read<T>(
        &self,
        actor: &Actor,
        label: &'static str,
        body: impl FnOnce() -> Vec<Field>,
        effect: impl FnOnce(Option<Fault>) -> T,
    ) -> T {
        let read = actor.exchange(PointKind::Step, label, self.name, body, effect).await;
        actor.busy_for(self.shared.cost.per_statement);
        read.expect("at a step nothing is lost on its way")
    }

    /// A commit, as its writer sees it.
    async fn write<T>(
        &self,
        actor: &Actor,
        label: &'static str,
        ids: &[i64],
        effect: impl FnOnce(Option<Fault>) -> T,
    ) -> Result<T, WriteError> {
        let body = || match ids {
            [id] => vec![("id", Value::Integer(*id))],
            _ => vec![("rows", Value::Integer(ids.len() as i64))],
        };
        let written = actor.exchange(PointKind::Request, label, self.name, body, effect).await;
        actor.busy_for(self.shared.cost.per_statement);
        written.map_err(|Lost| WriteError::Unknown)
    }

    /// The rows of an id lie in the order of their versions.
    fn newest(&self, id: i64) -> Option<Rc<Document>> {
        let rows = self.rows.borrow();
        rows.iter().rfind(|stored| stored.document.id == id).map(|stored| stored.document.clone())
    }

    fn is_newest(&self, rows: &[Stored], stored: &Stored) -> bool {
        let newest = rows.iter().rfind(|other| other.document.id == stored.document.id);
        newest.is_some_and(|newest| newest.key == stored.key)
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
        self.rows.borrow_mut().push(Stored { key, document: Rc::new(document), row });
        change
    }

    fn remove(&self, is_meant: impl Fn(&Stored, &[Stored]) -> bool) -> Vec<RowChange> {
        let mut rows = self.rows.borrow_mut();
        let meant: Vec<bool> = rows.iter().map(|stored| is_meant(stored, &rows)).collect();
        let (mut meant, mut changes) = (meant.into_iter(), Vec::new());
        rows.retain(|stored| {
            let goes = meant.next().unwrap_or_default();
            if goes {
                let (table, before) = (self.table.clone(), Some(stored.row.clone()));
                changes.push(RowChange { table, key: stored.key, before, after: None });
            }
            !goes
        });
        changes
    }

    fn commit(&self, actor: &Actor, changes: Vec<RowChange>) {
        if !changes.is_empty() {
            self.shared.record(actor.id, What::Committed(changes.into()));
        }
    }

    /// A row as the trace has it.
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
        f.debug_tuple("DocumentStore").field(&self.0.name).finish()
    }
}
