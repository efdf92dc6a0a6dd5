//! The marks that a serializable transaction meets as it writes (CheckForSerializableConflictIn in predicate.c, as
//! called by access/heap and access/nbtree): those on the replaced version, its page and table, and on the indexes that
//! get a new entry. An update that changes no indexed column adds no entry if the page has room.

use retrial_pgmodel_sql::catalog::TableDef;
use retrial_pgmodel_sql::error::Result;
use retrial_pgmodel_sql::plan::{Expr, parts};
use retrial_pgmodel_sql::value::Value;

use super::Certainty;
use super::fits::{heap_fits, heap_takes};
use super::reading::plan_of;
use crate::execution::Execution;
use crate::footprint::{Object, Use};

/// Whether the new version of a row gets its own index entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entries {
    /// In every index.
    All,
    /// In none: it is on the page of the previous version and no key has changed.
    None,
    /// In all or in none: it is not known whether the page has room.
    Unknown,
}

/// Whether an update leaves all columns that indexes use unchanged.
pub(super) fn keeps_entries(table: &TableDef, before: &[Value], after: &[Value]) -> bool {
    fn same(expr: &Expr, before: &[Value], after: &[Value]) -> bool {
        match expr {
            Expr::Column { column, .. } => before[*column] == after[*column],
            other => parts(other).into_iter().all(|part| same(part, before, after)),
        }
    }
    table.indexes.iter().all(|index| {
        index.keys.iter().chain(&index.filter).all(|expr| same(expr, before, after))
            && index.included.iter().all(|column| before[*column] == after[*column])
    })
}

impl Execution {
    /// Checks the marks met by adding a row.
    pub(crate) fn meet_row(&self, table: &TableDef) -> Result<()> {
        self.meet(table, |marks| marks.met_by_row(table.id))
    }

    /// Checks the marks met by replacing or deleting a version.
    pub(crate) fn meet_change(&self, table: &TableDef, version: u32) -> Result<()> {
        let one_page = heap_fits(&self.server.heap(table.id), table);
        self.meet(table, |marks| marks.met_by_change(table.id, version, one_page))?;
        let mut backend = self.server.backend(self.session);
        let (depth, number) = (backend.depth(), backend.xact().serializable);
        if let Some(me) = number.filter(|_| depth == 0) {
            let mut serializable = self.server.serializable.borrow_mut();
            serializable.participant(me).marks.drop_version(table.id, version);
        }
        Ok(())
    }

    /// Checks the marks met by a new index entry; `again` means that it replaces one with the same key.
    pub(crate) fn meet_entry(
        &self,
        table: &TableDef,
        index: usize,
        key: &[Value],
        again: bool,
    ) -> Result<()> {
        let name = &table.indexes[index].name;
        self.meet(table, |marks| marks.met_by_entry(table.id, name, key, again))
    }

    /// Checks the marks met by an index entry of a new version with the same key, if there is such an entry.
    pub(crate) fn meet_entry_of(
        &self,
        table: &TableDef,
        index: usize,
        key: &[Value],
        entries: Entries,
    ) -> Result<()> {
        let name = &table.indexes[index].name;
        match entries {
            Entries::None => Ok(()),
            Entries::All => self.meet_entry(table, index, key, true),
            Entries::Unknown => self.meet(table, |marks| {
                marks.met_by_entry(table.id, name, key, true).map(|_| Certainty::Doubtful)
            }),
        }
    }

    /// Same as [`Execution::meet_entry_of`], for all indexes.
    pub(crate) fn meet_entries(
        &self,
        table: &TableDef,
        keys: &[Option<Vec<Value>>],
        entries: Entries,
    ) -> Result<()> {
        for (index, key) in keys.iter().enumerate() {
            if let Some(key) = key {
                self.meet_entry_of(table, index, key, entries)?;
            }
        }
        Ok(())
    }

    /// Which index entries a new version of a row gets.
    pub(crate) fn entries(&self, table: &TableDef, before: &[Value], after: &[Value]) -> Entries {
        if !keeps_entries(table, before, after) {
            return Entries::All;
        }
        if heap_takes(&self.server.heap(table.id), table, after) { Entries::None } else { Entries::Unknown }
    }

    fn meet(&self, table: &TableDef, met: impl Fn(&super::held::Marks) -> Option<Certainty>) -> Result<()> {
        let Some(me) = self.server.backend(self.session).xact().serializable else { return Ok(()) };
        self.touch(Object::Serializable, Use::Write);
        let mut serializable = self.server.serializable.borrow_mut();
        serializable.write(me, &plan_of(table), |other| met(&other.marks))
    }
}
