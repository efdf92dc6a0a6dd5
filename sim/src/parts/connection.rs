//! An actor's database connection. Each statement is a point, waits for locks on the virtual clock, and lasts as long
//! as its work costs. Strategies call it directly. It never retries: that is up to the strategy.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use crate::actor::{Actor, Wait};
use crate::engine::{Answer, Done, Reply, SessionId, SqlError, Value, Work};
use crate::error::{Error, ErrorKind};
use crate::fault::Fault;
use crate::footprint::Footprint;
use crate::parts::slots::{Slots, thrown};
use crate::point::PointKind;
use crate::sentence::statement_in_short;
use crate::trace::{EventKind, Statement};

pub use self::transaction::Transaction;

mod transaction;

/// A connection taken from a pool; dropping it returns it. A broken connection fails every request; the pool opens a
/// replacement once it is dropped.
pub struct Connection {
    actor: Actor,
    session: SessionId,
    pool: Rc<Slots>,
    /// Whether the session has ended; its number may have been reused for another one.
    broken: Rc<Cell<bool>>,
    /// Whether the pool counts it as reserved.
    reserved: bool,
    /// Whether a transaction begun by [`Connection::begin`] is still open.
    in_transaction: Cell<bool>,
}

impl Connection {
    pub(super) fn new(actor: Actor, session: SessionId, pool: Rc<Slots>) -> Connection {
        let broken = pool.part.check_out(session, actor.id());
        Connection { actor, session, pool, broken, reserved: false, in_transaction: Cell::new(false) }
    }

    /// Whether the connection is known to be dead: a reply never came, or the driver noticed its end while nothing was
    /// in flight.
    pub fn is_broken(&self) -> bool {
        self.pool.part.count_call();
        self.broken.get()
    }

    /// Returns the connection to the pool. Nothing runs between this point and the code after it, as with a driver
    /// whose `release` returns no promise. A dead connection is closed and replaced.
    ///
    /// # Errors
    /// The pool threw; the connection is closed, and another opened in its place.
    pub async fn release(mut self, label: &'static str) -> Result<(), SqlError> {
        self.actor.arrive(label, PointKind::Release).await;
        let throws = self.actor.take_fault() == Some(Fault::ReleaseError);
        self.pool.part.record(self.actor.id(), EventKind::Stepped(label));
        if throws {
            self.sever();
        }
        if std::mem::take(&mut self.reserved) {
            self.pool.unreserve(self.actor.id(), true);
        }
        if throws { Err(thrown()) } else { Ok(()) }
    }

    /// Runs one statement, in the transaction begun on this connection or in one of its own.
    ///
    /// # Errors
    /// The driver's error; the engine decides whether an open transaction survives it.
    pub async fn execute(
        &self,
        label: &'static str,
        sql: impl Into<Cow<'static, str>>,
        params: impl Into<Vec<Value>>,
    ) -> Result<Answer, SqlError> {
        self.run(label, sql.into(), params.into(), !self.in_transaction.get()).await
    }

    /// Begins a transaction; the connection stays the caller's after it ends. A migration that runs several
    /// transactions in turn thus keeps its session and settings.
    ///
    /// # Errors
    /// The driver's error; as far as the caller can know, no transaction is open.
    pub async fn begin(&self, label: &'static str, sql: &'static str) -> Result<(), SqlError> {
        self.run(label, sql.into(), Vec::new(), false).await?;
        self.in_transaction.set(true);
        Ok(())
    }

    /// Commits the transaction begun on this connection.
    ///
    /// # Errors
    /// As [`Transaction::commit`].
    pub async fn commit(&self, label: &'static str) -> Result<(), SqlError> {
        self.end(label, "COMMIT").await
    }

    /// Rolls back the transaction begun on this connection.
    ///
    /// # Errors
    /// The driver's error.
    pub async fn rollback(&self, label: &'static str) -> Result<(), SqlError> {
        self.end(label, "ROLLBACK").await
    }

    /// Whether a transaction begun by [`Connection::begin`] is still open. After a failed statement it stays open until
    /// it is rolled back; after a broken connection it is gone.
    pub fn is_in_transaction(&self) -> bool {
        self.in_transaction.get() && !self.broken.get()
    }

    /// Runs one statement; `alone` if it is a transaction of its own, after which the connection may go back to the
    /// pool.
    async fn run(
        &self,
        label: &'static str,
        sql: Cow<'static, str>,
        params: Vec<Value>,
        alone: bool,
    ) -> Result<Answer, SqlError> {
        let fault = self.prepared(label).await;
        match fault {
            Some(Fault::StatementError) => return self.fails(label, sql, params).await,
            Some(Fault::RequestLost) => return self.goes_astray(label, sql, params),
            _ => {}
        }
        let done = self.submit(&sql, &params).await;
        let (mut result, unsettled) = (done.result.clone(), done.unsettled);
        let spent = self.pool.part.cost().of(done.work, &done.result);
        let locked = done.holds_write_lock;
        self.record(label, sql, params, done);
        if unsettled {
            let durable = if locked { self.pool.part.cost().per_commit } else { Duration::ZERO };
            self.actor.continue_after(spent + durable).await;
            let reply = self.engine(|engine, session| engine.settle(session));
            let settled = self.wait(reply).await;
            if let Err(error) = &settled.result {
                result = Err(error.clone());
            }
            self.note_end(settled);
        } else if alone || fault == Some(Fault::ReplyLost) {
            // A server notices that the client is gone only when it replies.
            self.actor.continue_after(spent).await;
        } else {
            self.actor.busy_for(spent);
        }
        self.after(fault, result).await
    }

    /// Sends the statement that ends the transaction; a commit takes its time while the locks are still held.
    async fn end(&self, label: &'static str, sql: &'static str) -> Result<(), SqlError> {
        let fault = self.prepared(label).await;
        // A failed COMMIT has ended the transaction as well; a refused ROLLBACK has not.
        let stays = sql != "COMMIT" && fault == Some(Fault::StatementError);
        self.in_transaction.set(self.in_transaction.get() && stays);
        match fault {
            Some(Fault::StatementError) => {
                return self.fails(label, sql.into(), Vec::new()).await.map(|_| ());
            }
            Some(Fault::RequestLost) => return self.goes_astray(label, sql.into(), Vec::new()).map(|_| ()),
            _ => {}
        }
        if sql == "COMMIT" && self.pool.part.holds_write_lock(self.session) {
            self.actor.continue_after(self.pool.part.cost().per_commit).await;
        }
        let done = self.submit(sql, &[]).await;
        let result = done.result.clone();
        self.record(label, sql.into(), Vec::new(), done);
        self.after(fault, result).await.map(|_| ())
    }

    pub(super) fn reserve(&mut self) {
        self.reserved = true;
        self.pool.reserve(self.actor.id());
    }

    /// Waits at the statement's point until chosen; returns the fault injected there. On a broken connection every
    /// request is lost before it leaves the process; this is still a step, so that an endless retry loop is detected.
    async fn prepared(&self, label: &'static str) -> Option<Fault> {
        if self.broken.get() {
            self.actor.arrive(label, PointKind::Step).await;
            return Some(Fault::RequestLost);
        }
        self.actor.arrive(label, PointKind::Statement).await;
        let fault = self.actor.take_fault();
        // The connection may have died while the actor waited.
        if self.broken.get() { Some(Fault::RequestLost) } else { fault }
    }

    async fn submit(&self, sql: &str, params: &[Value]) -> Done {
        let reply = self.engine(|engine, session| engine.submit(session, sql, params)).map_err(|error| {
            let is_refusal = matches!(error.kind(), ErrorKind::Refused | ErrorKind::NotModelled);
            if is_refusal { error.during(format!("in {}", statement_in_short(sql))) } else { error }
        });
        self.wait(reply).await
    }

    /// Continues with one of the plans by which the statement can run; the usual one is not recorded.
    async fn choose(&self, others: &[&'static str]) -> Result<Reply, Error> {
        let plan = self.actor.pick(others.len() + 1).await;
        if let Some(told) = plan.checked_sub(1).and_then(|other| others.get(other)) {
            self.pool.part.record(self.actor.id(), EventKind::Planned(told));
        }
        self.engine(|engine, session| engine.choose(session, plan))
    }

    /// Waits while the engine reports the statement as blocked, at most until the lock timeout has passed.
    async fn wait(&self, mut reply: Result<Reply, Error>) -> Done {
        let mut begun: Option<Wait> = None;
        loop {
            let on = match reply {
                Err(error) => {
                    self.pool.part.refuse(error);
                    return pending().await;
                }
                Ok(Reply::Done(done)) => {
                    if let Some(wait) = begun {
                        wait.end(false);
                    }
                    return done;
                }
                Ok(Reply::Choose(others)) => {
                    reply = Box::pin(self.choose(others)).await;
                    continue;
                }
                Ok(Reply::Blocked(on)) => on,
            };
            let wait = begun.get_or_insert_with(|| {
                let holders = on.iter().map(|session| self.pool.part.user(*session)).collect();
                self.actor.begin_wait("a lock", holders)
            });
            self.actor.blocked(wait.deadline(self.pool.lock_timeout)).await;
            if self.actor.timed_out() {
                // The wait ends here; the engine's reply must not end it again.
                if let Some(wait) = begun.take() {
                    wait.end(true);
                }
                reply = self.engine(|engine, session| engine.expire(session).map(Reply::Done));
            } else {
                reply = self.engine(|engine, session| engine.resume(session));
            }
        }
    }

    /// The reply is in flight: faults that hit the process or the reply apply now.
    async fn after(
        &self,
        fault: Option<Fault>,
        result: Result<Answer, SqlError>,
    ) -> Result<Answer, SqlError> {
        match fault {
            Some(Fault::CrashAfter) => self.actor.die().await,
            Some(Fault::ReplyLost) => {
                self.sever();
                Err(lost())
            }
            _ => result,
        }
    }

    /// The engine fails the statement before it takes effect, with an error of its own.
    async fn fails(
        &self,
        label: &'static str,
        sql: Cow<'static, str>,
        params: Vec<Value>,
    ) -> Result<Answer, SqlError> {
        let failed = self.engine(|engine, session| engine.fail(session, &sql));
        let done = self.wait(failed.map(Reply::Done)).await;
        let result = done.result.clone();
        self.record(label, sql, params, done);
        result
    }

    /// The request is lost before it reaches the engine.
    fn goes_astray(
        &self,
        label: &'static str,
        sql: Cow<'static, str>,
        params: Vec<Value>,
    ) -> Result<Answer, SqlError> {
        let (result, work, footprint) = (Err(lost()), Work::default(), Footprint::default());
        let statement = Statement { label, sql, params, result, work, footprint };
        self.pool.part.record(self.actor.id(), EventKind::Ran(Rc::new(statement)));
        self.sever();
        Err(lost())
    }

    /// The connection breaks; the server ends the session and rolls back its uncommitted work.
    fn sever(&self) {
        if !self.broken.get() {
            self.pool.part.end_session(self.session);
        }
        self.in_transaction.set(false);
    }

    fn record(&self, label: &'static str, sql: Cow<'static, str>, params: Vec<Value>, done: Done) {
        let Done { result, work, footprint, .. } = &done;
        let (result, work, footprint) = (result.clone(), *work, footprint.clone());
        let statement = Statement { label, sql, params, result, work, footprint };
        self.pool.part.record(self.actor.id(), EventKind::Ran(Rc::new(statement)));
        self.note_end(done);
    }

    /// Records what became visible, and when the session acquired or released a write lock.
    fn note_end(&self, done: Done) {
        let part = &self.pool.part;
        if !done.committed.is_empty() {
            part.record(self.actor.id(), EventKind::Committed(done.committed.into()));
        }
        part.set_write_lock(self.session, self.actor.id(), done.holds_write_lock);
    }

    /// Rolls back the session's open work, without a point: drivers do so behind the application's back.
    fn abandon(&self) {
        self.engine(|engine, session| engine.rollback(session));
        self.pool.part.set_write_lock(self.session, self.actor.id(), false);
    }

    fn engine<T>(&self, f: impl FnOnce(&mut dyn crate::engine::Engine, SessionId) -> T) -> T {
        self.pool.part.engine(|engine| f(engine, self.session))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.reserved {
            self.pool.unreserve(self.actor.id(), false);
        }
        if self.broken.get() {
            self.pool.replace(self.actor.id());
        } else {
            self.abandon();
            self.pool.give_back(self.session, self.actor.id());
        }
    }
}

/// The driver's error for a broken connection; it cannot know whether the request or the reply was lost.
fn lost() -> SqlError {
    SqlError {
        code: "CONNECTION_LOST".to_owned(),
        message: "the connection was lost before the reply arrived".to_owned(),
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.session).finish()
    }
}
