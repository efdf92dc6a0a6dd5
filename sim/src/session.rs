//! What the world knows of each open session: whose process it is, who has it in hand, and since when it keeps writers
//! out. A session that has ended is not here any more; its number must never be taken for that of a later one.

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
    /// Who has it, or had it last.
    pub(crate) user: ActorId,
    /// The number of its taking, while somebody has it.
    pub(crate) taken: Option<u32>,
    pub(crate) write_lock_since: Option<Duration>,
    /// Whether it has ended; whoever has it finds out here, when another may have its number.
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

    /// The session is in that actor's hands from here on; gives back where it will be told of the session's end.
    pub(crate) fn take_session(&self, id: SessionId, user: ActorId) -> Rc<Cell<bool>> {
        self.takes.set(self.takes.get() + 1);
        let mut sessions = self.sessions.borrow_mut();
        let cell = sessions.iter_mut().find(|cell| cell.id == id).expect("the session is open");
        cell.user = user;
        cell.taken = Some(self.takes.get());
        cell.ended.clone()
    }

    /// Nobody has the session in hand any more.
    pub(crate) fn put_session_back(&self, id: SessionId) {
        if let Some(cell) = self.sessions.borrow_mut().iter_mut().find(|cell| cell.id == id) {
            cell.taken = None;
        }
    }

    /// The session that the actor has had in hand for longest.
    pub(crate) fn session_in_hand(&self, actor: ActorId) -> Option<SessionId> {
        let sessions = self.sessions.borrow();
        let in_hand = sessions.iter().filter(|cell| cell.user == actor && cell.taken.is_some());
        in_hand.min_by_key(|cell| cell.taken).map(|cell| cell.id)
    }

    /// The connection breaks, and the server ends the session with whatever it has not committed and all its locks.
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
