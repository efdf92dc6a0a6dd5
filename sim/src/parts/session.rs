//! The world's record of each open session: its process, the actor that has it checked out, and since when it has held
//! a write lock. Ended sessions are removed, because their numbers may be reused.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use crate::engine::SessionId;
use crate::point::ActorId;
use crate::trace::EventKind;
use crate::world::Shared;

pub(crate) struct SessionCell {
    pub(crate) id: SessionId,
    pub(crate) process: usize,
    /// The actor that has it checked out, or had it last.
    pub(crate) user: ActorId,
    /// The number of its checkout, while it is checked out.
    pub(crate) taken: Option<u32>,
    pub(crate) write_lock_since: Option<Duration>,
    /// Whether it has ended; the actor that has it reads this flag, because the number may have been reused.
    pub(crate) ended: Rc<Cell<bool>>,
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
    pub(crate) fn take_session(&self, id: SessionId, user: ActorId) -> Rc<Cell<bool>> {
        self.takes.set(self.takes.get() + 1);
        let mut sessions = self.sessions.borrow_mut();
        let cell = sessions.iter_mut().find(|cell| cell.id == id).expect("the session is open");
        cell.user = user;
        cell.taken = Some(self.takes.get());
        cell.ended.clone()
    }

    /// Ends the checkout of the session.
    pub(crate) fn put_session_back(&self, id: SessionId) {
        if let Some(cell) = self.sessions.borrow_mut().iter_mut().find(|cell| cell.id == id) {
            cell.taken = None;
        }
    }

    /// The session that the actor has had checked out for longest.
    pub(crate) fn session_in_hand(&self, actor: ActorId) -> Option<SessionId> {
        let sessions = self.sessions.borrow();
        let in_hand = sessions.iter().filter(|cell| cell.user == actor && cell.taken.is_some());
        in_hand.min_by_key(|cell| cell.taken).map(|cell| cell.id)
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
}
