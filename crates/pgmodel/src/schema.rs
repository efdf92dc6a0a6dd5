//! Which tables exist, and for whom: one that a transaction has made is its own until it commits, one that it has
//! dropped is still there for everybody else.

use std::rc::Rc;

use crate::catalog::{ForeignKey, TableDef, TableId};
use crate::lock::SessionNo;
use crate::routine::Routines;
use crate::trigger::Trigger;

/// The tables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schema {
    entries: Vec<Entry>,
    /// The functions.
    pub(crate) routines: Routines,
    /// Another number for each change, never one that was used before: plans are kept under it.
    pub(crate) version: u64,
    next_id: u32,
}

#[derive(Clone, Debug)]
struct Entry {
    def: Rc<TableDef>,
    made_by: Option<SessionNo>,
    dropped_by: Option<SessionNo>,
}

impl Schema {
    /// The table of that name, as the session sees it.
    pub(crate) fn find(&self, name: &str, session: SessionNo) -> Option<Rc<TableDef>> {
        self.visible(session).find(|table| table.name == name).cloned()
    }

    /// The tables that the session sees.
    pub(crate) fn visible(&self, session: SessionNo) -> impl Iterator<Item = &Rc<TableDef>> {
        let sees = move |entry: &&Entry| {
            entry.made_by.is_none_or(|maker| maker == session) && entry.dropped_by != Some(session)
        };
        self.entries.iter().filter(sees).map(|entry| &entry.def)
    }

    /// Whether another session's open transaction has made a table of that name.
    pub(crate) fn is_being_made(&self, name: &str, session: SessionNo) -> bool {
        let being_made = |entry: &Entry| entry.made_by.is_some_and(|maker| maker != session);
        self.entries.iter().any(|entry| entry.def.name == name && being_made(entry))
    }

    pub(crate) fn by_id(&self, id: TableId) -> Rc<TableDef> {
        let entry = self.entries.iter().find(|entry| entry.def.id == id);
        entry.expect("a table's identity is kept while somebody knows it").def.clone()
    }

    /// All tables, as the session sees them.
    pub(crate) fn all(&self, session: SessionNo) -> Vec<Rc<TableDef>> {
        let mut all: Vec<Rc<TableDef>> = self.visible(session).cloned().collect();
        all.sort_by_key(|def| def.id);
        all
    }

    /// Whether a transaction has made or dropped a table and not ended yet.
    pub(crate) fn is_in_flux(&self) -> bool {
        self.entries.iter().any(|entry| entry.made_by.is_some() || entry.dropped_by.is_some())
            || self.routines.is_in_flux()
    }

    /// Whether such a foreign key refers to the table.
    pub(crate) fn is_referenced(&self, id: TableId, such: impl Fn(&ForeignKey) -> bool) -> bool {
        let mut keys = self.entries.iter().flat_map(|entry| &entry.def.foreign_keys);
        keys.any(|key| key.to == id && such(key))
    }

    /// Whether any table that the session sees has such a trigger.
    pub(crate) fn has_trigger(&self, session: SessionNo, such: impl Fn(&Trigger) -> bool) -> bool {
        self.visible(session).flat_map(|table| &table.triggers).any(|trigger| such(trigger))
    }

    /// The foreign keys that refer to the table, in the order of their names, with the tables that have them.
    pub(crate) fn referring(&self, id: TableId) -> Vec<(Rc<TableDef>, Rc<ForeignKey>)> {
        let keys = |entry: &Entry| {
            let keys = entry.def.foreign_keys.iter().filter(|key| key.to == id);
            keys.map(|key| (entry.def.clone(), key.clone())).collect::<Vec<_>>()
        };
        let mut found: Vec<_> = self.entries.iter().flat_map(keys).collect();
        found.sort_by(|left, right| left.1.name.cmp(&right.1.name));
        found
    }

    pub(crate) fn fresh_id(&mut self) -> TableId {
        self.next_id += 1;
        TableId(self.next_id - 1)
    }

    pub(crate) fn add(&mut self, def: TableDef, session: SessionNo) {
        self.entries.push(Entry { def: Rc::new(def), made_by: Some(session), dropped_by: None });
        self.touch();
    }

    /// Puts another definition in the place of the one of the same identity.
    pub(crate) fn replace(&mut self, def: Rc<TableDef>) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.def.id == def.id) {
            entry.def = def;
            entry.dropped_by = None;
        }
        self.touch();
    }

    pub(crate) fn drop(&mut self, id: TableId, session: SessionNo) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.def.id == id) {
            entry.dropped_by = Some(session);
        }
        self.touch();
    }

    /// Takes back the making of a table.
    pub(crate) fn remove(&mut self, id: TableId) {
        self.entries.retain(|entry| entry.def.id != id);
        self.touch();
    }

    /// The session's transaction has committed: what it made and dropped holds for everybody.
    pub(crate) fn commit(&mut self, session: SessionNo) {
        if self.routines.commit(session) {
            self.changed();
        }
        let concerns = |entry: &Entry| entry.made_by == Some(session) || entry.dropped_by == Some(session);
        if self.entries.iter().any(concerns) {
            self.entries.retain(|entry| entry.dropped_by != Some(session));
            for entry in &mut self.entries {
                if entry.made_by == Some(session) {
                    entry.made_by = None;
                }
            }
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
