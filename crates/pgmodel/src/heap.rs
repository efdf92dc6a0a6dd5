//! A table's row versions: the initial ones, shared by every trial that starts from them, and those that the trial
//! itself has added or marked (manual, 13.1 and 73.6).
//!
//! Versions are never removed: one that no snapshot can see stays until the database is reset. A tuple is never changed
//! in place, only the header next to it.

use std::collections::BTreeMap;
use std::rc::Rc;

use retrial_pgmodel_sql::ast::LockStrength;
use retrial_pgmodel_sql::value::{Tuple, Value};

use crate::limit::weight;
use crate::lock::SessionNo;
use crate::transaction::{Snapshot, Status, Transactions, Xid};

/// An index: the versions under each key, in insertion order.
pub(crate) type Index = BTreeMap<Vec<Value>, Vec<u32>>;

/// The initial rows of a table and their indexes.
#[derive(Debug, Default)]
pub(crate) struct Image {
    pub(crate) rows: Vec<Tuple>,
    pub(crate) indexes: Vec<Index>,
    /// Whether the server has counted the rows.
    pub(crate) counted: bool,
}

/// The header of a version.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    /// The transaction that created the version, and the command within it.
    pub(crate) xmin: Xid,
    pub(crate) cmin: u32,
    /// The transaction that replaced or deleted it.
    pub(crate) xmax: Option<Xid>,
    pub(crate) cmax: u32,
    /// The lock strength of that change: an update that leaves the keys alone does not conflict with FOR KEY SHARE.
    pub(crate) xmax_strength: LockStrength,
    /// The version that replaced it; `None` if it was deleted.
    pub(crate) next: Option<u32>,
    /// The transactions that have locked it, and the lock strengths.
    pub(crate) lockers: Vec<(Xid, LockStrength)>,
    /// The first version of the same row.
    pub(crate) row: u32,
}

/// A table's row versions.
#[derive(Clone, Debug)]
pub(crate) struct Heap {
    base: Rc<Image>,
    touched: BTreeMap<u32, Header>,
    added: Vec<(Tuple, Header)>,
    /// Approximate bytes of the added versions' values, without those shared with another version.
    weight: u64,
    /// The index entries of added versions, per index.
    indexes: Vec<Index>,
    /// Whether the server knows the number of rows and pages, from VACUUM, ANALYZE or CREATE INDEX.
    counted: bool,
}

impl Heap {
    pub(crate) fn new(base: Rc<Image>) -> Heap {
        let indexes = vec![Index::new(); base.indexes.len()];
        let counted = base.counted;
        Heap { base, touched: BTreeMap::new(), added: Vec::new(), weight: 0, indexes, counted }
    }

    /// Returns to the initial rows and keeps the allocated memory.
    pub(crate) fn reset(&mut self, base: &Rc<Image>) {
        if !Rc::ptr_eq(&self.base, base) {
            *self = Heap::new(base.clone());
            return;
        }
        if !self.touched.is_empty() || !self.added.is_empty() {
            self.touched.clear();
            self.added.clear();
            self.weight = 0;
            self.indexes.iter_mut().for_each(Index::clear);
        }
        self.counted = base.counted;
    }

    /// Whether the server has counted the rows.
    pub(crate) fn is_counted(&self) -> bool {
        self.counted
    }

    /// Records that the server has counted the rows. Has no effect on an empty table.
    pub(crate) fn count(&mut self) {
        self.counted |= self.len() > 0;
    }

    /// The number of versions; they are numbered from 0 in insertion order.
    pub(crate) fn len(&self) -> u32 {
        (self.base.rows.len() + self.added.len()) as u32
    }

    pub(crate) fn tuple(&self, version: u32) -> &Tuple {
        let base = self.base.rows.len();
        self.base.rows.get(version as usize).unwrap_or_else(|| &self.added[version as usize - base].0)
    }

    /// The header of a version; `None` for an initial row that was never changed or locked.
    pub(crate) fn header(&self, version: u32) -> Option<&Header> {
        let base = self.base.rows.len();
        if (version as usize) < base {
            self.touched.get(&version)
        } else {
            Some(&self.added[version as usize - base].1)
        }
    }

    /// The header of a version, to be changed.
    pub(crate) fn mark(&mut self, version: u32) -> &mut Header {
        let base = self.base.rows.len();
        if (version as usize) < base {
            self.touched.entry(version).or_insert_with(|| Header::new(Xid::FROZEN, 0, version))
        } else {
            &mut self.added[version as usize - base].1
        }
    }

    /// The number of the first version of the same row.
    pub(crate) fn row(&self, version: u32) -> u32 {
        self.header(version).map_or(version, |header| header.row)
    }

    /// Adds a version. The caller adds its index entries.
    pub(crate) fn add(&mut self, tuple: Tuple, header: Header) -> u32 {
        let version = self.len();
        self.weight += tuple.iter().map(own_weight).sum::<u64>();
        self.added.push((tuple, header));
        version
    }

    /// Approximate bytes of the added versions' values.
    pub(crate) fn weight(&self) -> u64 {
        self.weight
    }

    /// Adds an index entry for a version.
    pub(crate) fn enter(&mut self, index: usize, key: Vec<Value>, version: u32) {
        self.indexes[index].entry(key).or_default().push(version);
    }

    /// The versions under a key.
    pub(crate) fn under<'h>(
        &'h self,
        index: usize,
        key: &[Value],
    ) -> impl DoubleEndedIterator<Item = u32> + 'h {
        let base = self.base.indexes[index].get(key).map_or(&[][..], |found| &found[..]);
        let added = self.indexes[index].get(key).map_or(&[][..], |found| &found[..]);
        base.iter().chain(added).copied()
    }

    /// The versions whose keys start with `prefix` and whose next column is within the bounds, in insertion order.
    pub(crate) fn range(&self, index: usize, prefix: &[Value], within: impl Fn(&Value) -> bool) -> Vec<u32> {
        let mut found = Vec::new();
        for entries in [&self.base.indexes[index], &self.indexes[index]] {
            for (key, versions) in entries.range(prefix.to_vec()..) {
                if !key.starts_with(prefix) {
                    break;
                }
                if key.get(prefix.len()).is_none_or(&within) {
                    found.extend(versions);
                }
            }
        }
        found.sort_unstable();
        found
    }

    /// Same as [`Heap::range`], ordered by the next column and then by insertion.
    pub(crate) fn ordered(
        &self,
        index: usize,
        prefix: &[Value],
        within: impl Fn(&Value) -> bool,
    ) -> Vec<u32> {
        let mut found: Vec<(&Value, u32)> = Vec::new();
        for entries in [&self.base.indexes[index], &self.indexes[index]] {
            let under = entries.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
            for (key, versions) in under {
                if let Some(value) = key.get(prefix.len()).filter(|value| within(value)) {
                    found.extend(versions.iter().map(|version| (value, *version)));
                }
            }
        }
        found.sort_unstable();
        found.into_iter().map(|(_, version)| version).collect()
    }

    /// Whether a snapshot of that session sees a version.
    pub(crate) fn sees(
        &self,
        version: u32,
        transactions: &Transactions,
        snapshot: Snapshot,
        session: SessionNo,
    ) -> bool {
        let Some(header) = self.header(version) else { return true };
        transactions.sees(snapshot, session, header.xmin, header.cmin)
            && !header.xmax.is_some_and(|xmax| transactions.sees(snapshot, session, xmax, header.cmax))
    }

    /// The versions that a snapshot sees, in insertion order.
    pub(crate) fn visible(
        &self,
        transactions: &Transactions,
        snapshot: Snapshot,
        session: SessionNo,
    ) -> Vec<u32> {
        (0..self.len()).filter(|version| self.sees(*version, transactions, snapshot, session)).collect()
    }

    /// Removes an index.
    pub(crate) fn drop_index(&mut self, index: usize) {
        self.indexes.remove(index);
        self.rebuild(|tuples, mut indexes| {
            indexes.remove(index);
            (tuples, indexes)
        });
    }

    /// Removes the index that was added last.
    pub(crate) fn drop_last_index(&mut self) {
        self.drop_index(self.indexes.len() - 1);
    }

    /// Adds an index. `key` computes a tuple's key, or `None` if the tuple is not in the index.
    ///
    /// # Errors
    /// Whatever `key` fails with.
    pub(crate) fn add_index<E>(
        &mut self,
        mut key: impl FnMut(&Tuple) -> Result<Option<Vec<Value>>, E>,
    ) -> Result<(), E> {
        let mut entries = Index::new();
        let mut added = Index::new();
        for version in 0..self.len() {
            if let Some(key) = key(self.tuple(version))? {
                let into = if (version as usize) < self.base.rows.len() { &mut entries } else { &mut added };
                into.entry(key).or_default().push(version);
            }
        }
        self.rebuild(|tuples, mut indexes| {
            indexes.push(entries);
            (tuples, indexes)
        });
        *self.indexes.last_mut().expect("an index was just added") = added;
        self.count();
        Ok(())
    }

    /// Rewrites every tuple, for a column that is added or cleared.
    pub(crate) fn rewrite(&mut self, change: impl Fn(&Tuple) -> Tuple) {
        for (tuple, _) in &mut self.added {
            *tuple = change(tuple);
        }
        self.rebuild(|tuples, indexes| (tuples.iter().map(&change).collect(), indexes));
    }

    /// Gives these versions new tuples. `maker` is set if the command rewrites the table: it then becomes their
    /// creator, and all other versions are dead for every session.
    pub(crate) fn replace_all(&mut self, tuples: Vec<(u32, Tuple)>, maker: Option<(Xid, u32)>) {
        let mut rows: BTreeMap<u32, Tuple> = tuples.into_iter().collect();
        if let Some((xmin, cmin)) = maker {
            for version in 0..self.len() {
                let is_live = rows.contains_key(&version);
                let header = self.mark(version);
                if is_live {
                    *header = Header { row: header.row, ..Header::new(xmin, cmin, version) };
                } else {
                    (header.xmax, header.cmax, header.next) = (Some(Xid::FROZEN), 0, None);
                }
            }
        }
        let base = self.base.rows.len();
        for (version, (tuple, _)) in self.added.iter_mut().enumerate() {
            if let Some(row) = rows.remove(&((base + version) as u32)) {
                *tuple = row;
            }
        }
        self.rebuild(|tuples, indexes| {
            let tuple = |(version, tuple)| rows.remove(&(version as u32)).unwrap_or(tuple);
            (tuples.into_iter().enumerate().map(tuple).collect(), indexes)
        });
    }

    fn rebuild(&mut self, change: impl FnOnce(Vec<Tuple>, Vec<Index>) -> (Vec<Tuple>, Vec<Index>)) {
        let (rows, indexes) = change(self.base.rows.clone(), self.base.indexes.clone());
        self.indexes.resize(indexes.len(), Index::new());
        self.base = Rc::new(Image { rows, indexes, counted: self.counted });
    }

    /// The committed rows, as initial rows of another database; only their index entries are kept.
    pub(crate) fn freeze(
        &self,
        transactions: &Transactions,
        mut keys: impl FnMut(&Tuple) -> Vec<Option<Vec<Value>>>,
    ) -> Image {
        let committed = |xid: Xid| matches!(transactions.status(xid), Status::Committed(_));
        let indexes = vec![Index::new(); self.indexes.len()];
        let mut image = Image { rows: Vec::new(), indexes, counted: self.counted };
        for version in 0..self.len() {
            let header = self.header(version);
            let lives =
                header.is_none_or(|header| committed(header.xmin) && !header.xmax.is_some_and(committed));
            if lives {
                let number = image.rows.len() as u32;
                let tuple = self.tuple(version).clone();
                for (index, key) in keys(&tuple).into_iter().enumerate() {
                    if let Some(key) = key {
                        image.indexes[index].entry(key).or_default().push(number);
                    }
                }
                image.rows.push(tuple);
            }
        }
        image
    }
}

/// Approximate bytes of a value, or 0 if it is shared: an update shares unchanged values with the previous version.
fn own_weight(value: &Value) -> u64 {
    let is_own = match value {
        Value::Text(text) => Rc::strong_count(text) == 1,
        Value::Bytes(bytes) => Rc::strong_count(bytes) == 1,
        Value::Array(items) => Rc::strong_count(items) == 1,
        Value::Json(json) => Rc::strong_count(json) == 1,
        _ => false,
    };
    if is_own { weight(value) } else { 0 }
}

impl Header {
    /// The header of a new version. `row` is its own number unless it replaces another version.
    pub(crate) fn new(xmin: Xid, cmin: u32, row: u32) -> Header {
        Header {
            xmin,
            cmin,
            xmax: None,
            cmax: 0,
            xmax_strength: LockStrength::Update,
            next: None,
            lockers: Vec::new(),
            row,
        }
    }
}
