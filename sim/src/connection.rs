//! A connection as an actor has it: each statement is a point, waits for locks on the virtual clock, and lasts as
//! long as its work costs. What strategies call; it must never retry, which is the strategy's own business.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use crate::actor::Actor;
use crate::engine::{Answer, Done, Reply, SessionId, SqlError, Value, Work, statement_in_short};
use crate::error::{Error, ErrorKind};
use crate::fault::Fault;
use crate::footprint::Footprint;
use crate::point::{ActorId, PointKind};
use crate::pool;
use crate::session::SessionCell;
use crate::trace::{EventKind, Statement};

pub use self::transaction::Transaction;

mod transaction;

/// A connection taken from a pool; dropping it gives it back. One that broke answers nothing but that it did, and the
/// pool opens another in its place once it is dropped.
pub struct Connection {
    actor: Actor,
    session: SessionId,
    pool: Rc<pool::Inner>,
    /// The session is not ours any more: another may have its number.
    broken: Rc<Cell<bool>>,
    /// Whether the pool counts it as reserved.
    reserved: bool,
    /// A transaction was begun by [`Connection::begin`] and has not been ended.
    in_transaction: Cell<bool>,
}

impl Connection {
    pub(crate) fn new(actor: Actor, session: SessionId, pool: Rc<pool::Inner>) -> Connection {
        let broken = actor.shared.take_session(session, actor.id);
        Connection { actor, session, pool, broken, reserved: false, in_transaction: Cell::new(false) }
    }

    /// Whether the connection is known to have died: by an answer that never came, or because the driver has heard of
    /// its end while nothing was sent on it.
    pub fn is_broken(&self) -> bool {
        self.actor.shared.count_call();
        self.broken.get()
    }

    /// Gives the connection back, and tells whether the pool took it. Nothing comes between the point that this is and
    /// what follows it, as where a driver's `release` is no promise. One that has died is closed and replaced.
    ///
    /// # Errors
    /// The pool has thrown; the connection is closed, and another opened in its place.
    pub async fn release(mut self, label: &'static str) -> Result<(), SqlError> {
        self.actor.arrive(label, PointKind::Release, Duration::ZERO).await;
        let throws = self.actor.shared.directive.take() == Some(Fault::ReleaseError);
        self.actor.shared.record(self.actor.id, EventKind::Stepped(label));
        if throws {
            self.sever();
        }
        if std::mem::take(&mut self.reserved) {
            self.pool.unreserve(self.actor.id, true);
        }
        if throws { Err(pool::thrown()) } else { Ok(()) }
    }

    /// Runs one statement: in the transaction that was begun here, or as one of its own.
    ///
    /// # Errors
    /// The driver's error; whether an open transaction survives it is the engine's rule.
    pub async fn execute(
        &self,
        label: &'static str,
        sql: impl Into<Cow<'static, str>>,
        params: impl Into<Vec<Value>>,
    ) -> Result<Answer, SqlError> {
        self.run(label, sql.into(), params.into(), !self.in_transaction.get()).await
    }

    /// Begins a transaction on a connection that stays the caller's when it ends: who runs one after the other, as a
    /// migration does, keeps the session and its settings.
    ///
    /// # Errors
    /// The driver's error; no transaction is open then, as far as the caller can know.
    pub async fn begin(&self, label: &'static str, sql: &'static str) -> Result<(), SqlError> {
        self.run(label, sql.into(), Vec::new(), false).await?;
        self.in_transaction.set(true);
        Ok(())
    }

    /// Commits what was begun here.
    ///
    /// # Errors
    /// As [`Transaction::commit`].
    pub async fn commit(&self, label: &'static str) -> Result<(), SqlError> {
        self.end(label, "COMMIT").await
    }

    /// Rolls back what was begun here.
    ///
    /// # Errors
    /// The driver's error.
    pub async fn rollback(&self, label: &'static str) -> Result<(), SqlError> {
        self.end(label, "ROLLBACK").await
    }

    /// Whether a transaction that was begun by [`Connection::begin`] is still open. One that a statement has failed in
    /// is, until it is rolled back; one whose connection broke is not.
    pub fn is_in_transaction(&self) -> bool {
        self.in_transaction.get() && !self.broken.get()
    }

    /// Runs one statement; `alone` if it is a transaction of its own, whose connection goes back once it is over.
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
        let spent = self.actor.shared.cost.of(done.work, &done.result);
        let locked = done.holds_write_lock;
        self.record(label, sql, params, done);
        if unsettled {
            let durable = if locked { self.actor.shared.cost.per_commit } else { Duration::ZERO };
            self.actor.continue_after(spent + durable).await;
            let reply = self.engine(|engine, session| engine.settle(session));
            let settled = self.wait(reply).await;
            if let Err(error) = &settled.result {
                result = Err(error.clone());
            }
            self.note_end(settled);
        } else if alone || fault == Some(Fault::ReplyLost) {
            // A server notices that nobody hears it when it answers, and not before.
            self.actor.continue_after(spent).await;
        } else {
            self.actor.busy_for(spent);
        }
        self.after(fault, result).await
    }

    /// Sends the statement that ends the transaction; making it durable takes its time under its locks.
    async fn end(&self, label: &'static str, sql: &'static str) -> Result<(), SqlError> {
        let fault = self.prepared(label).await;
        // A COMMIT that fails has ended the transaction as well; a ROLLBACK that was refused has not.
        let stays = sql != "COMMIT" && fault == Some(Fault::StatementError);
        self.in_transaction.set(self.in_transaction.get() && stays);
        match fault {
            Some(Fault::StatementError) => {
                return self.fails(label, sql.into(), Vec::new()).await.map(|_| ());
            }
            Some(Fault::RequestLost) => return self.goes_astray(label, sql.into(), Vec::new()).map(|_| ()),
            _ => {}
        }
        if sql == "COMMIT" && self.with_cell(|cell, _| cell.write_lock_since.is_some()) {
            self.actor.continue_after(self.actor.shared.cost.per_commit).await;
        }
        let done = self.submit(sql, &[]).await;
        let result = done.result.clone();
        self.record(label, sql.into(), Vec::new(), done);
        self.after(fault, result).await.map(|_| ())
    }

    pub(crate) fn reserve(&mut self) {
        self.reserved = true;
        self.pool.reserve(self.actor.id);
    }

    /// Stands at the statement's point until chosen; tells which fault strikes it. On a broken connection every request
    /// is lost before it leaves the process: a step, so that whoever tries for ever is seen to.
    async fn prepared(&self, label: &'static str) -> Option<Fault> {
        if self.broken.get() {
            self.actor.arrive(label, PointKind::Step, Duration::ZERO).await;
            return Some(Fault::RequestLost);
        }
        self.actor.arrive(label, PointKind::Statement, Duration::ZERO).await;
        let fault = self.actor.shared.directive.take();
        // It may have died while the actor stood there.
        if self.broken.get() { Some(Fault::RequestLost) } else { fault }
    }

    async fn submit(&self, sql: &str, params: &[Value]) -> Done {
        let reply = self.engine(|engine, session| engine.submit(session, sql, params)).map_err(|error| {
            let is_refusal = matches!(error.kind(), ErrorKind::Refused | ErrorKind::NotModelled);
            if is_refusal { error.during(format!("in {}", statement_in_short(sql))) } else { error }
        });
        self.wait(reply).await
    }

    /// Goes on by one of the plans by which the statement may be run; the usual one is not told of.
    async fn choose(&self, others: &[&'static str]) -> Result<Reply, Error> {
        let plan = self.actor.pick(others.len() + 1).await;
        if let Some(told) = plan.checked_sub(1).and_then(|other| others.get(other)) {
            self.actor.shared.record(self.actor.id, EventKind::Planned(told));
        }
        self.engine(|engine, session| engine.choose(session, plan))
    }

    /// Waits while the engine says that the statement is blocked, at most until the lock timeout has passed.
    async fn wait(&self, mut reply: Result<Reply, Error>) -> Done {
        let shared = &self.actor.shared;
        let began = shared.now.get();
        let deadline = self.pool.lock_timeout.map(|timeout| began + timeout);
        let mut told_of_wait = false;
        loop {
            let on = match reply {
                Err(error) => {
                    shared.refuse(error);
                    return pending().await;
                }
                Ok(Reply::Done(done)) => {
                    if told_of_wait {
                        let waited = shared.now.get() - began;
                        shared.record(self.actor.id, EventKind::Resumed { waited, timed_out: false });
                    }
                    return done;
                }
                Ok(Reply::Choose(others)) => {
                    reply = Box::pin(self.choose(others)).await;
                    continue;
                }
                Ok(Reply::Blocked(on)) => on,
            };
            if !told_of_wait {
                let holders = on.iter().map(|session| self.user(*session)).collect();
                shared.record(self.actor.id, EventKind::Waits { resource: "a lock", holders });
                told_of_wait = true;
            }
            self.actor.blocked(deadline).await;
            if self.actor.timed_out() {
                let waited = shared.now.get() - began;
                shared.record(self.actor.id, EventKind::Resumed { waited, timed_out: true });
                // The wait is over and told; what the engine answers now is not another end of it.
                told_of_wait = false;
                reply = self.engine(|engine, session| engine.expire(session).map(Reply::Done));
            } else {
                reply = self.engine(|engine, session| engine.resume(session));
            }
        }
    }

    /// The reply is on its way: what happens to the process or to the reply, happens now.
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

    /// The engine refuses the statement before it takes effect, with the error that is the engine's own.
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

    /// The request is lost before the engine hears of it.
    fn goes_astray(
        &self,
        label: &'static str,
        sql: Cow<'static, str>,
        params: Vec<Value>,
    ) -> Result<Answer, SqlError> {
        let (result, work, footprint) = (Err(lost()), Work::default(), Footprint::default());
        let statement = Statement { label, sql, params, result, work, footprint };
        self.actor.shared.record(self.actor.id, EventKind::Ran(Rc::new(statement)));
        self.sever();
        Err(lost())
    }

    /// The connection breaks, and the server ends the session with whatever it has not committed.
    fn sever(&self) {
        if !self.broken.get() {
            self.actor.shared.end_session(self.session);
        }
        self.in_transaction.set(false);
    }

    fn record(&self, label: &'static str, sql: Cow<'static, str>, params: Vec<Value>, done: Done) {
        let Done { result, work, footprint, .. } = &done;
        let (result, work, footprint) = (result.clone(), *work, footprint.clone());
        let statement = Statement { label, sql, params, result, work, footprint };
        self.actor.shared.record(self.actor.id, EventKind::Ran(Rc::new(statement)));
        self.note_end(done);
    }

    /// Writes down what became visible, and since when or for how long the session has kept writers out.
    fn note_end(&self, done: Done) {
        let shared = &self.actor.shared;
        if !done.committed.is_empty() {
            shared.record(self.actor.id, EventKind::Committed(done.committed.into()));
        }
        let now = shared.now.get();
        let released = self.with_cell(|cell, _| match (cell.write_lock_since, done.holds_write_lock) {
            (None, true) => {
                cell.write_lock_since = Some(now);
                None
            }
            (Some(_), false) => cell.write_lock_since.take(),
            _ => None,
        });
        self.tell_released(released);
    }

    /// Writes down that the write lock held since then, if one was, has fallen.
    fn tell_released(&self, since: Option<Duration>) {
        if let Some(since) = since {
            let held = self.actor.shared.now.get() - since;
            self.actor.shared.record(self.actor.id, EventKind::Released(held));
        }
    }

    /// Rolls back whatever the session has open, without a point: drivers do it behind the application's back.
    fn abandon(&self) {
        self.engine(|engine, session| engine.rollback(session));
        let since = self.with_cell(|cell, _| cell.write_lock_since.take());
        self.tell_released(since);
    }

    fn user(&self, session: SessionId) -> ActorId {
        let sessions = self.actor.shared.sessions.borrow();
        sessions.iter().find(|cell| cell.id == session).map_or(ActorId::NOBODY, |cell| cell.user)
    }

    fn with_cell<T>(&self, f: impl FnOnce(&mut SessionCell, ActorId) -> T) -> T {
        let mut sessions = self.actor.shared.sessions.borrow_mut();
        let cell = sessions.iter_mut().find(|cell| cell.id == self.session).expect("the session is open");
        f(cell, self.actor.id)
    }

    fn engine<T>(&self, f: impl FnOnce(&mut dyn crate::engine::Engine, SessionId) -> T) -> T {
        self.actor.shared.with_engine(|engine| f(engine, self.session))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.reserved {
            self.pool.unreserve(self.actor.id, false);
        }
        if self.broken.get() {
            self.pool.replace(self.actor.id);
        } else {
            self.abandon();
            self.pool.give_back(self.session, self.actor.id);
        }
    }
}

/// What a driver says of a broken connection; it cannot know which way the break was.
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
