//! A simulated connection pool, modelled on database drivers: a fixed number of connections, first come first served,
//! one user at a time. A later requester never overtakes, and a connection known to be dead is never handed out.
//!
//! Rules and the drivers that they follow:
//! - A requester that finds no connection waits in a queue, first come first served (node-postgres, `pool.connect`: "a
//!   FIFO queue"; postgres.js, `reserve` in `src/index.js`: shifted from `queries` as connections open), either for
//!   ever (postgres.js, whose `reserve` has no timeout) or until the pool's acquire timeout ([`Pool::giving_up_after`];
//!   sqlx, `acquire_timeout`; node-postgres, `connectionTimeoutMillis`). A returned connection goes only to the first
//!   in the queue.
//! - A reserved connection is its holder's until it is released (postgres.js, `sql.reserve()` and `release()`).
//!   Ordinary statements take one connection each for as long as they last; postgres.js may send several on one that is
//!   not reserved, which is not modelled.
//! - A connection returned inside a transaction is rolled back before its next user gets it (Go's `database/sql`
//!   through `defer tx.Rollback()`, sqlx on drop). Session state stays, in particular advisory locks, "held until
//!   explicitly released or the session ends" (PostgreSQL manual, 13.3.5).
//! - A checked-out connection may be killed, even while nothing is in flight ([`Fault::Disconnect`]). Later requests on
//!   it are lost (postgres.js: `CONNECTION_CLOSED`), and the driver can be asked ([`Connection::is_broken`];
//!   node-postgres, the client's `error` event; postgres.js, `onclose`). Its slot stays taken until its holder returns
//!   it, as with node-postgres and sqlx; postgres.js opens another at once. Then another is opened.
//! - `release` may throw ([`Fault::ReleaseError`]; postgres.js issue 1199, where the connection was dead; node-postgres
//!   on one that was released before). The connection is then closed, and another opened in its place.
//!
//! A reservation and its end are annotated in the trace as `reserved`: how many of the pool's connections are reserved
//! now, and how many it has.
//!
//! [`Fault::Disconnect`]: crate::fault::Fault::Disconnect
//! [`Fault::ReleaseError`]: crate::fault::Fault::ReleaseError

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::actor::Actor;
use crate::engine::{Answer, SqlError, Value};
use crate::part::Part;
use crate::parts::connection::{Connection, Transaction};
use crate::parts::slots::{Slots, error};
use crate::point::{ActorId, ProcessId};
use crate::world::Boot;

/// A handle on a pool; clones share its connections.
#[derive(Clone)]
pub struct Pool {
    slots: Rc<Slots>,
    /// How long this handle waits for a connection; none means for ever.
    at_most: Option<Duration>,
}

impl Boot {
    /// Opens a pool of `size` connections. A statement on one waits for a lock for at most `lock_timeout`, or for as
    /// long as the engine lets it.
    pub fn pool(&self, size: usize, lock_timeout: impl Into<Option<Duration>>) -> Pool {
        Pool::open(self.unnamed_part("pool"), self.process(), size, lock_timeout.into())
    }
}

impl Pool {
    fn open(part: Part, process: ProcessId, size: usize, lock_timeout: Option<Duration>) -> Pool {
        let idle = (0..size).filter_map(|_| part.connect(process)).collect();
        let slots = Rc::new(Slots {
            part,
            process,
            size,
            lock_timeout,
            reserved: Cell::default(),
            idle: RefCell::new(idle),
            promised: Cell::default(),
            users: RefCell::default(),
            waiting: RefCell::default(),
        });
        Pool { slots, at_most: None }
    }

    /// Another handle on the same connections, with this acquire timeout.
    pub fn giving_up_after(&self, at_most: Duration) -> Pool {
        Pool { slots: self.slots.clone(), at_most: Some(at_most) }
    }

    /// The number of its connections.
    pub fn size(&self) -> usize {
        self.slots.size
    }

    /// Takes a connection, after all earlier requesters and without a timeout. The wait is recorded like any other.
    pub async fn acquire(&self, actor: &Actor) -> Connection {
        self.take(actor, None).await.expect("who waits for ever does not give up")
    }

    /// Takes a connection until [`Connection::release`].
    ///
    /// # Errors
    /// The acquire timeout has passed.
    pub async fn reserve(&self, actor: &Actor) -> Result<Connection, SqlError> {
        let mut connection = self.take(actor, self.at_most).await?;
        connection.reserve();
        // Code that awaits a promise continues in a later turn, even if the promise is already resolved.
        actor.continue_after(Duration::ZERO).await;
        Ok(connection)
    }

    async fn take(&self, actor: &Actor, at_most: Option<Duration>) -> Result<Connection, SqlError> {
        let pool = &self.slots;
        pool.touch();
        if pool.idle.borrow().len() > pool.promised.get() {
            pool.users.borrow_mut().push(actor.id());
        } else {
            let wait = actor.begin_wait("the connection", pool.users.borrow().clone());
            pool.waiting.borrow_mut().push_back(actor.id());
            let place = Place { pool: pool.clone(), actor: actor.id(), served: false };
            actor.blocked(wait.deadline(at_most)).await;
            let timed_out = actor.timed_out();
            if timed_out {
                drop(place);
            } else {
                place.take();
            }
            wait.end(timed_out);
            if timed_out {
                return Err(error("ACQUIRE_TIMEOUT", "timed out waiting for a connection of the pool"));
            }
        }
        let session = pool.idle.borrow_mut().pop_front().expect("whoever is let in finds a connection");
        Ok(Connection::new(actor.clone(), session, pool.clone()))
    }

    /// Takes a connection and begins a transaction on it with the given statement.
    ///
    /// # Errors
    /// The driver's error, or the acquire timeout.
    pub async fn begin(
        &self,
        actor: &Actor,
        label: &'static str,
        sql: &'static str,
    ) -> Result<Transaction, SqlError> {
        Transaction::begin(self.take(actor, self.at_most).await?, label, sql).await
    }

    /// Runs one statement in its own transaction: takes a connection, sends the statement, gives it back.
    ///
    /// # Errors
    /// The driver's error, or the acquire timeout.
    pub async fn execute(
        &self,
        actor: &Actor,
        label: &'static str,
        sql: impl Into<Cow<'static, str>>,
        params: impl Into<Vec<Value>>,
    ) -> Result<Answer, SqlError> {
        self.take(actor, self.at_most).await?.execute(label, sql, params).await
    }
}

/// A place in the queue. Dropping it early, with the future that waited, lets the next waiter proceed.
struct Place {
    pool: Rc<Slots>,
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
            // A connection was already assigned; it goes to the next waiter.
            None => {
                self.pool.promised.set(self.pool.promised.get() - 1);
                let session = self.pool.idle.borrow_mut().pop_front().expect("a promised connection is idle");
                self.pool.give_back(session, self.actor);
            }
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}
