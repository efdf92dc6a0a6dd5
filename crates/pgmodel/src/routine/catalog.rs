//! Which functions exist, and for whom: one that a transaction has made is its own until it commits, one that it has
//! dropped or replaced is still there for everybody else, as tables are (`schema.rs`).

use std::rc::Rc;

use super::Routine;
use crate::ast::Declared;
use crate::lock::SessionNo;

/// The functions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routines {
    entries: Vec<Entry>,
    next: u32,
}

#[derive(Clone, Debug)]
struct Entry {
    routine: Rc<Routine>,
    made_by: Option<SessionNo>,
    dropped_by: Option<SessionNo>,
}

impl Routines {
    /// The functions of that name, as the session sees them.
    pub(crate) fn named(&self, name: &str, session: SessionNo) -> Vec<Rc<Routine>> {
        let sees = |entry: &&Entry| {
            entry.routine.name == name
                && entry.made_by.is_none_or(|maker| maker == session)
                && entry.dropped_by != Some(session)
        };
        self.entries.iter().filter(sees).map(|entry| entry.routine.clone()).collect()
    }

    /// The function of that name with these parameters.
    pub(crate) fn exact(&self, name: &str, args: &[Declared], session: SessionNo) -> Option<Rc<Routine>> {
        let same = |routine: &Rc<Routine>| {
            routine.params.len() == args.len()
                && routine.params.iter().zip(args).all(|(param, arg)| base(&param.ty) == base(arg))
        };
        self.named(name, session).into_iter().find(same)
    }

    /// Whether the open transaction of another session has made or dropped a function of that name.
    pub(super) fn is_contended(&self, name: &str, session: SessionNo) -> bool {
        let others = |by: Option<SessionNo>| by.is_some_and(|by| by != session);
        self.entries
            .iter()
            .any(|entry| entry.routine.name == name && (others(entry.made_by) || others(entry.dropped_by)))
    }

    pub(super) fn fresh_id(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    pub(super) fn add(&mut self, routine: Rc<Routine>, session: SessionNo) {
        self.entries.push(Entry { routine, made_by: Some(session), dropped_by: None });
    }

    pub(super) fn drop(&mut self, id: u32, session: SessionNo) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.routine.id == id) {
            entry.dropped_by = Some(session);
        }
    }

    /// Takes back the making of a function.
    pub(crate) fn remove(&mut self, id: u32) {
        self.entries.retain(|entry| entry.routine.id != id);
    }

    /// Takes back the dropping of one.
    pub(crate) fn keep(&mut self, id: u32) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.routine.id == id) {
            entry.dropped_by = None;
        }
    }

    /// Whether a transaction has made or dropped a function and not ended yet.
    pub(crate) fn is_in_flux(&self) -> bool {
        self.entries.iter().any(|entry| entry.made_by.is_some() || entry.dropped_by.is_some())
    }

    /// The session's transaction has committed; whether that changes anything for others.
    pub(crate) fn commit(&mut self, session: SessionNo) -> bool {
        let concerns = |entry: &Entry| entry.made_by == Some(session) || entry.dropped_by == Some(session);
        if !self.entries.iter().any(concerns) {
            return false;
        }
        self.entries.retain(|entry| entry.dropped_by != Some(session));
        for entry in self.entries.iter_mut().filter(|entry| entry.made_by == Some(session)) {
            entry.made_by = None;
        }
        true
    }
}

/// The type without length and precision, which say nothing in a parameter.
fn base(ty: &Declared) -> Declared {
    match ty {
        Declared::Type(ty) => Declared::Type(ty.base()),
        Declared::Any(any) => Declared::Any(any),
    }
}
