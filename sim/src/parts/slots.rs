//! The connections of a pool: which are idle, which are promised to a waiter, how many are reserved, and who waits. The
//! pool gives them out, and each connection comes back here.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::Duration;

use crate::engine::{SessionId, SqlError};
use crate::footprint::Use;
use crate::part::Part;
use crate::point::{ActorId, ProcessId};
use crate::trace::{EventKind, RESERVED};

/// The connections of a pool, and who has them or waits.
pub(super) struct Slots {
    pub(super) part: Part,
    pub(super) process: ProcessId,
    pub(super) size: usize,
    pub(super) lock_timeout: Option<Duration>,
    /// The number of reserved connections.
    pub(super) reserved: Cell<usize>,
    pub(super) idle: RefCell<VecDeque<SessionId>>,
    /// The number of idle connections that are assigned to a waiter which has not run since.
    pub(super) promised: Cell<usize>,
    pub(super) users: RefCell<Vec<ActorId>>,
    pub(super) waiting: RefCell<VecDeque<ActorId>>,
}

impl Slots {
    /// The order of requests decides who gets a connection. A process has few pools, so they count as one.
    pub(super) fn touch(&self) {
        self.part.touch(Some(self.process.index() as u64), Use::Write);
    }

    /// Opens a connection in place of a broken one, and treats it like a returned one.
    pub(super) fn replace(&self, user: ActorId) {
        if let Some(session) = self.part.connect(self.process) {
            self.give_back(session, user);
        }
    }

    /// Counts one more reserved connection.
    pub(super) fn reserve(&self, user: ActorId) {
        self.reserved.set(self.reserved.get() + 1);
        self.note_reserved(user);
    }

    /// Counts one reserved connection less; not annotated if its holder died.
    pub(super) fn unreserve(&self, user: ActorId, says_so: bool) {
        self.reserved.set(self.reserved.get() - 1);
        if says_so {
            self.note_reserved(user);
        }
    }

    fn note_reserved(&self, user: ActorId) {
        let (reserved, size) = (self.reserved.get() as i64, self.size as i64);
        self.part.record(user, EventKind::Annotated(RESERVED, reserved, size));
    }

    /// Returns a connection. It is assigned to the first waiter at once, so that no later requester overtakes.
    pub(super) fn give_back(&self, session: SessionId, user: ActorId) {
        self.touch();
        self.part.check_in(session);
        self.idle.borrow_mut().push_back(session);
        let mut users = self.users.borrow_mut();
        if let Some(index) = users.iter().position(|other| *other == user) {
            users.remove(index);
        }
        if let Some(next) = self.waiting.borrow_mut().pop_front() {
            users.push(next);
            self.promised.set(self.promised.get() + 1);
            self.part.release(next);
        }
    }
}

/// The error that `release` throws.
pub(super) fn thrown() -> SqlError {
    error("RELEASE_FAILED", "the connection could not be given back to the pool")
}

pub(super) fn error(code: &str, message: &str) -> SqlError {
    SqlError { code: code.to_owned(), message: message.to_owned() }
}
