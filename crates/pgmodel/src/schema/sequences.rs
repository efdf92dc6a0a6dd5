//! The catalogue of sequences, with visibility. Their current numbers are not stored here, as rollbacks do not affect
//! them.

use retrial_pgmodel_sql::catalog::TableId;

use crate::lock::SessionNo;

/// The sequences that transactions have created and dropped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sequences {
    entries: Vec<Named>,
}

/// A sequence's catalogue entry.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// The sequence's id; sequences share the id space of tables.
    pub(crate) id: TableId,
    pub(crate) name: String,
    /// The table and column that own it; it is dropped with them.
    pub(crate) owner: Option<(TableId, usize)>,
    made_by: Option<SessionNo>,
    dropped_by: Option<SessionNo>,
}

impl Named {
    /// The entry of a sequence that a session creates.
    pub(crate) fn new(id: TableId, name: &str, owner: Option<(TableId, usize)>, by: SessionNo) -> Named {
        Named { id, name: name.to_owned(), owner, made_by: Some(by), dropped_by: None }
    }
}

impl Sequences {
    /// The sequence of that name, as the session sees it.
    pub(crate) fn find(&self, name: &str, session: SessionNo) -> Option<&Named> {
        self.visible(session).find(|sequence| sequence.name == name)
    }

    /// The sequence with that id, unless the session does not see it.
    pub(crate) fn by_id(&self, id: TableId, session: SessionNo) -> Option<&Named> {
        self.visible(session).find(|sequence| sequence.id == id)
    }

    /// The sequences that the session sees.
    pub(crate) fn visible(&self, session: SessionNo) -> impl Iterator<Item = &Named> {
        let sees = move |sequence: &&Named| {
            sequence.made_by.is_none_or(|maker| maker == session) && sequence.dropped_by != Some(session)
        };
        self.entries.iter().filter(sees)
    }

    /// Whether another session's open transaction has created a sequence of that name.
    pub(crate) fn is_being_made(&self, name: &str, session: SessionNo) -> bool {
        let being_made = |sequence: &Named| sequence.made_by.is_some_and(|maker| maker != session);
        self.entries.iter().any(|sequence| sequence.name == name && being_made(sequence))
    }

    /// Whether an open transaction has created or dropped a sequence.
    pub(crate) fn are_in_flux(&self) -> bool {
        self.entries.iter().any(|sequence| sequence.made_by.is_some() || sequence.dropped_by.is_some())
    }

    pub(crate) fn add(&mut self, sequence: Named) {
        self.entries.push(sequence);
    }

    /// Marks a sequence as dropped by the session.
    pub(crate) fn drop(&mut self, id: TableId, by: SessionNo) {
        self.set_dropped(id, Some(by));
    }

    /// Undoes a drop.
    pub(crate) fn restore(&mut self, id: TableId) {
        self.set_dropped(id, None);
    }

    fn set_dropped(&mut self, id: TableId, by: Option<SessionNo>) {
        if let Some(sequence) = self.entries.iter_mut().find(|sequence| sequence.id == id) {
            sequence.dropped_by = by;
        }
    }

    /// Undoes the creation of a sequence.
    pub(crate) fn remove(&mut self, id: TableId) {
        self.entries.retain(|sequence| sequence.id != id);
    }

    /// Publishes the changes of the session's transaction, which has committed. Returns whether there were any.
    pub(crate) fn commit(&mut self, session: SessionNo) -> bool {
        let concerns =
            |sequence: &Named| sequence.made_by == Some(session) || sequence.dropped_by == Some(session);
        if !self.entries.iter().any(concerns) {
            return false;
        }
        self.entries.retain(|sequence| sequence.dropped_by != Some(session));
        for sequence in self.entries.iter_mut().filter(|sequence| sequence.made_by == Some(session)) {
            sequence.made_by = None;
        }
        true
    }
}
