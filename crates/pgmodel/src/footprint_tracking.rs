//! Recording of footprints, if turned on: each use as it happens, and all locks and writes of a transaction again when
//! it ends. A footprint must be complete; see `footprint.rs`.

use crate::footprint::{Object, Use};
use crate::lock::SessionNo;
use crate::server::Server;

impl Server {
    /// Records that the session has used an object. A lock or a write is recorded again when the transaction ends,
    /// because only then do others see the write or get the lock.
    pub(crate) fn touch(&self, session: SessionNo, object: Object, how: Use) {
        if !self.tracks.get() {
            return;
        }
        self.used.borrow_mut().add(object, how);
        let mut backend = self.backend(session);
        backend.footprint.add(object, how);
        let held = match object {
            Object::TableLock(_) => true,
            // The order in which versions were appended does not change when the transaction ends.
            Object::Tail(_) => false,
            _ => how != Use::Read,
        };
        if let Some(transaction) = backend.transaction.as_mut().filter(|_| held) {
            transaction.held.add(object, how);
        }
    }

    /// Records that the set of running transactions is about to change, if the session's transaction has a number.
    pub(crate) fn touch_numbers(&self, session: SessionNo) {
        let numbered =
            |it: &crate::transaction::Transaction| it.levels.iter().any(|level| level.xid.is_some());
        if self.tracks.get() && self.backend(session).transaction.as_ref().is_some_and(numbered) {
            self.touch(session, Object::Serializable, Use::Read);
        }
    }

    /// Records again everything that the session's transaction has locked or written, as it is about to be released or
    /// become visible.
    pub(crate) fn touch_held(&self, session: SessionNo) {
        if !self.tracks.get() {
            return;
        }
        let held = self.backend(session).transaction.as_ref().map(|it| it.held.clone()).unwrap_or_default();
        held.touched.into_iter().for_each(|(object, how)| self.touch(session, object, how));
    }
}
