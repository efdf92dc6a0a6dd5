//! The catalogue of functions, with visibility. As for tables (`schema.rs`), a function that a transaction has created
//! is visible to itself only until it commits, and one that it has dropped or replaced stays visible to all others.

use std::rc::Rc;

use retrial_pgmodel_sql::ast::Declared;

use super::Function;
use crate::lock::SessionNo;

/// The functions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routines {
    entries: Vec<Entry>,
    next: u32,
}

#[derive(Clone, Debug)]
struct Entry {
    function: Rc<Function>,
    made_by: Option<SessionNo>,
    dropped_by: Option<SessionNo>,
}

impl Routines {
    /// The functions of that name that the session sees.
    pub(crate) fn named(&self, name: &str, session: SessionNo) -> Vec<Rc<Function>> {
        let sees = |entry: &&Entry| {
            entry.function.definition.name == name
                && entry.made_by.is_none_or(|maker| maker == session)
                && entry.dropped_by != Some(session)
        };
        self.entries.iter().filter(sees).map(|entry| entry.function.clone()).collect()
    }

    /// The function of that name with these parameter types.
    pub(crate) fn exact(&self, name: &str, args: &[Declared], session: SessionNo) -> Option<Rc<Function>> {
        let same = |function: &Rc<Function>| {
            let params = &function.definition.params;
            params.len() == args.len()
                && params.iter().zip(args).all(|(param, arg)| base(&param.ty) == base(arg))
        };
        self.named(name, session).into_iter().find(same)
    }

    /// Whether another session's open transaction has created or dropped a function of that name.
    pub(super) fn is_contended(&self, name: &str, session: SessionNo) -> bool {
        let others = |by: Option<SessionNo>| by.is_some_and(|by| by != session);
        self.entries.iter().any(|entry| {
            entry.function.definition.name == name && (others(entry.made_by) || others(entry.dropped_by))
        })
    }

    pub(super) fn fresh_id(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    pub(super) fn add(&mut self, function: Rc<Function>, session: SessionNo) {
        self.entries.push(Entry { function, made_by: Some(session), dropped_by: None });
    }

    pub(super) fn drop(&mut self, id: u32, session: SessionNo) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.function.definition.id == id) {
            entry.dropped_by = Some(session);
        }
    }

    /// Undoes the creation of a function.
    pub(crate) fn remove(&mut self, id: u32) {
        self.entries.retain(|entry| entry.function.definition.id != id);
    }

    /// Undoes the drop of a function.
    pub(crate) fn keep(&mut self, id: u32) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.function.definition.id == id) {
            entry.dropped_by = None;
        }
    }

    /// Whether an open transaction has created or dropped a function.
    pub(crate) fn is_in_flux(&self) -> bool {
        self.entries.iter().any(|entry| entry.made_by.is_some() || entry.dropped_by.is_some())
    }

    /// Publishes the changes of the session's transaction, which has committed. Returns whether there were any.
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

/// The type without length and precision, which are ignored for parameters.
fn base(ty: &Declared) -> Declared {
    match ty {
        Declared::Type(ty) => Declared::Type(ty.base()),
        Declared::Any(any) => Declared::Any(any),
    }
}
