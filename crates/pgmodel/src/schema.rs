//! The catalogue of tables, with visibility: what a transaction has created, changed or dropped is visible to itself
//! only until it commits; other sessions see the previous state (manual, 13.2; the catalogues are tables).

mod sequences;

use std::rc::Rc;

use retrial_pgmodel_sql::catalog::{ForeignKey, TableDef, TableId, Trigger};

use crate::lock::SessionNo;
use crate::routine::Routines;

pub(crate) use sequences::{Named, Sequences};

/// The tables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schema {
    entries: Vec<Entry>,
    /// The functions.
    pub(crate) routines: Routines,
    sequences: Sequences,
    /// Changed to a new number by each change, unique across databases. Plans are cached under it.
    pub(crate) version: u64,
    next_id: u32,
    next_key: u32,
}

#[derive(Clone, Debug)]
struct Entry {
    id: TableId,
    /// The definition that all sessions see; `None` for a table whose creator has not committed.
    committed: Option<Rc<TableDef>>,
    pending: Option<Pending>,
}

/// An open transaction's uncommitted change of a table.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    by: SessionNo,
    /// The table as that transaction sees it; `None` if it has dropped the table.
    def: Option<Rc<TableDef>>,
}

impl Entry {
    fn seen_by(&self, session: SessionNo) -> Option<&Rc<TableDef>> {
        match &self.pending {
            Some(pending) if pending.by == session => pending.def.as_ref(),
            _ => self.committed.as_ref(),
        }
    }
}

impl Schema {
    /// The table of that name, as the session sees it.
    pub(crate) fn find(&self, name: &str, session: SessionNo) -> Option<Rc<TableDef>> {
        self.visible(session).find(|table| table.name == name).cloned()
    }

    /// The tables that the session sees.
    pub(crate) fn visible(&self, session: SessionNo) -> impl Iterator<Item = &Rc<TableDef>> {
        self.entries.iter().filter_map(move |entry| entry.seen_by(session))
    }

    /// Whether another session's open transaction is about to create a table with that name, or rename one to it.
    pub(crate) fn is_being_made(&self, name: &str, session: SessionNo) -> bool {
        self.is_new_elsewhere(session, |def| def.name == name)
    }

    /// Whether another session's open transaction is about to create an index with that name.
    pub(crate) fn is_index_being_made(&self, name: &str, session: SessionNo) -> bool {
        self.is_new_elsewhere(session, |def| def.indexes.iter().any(|index| index.name == name))
    }

    /// Whether another session's open transaction has changed a table so that it newly satisfies `such`.
    fn is_new_elsewhere(&self, session: SessionNo, such: impl Fn(&TableDef) -> bool) -> bool {
        self.entries.iter().any(|entry| {
            let pending = entry.pending.as_ref().filter(|pending| pending.by != session);
            pending.and_then(|pending| pending.def.as_ref()).is_some_and(|def| such(def))
                && !entry.committed.as_ref().is_some_and(|def| such(def))
        })
    }

    /// Whether another session's open transaction has changed the table.
    pub(crate) fn is_being_changed(&self, id: TableId, session: SessionNo) -> bool {
        let pending =
            self.entries.iter().find(|entry| entry.id == id).and_then(|entry| entry.pending.as_ref());
        pending.is_some_and(|pending| pending.by != session)
    }

    /// The table with that id as the session sees it. If the session has dropped it, the table as it was before.
    pub(crate) fn by_id(&self, id: TableId, session: SessionNo) -> Rc<TableDef> {
        let entry = self.entries.iter().find(|entry| entry.id == id);
        let def = entry.and_then(|entry| entry.seen_by(session).or(entry.committed.as_ref()));
        def.expect("a table's identity is kept while somebody knows it").clone()
    }

    /// All tables, as the session sees them.
    pub(crate) fn all(&self, session: SessionNo) -> Vec<Rc<TableDef>> {
        let mut all: Vec<Rc<TableDef>> = self.visible(session).cloned().collect();
        all.sort_by_key(|def| def.id);
        all
    }

    /// Whether an open transaction has created, changed or dropped a relation or function, so that sessions see
    /// different ones.
    pub(crate) fn is_in_flux(&self) -> bool {
        self.entries.iter().any(|entry| entry.pending.is_some())
            || self.sequences.are_in_flux()
            || self.routines.is_in_flux()
    }

    pub(crate) fn sequences(&self) -> &Sequences {
        &self.sequences
    }

    /// The sequences, to be changed. Counts as a change of definitions.
    pub(crate) fn sequences_mut(&mut self) -> &mut Sequences {
        self.touch();
        &mut self.sequences
    }

    /// Whether a foreign key that satisfies `such` references the table.
    pub(crate) fn is_referenced(
        &self,
        id: TableId,
        session: SessionNo,
        such: impl Fn(&ForeignKey) -> bool,
    ) -> bool {
        let mut keys = self.visible(session).flat_map(|def| &def.foreign_keys);
        keys.any(|key| key.to == id && such(key))
    }

    /// Whether a table that the session sees has a trigger that satisfies `such`.
    pub(crate) fn has_trigger(&self, session: SessionNo, such: impl Fn(&Trigger) -> bool) -> bool {
        self.visible(session).flat_map(|table| &table.triggers).any(|trigger| such(trigger))
    }

    /// The foreign keys that reference the table, with the tables that have them. They are in creation order, as their
    /// triggers fire in that order (by the constraint's number).
    pub(crate) fn referring(&self, id: TableId, session: SessionNo) -> Vec<(Rc<TableDef>, Rc<ForeignKey>)> {
        let keys = |def: &Rc<TableDef>| {
            let keys = def.foreign_keys.iter().filter(|key| key.to == id);
            keys.map(|key| (def.clone(), key.clone())).collect::<Vec<_>>()
        };
        let mut found: Vec<_> = self.visible(session).flat_map(keys).collect();
        found.sort_by_key(|(_, key)| key.made);
        found
    }

    pub(crate) fn fresh_id(&mut self) -> TableId {
        self.next_id += 1;
        TableId(self.next_id - 1)
    }

    /// The next number in the creation order of foreign keys.
    pub(crate) fn fresh_key(&mut self) -> u32 {
        self.next_key += 1;
        self.next_key
    }

    /// Adds a table that the session creates.
    pub(crate) fn add(&mut self, def: TableDef, by: SessionNo) {
        let (id, def) = (def.id, Some(Rc::new(def)));
        self.entries.push(Entry { id, committed: None, pending: Some(Pending { by, def }) });
        self.touch();
    }

    /// Changes a table, or drops it if `def` is `None`. Returns the session's previous uncommitted change of it.
    pub(crate) fn change(
        &mut self,
        id: TableId,
        def: Option<Rc<TableDef>>,
        by: SessionNo,
    ) -> Option<Pending> {
        self.touch();
        let entry = self.entries.iter_mut().find(|entry| entry.id == id)?;
        entry.pending.replace(Pending { by, def })
    }

    /// Undoes a change: restores the session's previous uncommitted change.
    pub(crate) fn restore(&mut self, id: TableId, before: Option<Pending>) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.pending = before;
        }
        self.touch();
    }

    /// Changes a table for all sessions at once, for a command that commits before it ends.
    pub(crate) fn publish(&mut self, def: Rc<TableDef>) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == def.id) {
            entry.committed = Some(def);
        }
        self.touch();
    }

    /// Undoes the creation of a table.
    pub(crate) fn remove(&mut self, id: TableId) {
        self.entries.retain(|entry| entry.id != id);
        self.touch();
    }

    /// Publishes what the session's transaction, which has committed, created, changed and dropped.
    pub(crate) fn commit(&mut self, session: SessionNo) {
        let concerns = |entry: &Entry| entry.pending.as_ref().is_some_and(|pending| pending.by == session);
        let others = self.sequences.commit(session) | self.routines.commit(session);
        if others || self.entries.iter().any(concerns) {
            for entry in &mut self.entries {
                if let Some(pending) = entry.pending.take_if(|pending| pending.by == session) {
                    entry.committed = pending.def;
                }
            }
            self.entries.retain(|entry| entry.committed.is_some() || entry.pending.is_some());
            self.touch();
        }
    }

    /// Records a change of something other than tables that plans depend on.
    pub(crate) fn changed(&mut self) {
        self.touch();
    }

    /// The counter is per thread, so that two databases never use the same number for different tables.
    fn touch(&mut self) {
        thread_local! {
            static LAST: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
        }
        self.version = LAST.with(|last| {
            last.set(last.get() + 1);
            last.get()
        });
    }
}
