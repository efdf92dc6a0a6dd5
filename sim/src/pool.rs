//! A connection pool as database drivers have it: a fixed number of connections, first come first served, one
//! user at a time. A connection that comes back inside a transaction is rolled back before anyone else gets it
//! (Go's `database/sql` through `defer tx.Rollback()`, sqlx on drop).

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::actor::Actor;
use crate::connection::{Connection, Transaction};
use crate::engine::{Answer, SessionId, SqlError, Value};
use crate::footprint::Use;
use crate::point::ActorId;
use crate::trace::What;
use crate::world::{SessionCell, Shared};

/// A pool; cloning it gives another handle on the same connections.
#[derive(Clone)]
pub struct Pool(Rc<Inner>);

pub(crate) struct Inner {
    pub(crate) shared: Rc<Shared>,
    process: usize,
    pub(crate) lock_timeout: Option<Duration>,
    idle: RefCell<VecDeque<SessionId>>,
    /// How many of the idle connections belong to someone who waited and has yet to come for it.
    promised: Cell<usize>,
    users: RefCell<Vec<ActorId>>,
    waiting: RefCell<VecDeque<ActorId>>,
}

impl Pool {
    pub(crate) fn open(
        shared: Rc<Shared>,
        process: usize,
        size: usize,
        lock_timeout: Option<Duration>,
    ) -> Pool {
        let idle = (0..size).filter_map(|_| connect(&shared, process)).collect();
        Pool(Rc::new(Inner {
            shared,
            process,
            lock_timeout,
            idle: RefCell::new(idle),
            promised: Cell::default(),
            users: RefCell::default(),
            waiting: RefCell::default(),
        }))
    }

    /// Takes a connection, after everyone who asked before. Waiting for one is a wait like any other.
    pub async fn acquire(&self, actor: &Actor) -> Connection {
        let pool = &self.0;
        pool.touch();
        if pool.idle.borrow().len() > pool.promised.get() {
            pool.users.borrow_mut().push(actor.id);
        } else {
            let began = actor.shared.now.get();
            let holders = pool.users.borrow().clone();
            actor.shared.record(actor.id, What::Waits { resource: "the connection", holders });
            pool.waiting.borrow_mut().push_back(actor.id);
            let place = Place { pool: pool.clone(), actor: actor.id, served: false };
            actor.blocked(None).await;
            place.take();
            let waited = actor.shared.now.get() - began;
            actor.shared.record(actor.id, What::Resumed { waited, timed_out: false });
        }
        let session = pool.idle.borrow_mut().pop_front().expect("whoever is let in finds a connection");
        Connection::new(actor.clone(), session, pool.clone())
    }

    /// Takes a connection for a transaction, and begins it with the given statement.
    ///
    /// # Errors
    /// The driver's error.
    pub async fn begin(
        &self,
        actor: &Actor,
        label: &'static str,
        sql: &'static str,
    ) -> Result<Transaction, SqlError> {
        Transaction::begin(self.acquire(actor).await, label, sql).await
    }

    /// Runs one statement in its own transaction: takes a connection, sends the statement, gives it back.
    ///
    /// # Errors
    /// The driver's error.
    pub async fn execute(
        &self,
        actor: &Actor,
        label: &'static str,
        sql: impl Into<Cow<'static, str>>,
        params: impl Into<Vec<Value>>,
    ) -> Result<Answer, SqlError> {
        self.acquire(actor).await.execute(label, sql, params).await
    }
}

/// A place in the queue. Whoever leaves it early, because the future that waited was dropped, holds nobody up.
struct Place {
    pool: Rc<Inner>,
    actor: ActorId,
    served: bool,
}

impl Place {
    fn take(mut self) {
        self.served = true;
        self.pool.promised.set(self.pool.promised.get() - 1);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.pool.touch();
        if self.served {
            return;
        }
        let place = self.pool.waiting.borrow().iter().position(|waiting| *waiting == self.actor);
        match place {
            Some(place) => {
                self.pool.waiting.borrow_mut().remove(place);
            }
            // The connection was promised already; it goes to the next.
            None => {
                self.pool.promised.set(self.pool.promised.get() - 1);
                let session = self.pool.idle.borrow_mut().pop_front().expect("a promised connection is idle");
                self.pool.give_back(session, self.actor);
            }
        }
    }
}

/// Opens a session for a process; a refusal ends the trial.
fn connect(shared: &Shared, process: usize) -> Option<SessionId> {
    match shared.engine.borrow_mut().connect() {
        Ok(id) => {
            let cell = SessionCell { id, process, user: ActorId::NOBODY, write_lock_since: None };
            shared.sessions.borrow_mut().push(cell);
            Some(id)
        }
        Err(error) => {
            shared.refuse(error);
            None
        }
    }
}

impl Inner {
    /// Who comes first gets the connection. A process has few pools, so they count as one.
    fn touch(&self) {
        self.shared.touch("pool", "", Some(self.process as u64), Use::Write);
    }

    /// Opens a connection in place of one that broke, and goes on as if that one had come back.
    pub(crate) fn replace(&self, user: ActorId) {
        if let Some(session) = connect(&self.shared, self.process) {
            self.give_back(session, user);
        }
    }

    /// Takes a connection back. It is the next one's from here on, so that nobody who asks later overtakes.
    pub(crate) fn give_back(&self, session: SessionId, user: ActorId) {
        self.touch();
        self.idle.borrow_mut().push_back(session);
        let mut users = self.users.borrow_mut();
        if let Some(index) = users.iter().position(|other| *other == user) {
            users.remove(index);
        }
        if let Some(next) = self.waiting.borrow_mut().pop_front() {
            users.push(next);
            self.promised.set(self.promised.get() + 1);
            self.shared.release(next, false);
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}
