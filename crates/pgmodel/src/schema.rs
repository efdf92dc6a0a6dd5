//! Which tables exist and how they are defined, and for whom: what a transaction has made, changed or dropped is its
//! own until it commits, and everybody else has what was there before (manual, 13.2; the catalogues are tables).

mod sequences;

use std::rc::Rc;

use crate::catalog::{ForeignKey, TableDef, TableId};
use crate::lock::SessionNo;
use crate::routine::Routines;
use crate::trigger::Trigger;

pub(crate) use sequences::{Named, Sequences};

/// The tables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schema {
    entries: Vec<Entry>,
    /// The functions.
    pub(crate) routines: Routines,
    sequences: Sequences,
    /// Another number for each change, never one that was used before: plans are kept under it.
    pub(crate) version: u64,
    next_id: u32,
    next_key: u32,
}

#[derive(Clone, Debug)]
struct Entry {
    id: TableId,
    /// What everybody sees; none for a table whose maker has not committed.
    committed: Option<Rc<TableDef>>,
    pending: Option<Pending>,
}

/// What an open transaction has made of a table.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    by: SessionNo,
    /// The table as that transaction sees it; none where it has dropped it.
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

    /// Whether another session's open transaction is about to give that name to a table.
    pub(crate) fn is_being_made(&self, name: &str, session: SessionNo) -> bool {
        self.is_new_elsewhere(session, |def| def.name == name)
    }

    /// Whether another session's open transaction is about to give that name to an index.
    pub(crate) fn is_index_being_made(&self, name: &str, session: SessionNo) -> bool {
        self.is_new_elsewhere(session, |def| def.indexes.iter().any(|index| index.name == name))
    }

    /// Whether another session's open transaction has made a table into such a one.
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

    /// The table of that identity, as the session sees it, or as it was where the session has dropped it.
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

    /// Whether an open transaction has made, changed or dropped a relation, so that sessions see different ones.
    pub(crate) fn is_in_flux(&self) -> bool {
        self.entries.iter().any(|entry| entry.pending.is_some())
            || self.sequences.are_in_flux()
            || self.routines.is_in_flux()
    }

    pub(crate) fn sequences(&self) -> &Sequences {
        &self.sequences
    }

    /// The sequences, to be changed.
    pub(crate) fn sequences_mut(&mut self) -> &mut Sequences {
        self.touch();
        &mut self.sequences
    }

    /// Whether such a foreign key refers to the table.
    pub(crate) fn is_referenced(
        &self,
        id: TableId,
        session: SessionNo,
        such: impl Fn(&ForeignKey) -> bool,
    ) -> bool {
        let mut keys = self.visible(session).flat_map(|def| &def.foreign_keys);
        keys.any(|key| key.to == id && such(key))
    }

    /// Whether any table that the session sees has such a trigger.
    pub(crate) fn has_trigger(&self, session: SessionNo, such: impl Fn(&Trigger) -> bool) -> bool {
        self.visible(session).flat_map(|table| &table.triggers).any(|trigger| such(trigger))
    }

    /// The foreign keys that refer to the table, in the order of their making, as their triggers fire (they go by the
    /// constraint's number), with the tables that have them.
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

    /// The next place in the order of foreign keys.
    pub(crate) fn fresh_key(&mut self) -> u32 {
        self.next_key += 1;
        self.next_key
    }

    /// A table that the session makes.
    pub(crate) fn add(&mut self, def: TableDef, by: SessionNo) {
        let (id, def) = (def.id, Some(Rc::new(def)));
        self.entries.push(Entry { id, committed: None, pending: Some(Pending { by, def }) });
        self.touch();
    }

    /// The session changes a table, or drops it where there is no definition; what it had made of it before.
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

    /// Takes back a change: what the session had made of the table before is there again.
    pub(crate) fn restore(&mut self, id: TableId, before: Option<Pending>) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.pending = before;
        }
        self.touch();
    }

    /// Changes a table for everybody at once, as a command does that commits on its way.
    pub(crate) fn publish(&mut self, def: Rc<TableDef>) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == def.id) {
            entry.committed = Some(def);
        }
        self.touch();
    }

    /// Takes back the making of a table.
    pub(crate) fn remove(&mut self, id: TableId) {
        self.entries.retain(|entry| entry.id != id);
        self.touch();
    }

    /// The session's transaction has committed: what it made, changed and dropped holds for everybody.
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

    /// Something beside tables has changed that plans depend on.
    pub(crate) fn changed(&mut self) {
        self.touch();
    }

    /// The count goes on for the whole thread, so that no two databases use one number for different tables.
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
