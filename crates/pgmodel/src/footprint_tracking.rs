//! What sessions use, where somebody asks for footprints: noted as it happens, and what a transaction holds once more
//! when it ends. It must never leave out an object; see `footprint.rs`.

use crate::footprint::{Object, Use};
use crate::lock::SessionNo;
use crate::server::Server;

impl Server {
    /// Notes that the session has used an object. What it has locked or written is used once more when its transaction
    /// ends, because then others see it and may have it.
    pub(crate) fn touch(&self, session: SessionNo, object: Object, how: Use) {
        if !self.tracks.get() {
            return;
        }
        self.used.borrow_mut().add(object, how);
        let mut backend = self.backend(session);
        backend.footprint.add(object, how);
        let held = match object {
            Object::TableLock(_) => true,
            // The order in which versions were added stays as it is.
            Object::Tail(_) => false,
            _ => how != Use::Read,
        };
        if let Some(transaction) = backend.transaction.as_mut().filter(|_| held) {
            transaction.held.add(object, how);
        }
    }

    /// Notes that the numbers of running transactions are about to be others, if the session's has any.
    pub(crate) fn touch_numbers(&self, session: SessionNo) {
        let numbered =
            |it: &crate::transaction::Transaction| it.levels.iter().any(|level| level.xid.is_some());
        if self.tracks.get() && self.backend(session).transaction.as_ref().is_some_and(numbered) {
            self.touch(session, Object::Serializable, Use::Read);
        }
    }

    /// Uses everything once more that the session's transaction has locked or written, which is about to become visible
    /// or free.
    pub(crate) fn touch_held(&self, session: SessionNo) {
        if !self.tracks.get() {
            return;
        }
        let held = self.backend(session).transaction.as_ref().map(|it| it.held.clone()).unwrap_or_default();
        held.touched.into_iter().for_each(|(object, how)| self.touch(session, object, how));
    }
}
