//! Sessions of the trial's engine, for parts that send it SQL: drivers and pools.

use std::cell::Cell;
use std::rc::Rc;

use super::Part;
use crate::engine::{Engine, SessionId};
use crate::point::{ActorId, ProcessId};

impl Part {
    /// Calls the trial's engine.
    pub fn engine<T>(&self, call: impl FnOnce(&mut dyn Engine) -> T) -> T {
        self.shared.with_engine(call)
    }

    /// Opens a session for a process, which ends with it. An engine that refuses ends the trial.
    pub fn connect(&self, process: ProcessId) -> Option<SessionId> {
        self.shared.connect(process.index())
    }

    /// Checks an open session out to an actor. Returns a flag that is set when the session ends; after that its number
    /// may be another session's.
    pub fn check_out(&self, session: SessionId, actor: ActorId) -> Rc<Cell<bool>> {
        self.shared.check_out(session, actor)
    }

    /// Ends the checkout of a session.
    pub fn check_in(&self, session: SessionId) {
        self.shared.check_in(session);
    }

    /// Breaks a connection: the server ends the session, rolls back its uncommitted work and releases its locks.
    pub fn end_session(&self, session: SessionId) {
        self.shared.end_session(session);
    }

    /// The actor that has a session checked out, or had it last.
    pub fn user(&self, session: SessionId) -> ActorId {
        self.shared.user_of(session)
    }

    /// Whether a session holds a lock that keeps other writers out, as far as [`Part::set_write_lock`] was told.
    pub fn holds_write_lock(&self, session: SessionId) -> bool {
        self.shared.holds_write_lock(session)
    }

    /// Says whether a session holds a lock that keeps other writers out. When it no longer does, the trace gets the
    /// time that it was held, attributed to `actor`.
    pub fn set_write_lock(&self, session: SessionId, actor: ActorId, holds: bool) {
        self.shared.set_write_lock(session, actor, holds);
    }
}
