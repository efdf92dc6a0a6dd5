//! The record of each open session of the engine: its process, the actor that has it checked out, and since when it has
//! held a write lock. Ended sessions are removed, because their numbers may be reused.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::Shared;
use crate::engine::SessionId;
use crate::point::ActorId;
use crate::trace::EventKind;

pub(crate) struct SessionCell {
    pub(crate) id: SessionId,
    pub(crate) process: usize,
    /// The actor that has it checked out, or had it last.
    pub(crate) user: ActorId,
    /// The number of its checkout, while it is checked out.
    taken: Option<u32>,
    write_lock_since: Option<Duration>,
    /// Whether it has ended; the actor that has it reads this flag, because the number may have been reused.
    ended: Rc<Cell<bool>>,
}

impl Shared {
    /// Opens a session for a process; a refusal ends the trial.
    pub(crate) fn connect(&self, process: usize) -> Option<SessionId> {
        match self.with_engine(|engine| engine.connect()) {
            Ok(id) => {
                let (user, ended) = (ActorId::NOBODY, Rc::default());
                let cell = SessionCell { id, process, user, taken: None, write_lock_since: None, ended };
                self.sessions.borrow_mut().push(cell);
                Some(id)
            }
            Err(error) => {
                self.refuse(error);
                None
            }
        }
    }

    /// Checks the session out to an actor; returns the flag that is set when the session ends.
    pub(crate) fn check_out(&self, id: SessionId, user: ActorId) -> Rc<Cell<bool>> {
        self.takes.set(self.takes.get() + 1);
        self.with_session(id, |cell| {
            cell.user = user;
            cell.taken = Some(self.takes.get());
            cell.ended.clone()
        })
    }

    /// Ends the checkout of the session, if it is still open.
    pub(crate) fn check_in(&self, id: SessionId) {
        if let Some(cell) = self.sessions.borrow_mut().iter_mut().find(|cell| cell.id == id) {
            cell.taken = None;
        }
    }

    /// The actor that has the session checked out, or had it last.
    pub(crate) fn user_of(&self, id: SessionId) -> ActorId {
        let sessions = self.sessions.borrow();
        sessions.iter().find(|cell| cell.id == id).map_or(ActorId::NOBODY, |cell| cell.user)
    }

    /// Lets the user of a session continue, because its statement can.
    pub(crate) fn release_user_of(&self, id: SessionId) {
        let user = self.user_of(id);
        if user != ActorId::NOBODY {
            self.release(user, false);
        }
    }

    /// The session that the actor has had checked out for longest.
    pub(crate) fn session_in_hand(&self, actor: ActorId) -> Option<SessionId> {
        let sessions = self.sessions.borrow();
        let in_hand = sessions.iter().filter(|cell| cell.user == actor && cell.taken.is_some());
        in_hand.min_by_key(|cell| cell.taken).map(|cell| cell.id)
    }

    pub(crate) fn holds_write_lock(&self, id: SessionId) -> bool {
        self.with_session(id, |cell| cell.write_lock_since.is_some())
    }

    /// Records since when the session has held a write lock, and how long it held it once it no longer does.
    pub(crate) fn set_write_lock(&self, id: SessionId, actor: ActorId, holds: bool) {
        let now = self.now.get();
        let released = self.with_session(id, |cell| match (cell.write_lock_since, holds) {
            (None, true) => {
                cell.write_lock_since = Some(now);
                None
            }
            (Some(_), false) => cell.write_lock_since.take(),
            _ => None,
        });
        if let Some(since) = released {
            self.record(actor, EventKind::Released(now - since));
        }
    }

    /// Breaks the connection: the server ends the session, rolls back its uncommitted work and releases its locks.
    pub(crate) fn end_session(&self, id: SessionId) {
        self.with_engine(|engine| engine.close(id));
        let mut sessions = self.sessions.borrow_mut();
        let place = sessions.iter().position(|cell| cell.id == id).expect("the session is open");
        let cell = sessions.remove(place);
        drop(sessions);
        cell.ended.set(true);
        if let Some(since) = cell.write_lock_since {
            self.record(cell.user, EventKind::Released(self.now.get() - since));
        }
    }

    /// Closes the sessions of a process that has ended.
    pub(crate) fn close_sessions_of(&self, process: usize) {
        let mut sessions = self.sessions.borrow_mut();
        let mut engine = self.engine.borrow_mut();
        for cell in sessions.extract_if(.., |cell| cell.process == process) {
            engine.close(cell.id);
        }
    }

    fn with_session<T>(&self, id: SessionId, f: impl FnOnce(&mut SessionCell) -> T) -> T {
        let mut sessions = self.sessions.borrow_mut();
        f(sessions.iter_mut().find(|cell| cell.id == id).expect("the session is open"))
    }
}
