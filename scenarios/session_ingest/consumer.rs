//! The queue consumer, and the one trait that a candidate implements: what it does with what a session's object tells.

use std::rc::Rc;
use std::time::Duration;

use retrial_sim::actor::{Actor, Lost, Task};
use retrial_sim::connection::Transaction;
use retrial_sim::doorbell::Doorbell;
use retrial_sim::durable_object::Stub;
use retrial_sim::engine::{Answer, SqlError, Value};
use retrial_sim::pool::Pool;
use retrial_sim::queue::{Delivery, Queue};
use retrial_sim::scenario::Break;
use retrial_sim::trace::{Field, Record};

use super::object::{Emission, Emits, Intake, Request, SessionObject};
use super::workload::SESSIONS;

/// A candidate write path. One file, one required method.
pub trait Persistence: Sync {
    /// Writes to Postgres what the object tells, which is not nothing, and notifies of a new status. An error gives the
    /// message back to the queue, which delivers it again.
    fn apply<'a>(&'a self, session: &'a Session, emission: &'a Emission) -> Task<'a, Result<(), Failure>>;

    /// How much the object tells.
    fn emits(&self) -> Emits {
        Emits::Difference
    }

    /// Whether the object compares the numbers of messages, and keeps what a later one brought.
    fn compares_sequence(&self) -> bool {
        false
    }

    /// What its migration adds to the schema.
    fn migration(&self) -> &'static str {
        ""
    }

    /// The table that its notifications wait in, if they do.
    fn outbox(&self) -> Option<Outbox> {
        None
    }

    /// What it is known to break, and why.
    fn breaks(&self) -> &'static [Break] {
        &[]
    }
}

/// How a relay gets at notifications that wait in a table.
#[derive(Clone, Copy, Debug)]
pub struct Outbox {
    /// The oldest one: its id, the session, the previous status, the next one.
    pub oldest: &'static str,
    /// Takes the one with that id out.
    pub remove: &'static str,
}

/// Why a message could not be dealt with.
#[derive(Debug)]
pub enum Failure {
    /// A statement failed.
    Sql(SqlError),
    /// A request to another part was lost, or its answer was.
    Lost,
    /// The message cannot be read.
    Poison,
    /// The row is not as the message needs it.
    Conflict,
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Failure {
        Failure::Sql(error)
    }
}

impl From<Lost> for Failure {
    fn from(Lost: Lost) -> Failure {
        Failure::Lost
    }
}

/// A message of the intake queue.
#[derive(Clone, Debug)]
pub(super) struct Envelope {
    /// The session's index.
    pub(super) session: usize,
    pub(super) intake: Intake,
    pub(super) poison: bool,
}

impl Record for Envelope {
    fn record(&self) -> Vec<Field> {
        let mut record = vec![("session", SESSIONS[self.session].into())];
        record.extend(self.intake.record());
        if self.poison {
            record.push(("poison", Value::Bool(true)));
        }
        record
    }
}

/// What a consumer has to work with.
#[derive(Debug)]
pub(super) struct Consumer {
    pub(super) actor: Actor,
    pub(super) pool: Pool,
    pub(super) queue: Queue<Envelope>,
    pub(super) objects: Rc<[Stub<SessionObject>]>,
    pub(super) bell: Doorbell,
}

/// What a candidate has to work with: the session that a message is about. Every statement is a transaction of its own,
/// unless it is made on a [`Transaction`].
#[derive(Debug)]
pub struct Session<'c> {
    consumer: &'c Consumer,
    index: usize,
}

impl Session<'_> {
    /// The session's id, as a parameter.
    pub fn id(&self) -> Value {
        SESSIONS[self.index].into()
    }

    /// Sends one statement in a transaction of its own.
    ///
    /// # Errors
    /// The driver's.
    pub async fn execute<const N: usize>(
        &self,
        label: &'static str,
        sql: &'static str,
        params: [Value; N],
    ) -> Result<Answer, SqlError> {
        let Consumer { actor, pool, .. } = self.consumer;
        pool.execute(actor, label, sql, params).await
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// The driver's.
    pub async fn begin(&self) -> Result<Transaction, SqlError> {
        self.consumer.pool.begin(&self.consumer.actor, "begin", "BEGIN").await
    }

    /// Sends `session.status.updated`.
    ///
    /// # Errors
    /// The request was lost, or its answer.
    pub async fn notify(&self, previous: Value, next: Value) -> Result<(), Lost> {
        notify(&self.consumer.actor, self.id(), previous, next).await
    }

    /// Sends `session.status.updated` if the statement has returned a previous status and another one after it.
    ///
    /// # Errors
    /// The request was lost, or its answer.
    pub async fn notify_of(&self, written: &Answer) -> Result<(), Lost> {
        match written.rows.first().map(|row| &row[..]) {
            Some([previous, next]) if previous != next => self.notify(previous.clone(), next.clone()).await,
            _ => Ok(()),
        }
    }

    /// Tells the relay that there may be something in the outbox.
    pub fn ring(&self) {
        self.consumer.bell.ring();
    }

    /// Tells the object that everything up to that revision is committed.
    ///
    /// # Errors
    /// The request was lost, or its answer.
    pub async fn acknowledge(&self, revision: i64) -> Result<(), Lost> {
        let Consumer { actor, objects, .. } = self.consumer;
        let request = Request::Acknowledge(revision);
        objects[self.index].call(actor, "acknowledge", request).await.map(|_| ())
    }
}

/// Sends `session.status.updated` to whoever listens.
pub(super) async fn notify(actor: &Actor, session: Value, previous: Value, next: Value) -> Result<(), Lost> {
    let body = vec![("session", session), ("previous", previous), ("next", next)];
    actor.request("notify", "sink", body).await
}

/// Takes batches from the queue for ever. A message that was dealt with is acknowledged, any other given back.
pub(super) async fn run(strategy: &dyn Persistence, consumer: &Consumer) {
    let Consumer { actor, queue, .. } = consumer;
    loop {
        // An answer that is lost on its way is asked for again; what it had comes again by itself.
        let batch = queue.receive(actor).await.unwrap_or_default();
        for delivery in &batch {
            actor.note("handle", delivery.message as i64, i64::from(delivery.attempt));
            // If the queue does not hear, the message comes again.
            let _ = match handle(strategy, consumer, delivery).await {
                Ok(()) => queue.ack(actor, delivery).await,
                Err(_) => queue.retry(actor, delivery, backoff(delivery.attempt)).await,
            };
        }
    }
}

async fn handle(
    strategy: &dyn Persistence,
    consumer: &Consumer,
    delivery: &Delivery<Envelope>,
) -> Result<(), Failure> {
    let Envelope { session, intake, poison } = &*delivery.body;
    if *poison {
        return Err(Failure::Poison);
    }
    let request = Request::Ingest(intake.clone());
    let emission = consumer.objects[*session].call(&consumer.actor, "ingest", request).await?;
    if emission.fields.is_empty() {
        return Ok(());
    }
    strategy.apply(&Session { consumer, index: *session }, &emission).await
}

/// The delay before another attempt: five seconds, doubled each time, forty at the most.
fn backoff(attempt: u32) -> Duration {
    Duration::from_secs(5) * (1 << (attempt - 1).min(3))
}
