//! The queue consumer, modelled on `processMessage` and `queue` (services/session-ingest/src/queue-consumer.ts at
//! 41be1d87), and [`Persistence`], the trait that a strategy implements: it writes what a session's object returns.

use std::rc::Rc;
use std::time::Duration;

use retrial_sim::actor::{Actor, Lost, Task};
use retrial_sim::engine::{Answer, SqlError, Value};
use retrial_sim::parts::blob_store::BlobStore;
use retrial_sim::parts::connection::Transaction;
use retrial_sim::parts::durable_object::Stub;
use retrial_sim::parts::notifier::Notifier;
use retrial_sim::parts::pool::Pool;
use retrial_sim::parts::queue::{Delivery, Queue};
use retrial_sim::scenario::KnownFailure;
use retrial_sim::trace::{Field, Record};

use super::history;
use super::object::{Emission, Emits, Intake, Item, Request, SessionObject};
use super::workload::SESSIONS;

/// A strategy: one way to write what the object returns. Each is a file; only `apply` is required.
pub trait Persistence: Sync {
    /// Writes a non-empty emission of the object to Postgres, and notifies listeners of a new status. An error returns
    /// the message to the queue, which delivers it again (but see [`Errors::OfWritesAreLogged`]).
    fn apply<'a>(&'a self, session: &'a Session, emission: &'a Emission) -> Task<'a, Result<(), Failure>>;

    /// How much the object returns.
    fn emits(&self) -> Emits {
        Emits::Difference
    }

    /// How failures are handled.
    fn errors(&self) -> Errors {
        Errors::OfItemsAreLogged
    }

    /// Whether the object's alarm writes what has not been acknowledged.
    fn has_alarm(&self) -> bool {
        false
    }

    /// The SQL that its migration adds to the schema.
    fn migration(&self) -> &'static str {
        ""
    }

    /// The outbox table of its notifications, if it has one.
    fn outbox(&self) -> Option<Outbox> {
        None
    }

    /// The invariants that it is known to violate, each with the reason.
    fn known_failures(&self) -> &'static [KnownFailure] {
        &[]
    }
}

/// How the consumer handles failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errors {
    /// The session's row is looked up first. An item that the object fails to ingest is logged and skipped; any other
    /// failure returns the message to the queue (queue-consumer.ts at 41be1d87).
    OfItemsAreLogged,
    /// A message that the object fails to ingest is delivered again. Once it is ingested, a failure to write is only
    /// logged (`handleDirectIngestRequest` and `runMetadataProjection` in ingest/direct-ingest.ts at 0918d015).
    OfWritesAreLogged,
    /// The object is called first, without a row look-up, and any failure returns the message to the queue.
    AllComeAgain,
}

/// The statements with which a relay reads and removes the notifications in an outbox table.
#[derive(Clone, Copy, Debug)]
pub struct Outbox {
    /// Selects the oldest one: its id, the session, the previous status, the next status.
    pub oldest: &'static str,
    /// Deletes the one with that id.
    pub remove: &'static str,
}

/// Why a message could not be handled.
#[derive(Debug)]
pub enum Failure {
    /// A statement failed.
    Sql(SqlError),
    /// A request to another part of the simulation, or its reply, was lost.
    Lost,
    /// The message cannot be read.
    Poison,
    /// The message's report is no longer staged.
    NotStaged,
    /// The row is not in the state that the message requires.
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
    /// The key under which its items are staged.
    pub(super) key: u64,
    /// When the API received it, in milliseconds.
    pub(super) ingested_at: u64,
    /// The fields that are new in it; the trace records only these.
    pub(super) says: Intake,
    /// All fields that its items carry.
    pub(super) carries: Intake,
    pub(super) poison: bool,
}

impl Record for Envelope {
    fn record(&self) -> Vec<Field> {
        let mut record = vec![("session", SESSIONS[self.session].into())];
        record.extend(self.says.record());
        if self.poison {
            record.push(("poison", Value::Bool(true)));
        }
        record
    }
}

/// A consumer and the parts that it uses.
#[derive(Debug)]
pub(super) struct Consumer {
    pub(super) actor: Actor,
    pub(super) pool: Pool,
    pub(super) queue: Queue<Envelope>,
    pub(super) objects: Rc<[Stub<SessionObject>]>,
    pub(super) staging: BlobStore,
    pub(super) bell: Notifier,
}

/// The session that a message is about, with the calls that a strategy can make. Every statement is its own
/// transaction, unless it is executed on a [`Transaction`].
#[derive(Debug)]
pub struct Session<'c> {
    place: Place<'c>,
    index: usize,
}

/// Where a strategy runs: in a consumer, or in an object's alarm.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'c> {
    pub(super) actor: &'c Actor,
    pub(super) pool: &'c Pool,
    pub(super) objects: &'c [Stub<SessionObject>],
    pub(super) bell: &'c Notifier,
}

impl<'c> Session<'c> {
    pub(super) fn new(place: Place<'c>, index: usize) -> Session<'c> {
        Session { place, index }
    }

    /// The session's id, as a statement parameter.
    pub fn id(&self) -> Value {
        SESSIONS[self.index].into()
    }

    /// Executes one statement in its own transaction.
    ///
    /// # Errors
    /// The driver's error.
    pub async fn execute<const N: usize>(
        &self,
        label: &'static str,
        sql: &'static str,
        params: [Value; N],
    ) -> Result<Answer, SqlError> {
        let Place { actor, pool, .. } = self.place;
        pool.execute(actor, label, sql, params).await
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// The driver's error.
    pub async fn begin(&self) -> Result<Transaction, SqlError> {
        self.place.pool.begin(self.place.actor, "begin", "BEGIN").await
    }

    /// Sends `session.status.updated`, without checking that it arrives (`notifyUserSessionEvent` in
    /// services/session-ingest/src/session-events.ts only logs errors).
    pub async fn notify(&self, previous: Value, next: Value) {
        let _ = notify(self.place.actor, self.id(), previous, next).await;
    }

    /// Sends `session.status.updated` if the statement returned a previous status and a different new one.
    pub async fn notify_of(&self, written: &Answer) {
        if let Some([previous, next]) = written.rows.first().map(|row| &row[..])
            && previous != next
        {
            self.notify(previous.clone(), next.clone()).await;
        }
    }

    /// Notifies the relay that the outbox may have a new row. The notification may be lost.
    pub async fn ring(&self) {
        if self.place.actor.request("ring", "relay", Vec::new()).await.is_ok() {
            self.place.bell.ring();
        }
    }

    /// Records that a title is deliberately not written because the row already has one.
    pub fn keep_title(&self) {
        self.place.actor.note(history::TITLE_KEPT, self.index as i64, 0);
    }

    /// Tells the object that everything up to that revision is committed.
    ///
    /// # Errors
    /// The request or its reply was lost.
    pub async fn acknowledge(&self, revision: i64) -> Result<(), Lost> {
        let Place { actor, objects, .. } = self.place;
        let request = Request::Acknowledge(revision);
        objects[self.index].call(actor, "acknowledge", request).await.map(|_| ())
    }
}

/// Sends `session.status.updated` to the listeners.
pub(super) async fn notify(actor: &Actor, session: Value, previous: Value, next: Value) -> Result<(), Lost> {
    let body = vec![("session", session), ("previous", previous), ("next", next)];
    actor.request("notify", "sink", body).await
}

/// Receives batches from the queue forever. A message that was handled is acknowledged; any other is returned to the
/// queue.
pub(super) async fn run(strategy: &dyn Persistence, consumer: &Consumer) {
    let Consumer { actor, queue, .. } = consumer;
    loop {
        // If the reply is lost, receive again; the queue redelivers the messages that were in it.
        let batch = queue.receive(actor).await.unwrap_or_default();
        for delivery in &batch {
            actor.note("handle", delivery.message as i64, i64::from(delivery.attempt));
            // If this request is lost, the queue redelivers the message.
            let _ = match handle(strategy, consumer, delivery).await {
                Ok(()) => queue.ack(actor, delivery).await,
                Err(_) => queue.retry(actor, delivery, RETRY_DELAY).await,
            };
        }
    }
}

async fn handle(
    strategy: &dyn Persistence,
    consumer: &Consumer,
    delivery: &Delivery<Envelope>,
) -> Result<(), Failure> {
    let Consumer { actor, pool, objects, staging, bell, .. } = consumer;
    let Envelope { session, key, ingested_at, carries, poison, .. } = &*delivery.body;
    let errors = strategy.errors();
    if errors == Errors::OfItemsAreLogged {
        let found = pool.execute(actor, "session-lookup", LOOKUP, [SESSIONS[*session].into()]).await?;
        if found.rows.is_empty() {
            return Ok(staging.delete(actor, "unstage", *key).await?);
        }
    }
    if !staging.get(actor, "fetch", *key).await? {
        return Err(Failure::NotStaged);
    }
    if *poison {
        return Err(Failure::Poison);
    }
    let mut emission = Emission::default();
    for item in carries.items(*ingested_at) {
        match ingest(actor, &objects[*session], &item).await {
            Ok(told) => emission.absorb(told),
            Err(Lost) if errors == Errors::OfItemsAreLogged => {
                actor.note("item-skipped", delivery.message as i64, 0)
            }
            Err(Lost) => return Err(Failure::Lost),
        }
    }
    if !emission.fields.is_empty() {
        let place = Place { actor, pool, objects, bell };
        let written = strategy.apply(&Session::new(place, *session), &emission).await;
        if errors != Errors::OfWritesAreLogged {
            written?;
        }
    }
    Ok(staging.delete(actor, "unstage", *key).await?)
}

/// Asks the object to ingest an item, at most three times (`withDORetry` in packages/worker-utils/src/do-retry.ts; a
/// broken connection is retryable).
async fn ingest(actor: &Actor, object: &Stub<SessionObject>, item: &Item) -> Result<Emission, Lost> {
    const ATTEMPTS: u32 = 3;
    for attempt in 1..ATTEMPTS {
        if let Ok(told) = object.call(actor, "ingest", Request::Ingest(item.clone())).await {
            return Ok(told);
        }
        actor.sleep("backoff", Duration::from_millis(50) * (1 << attempt)).await;
    }
    object.call(actor, "ingest", Request::Ingest(item.clone())).await
}

const LOOKUP: &str = "SELECT session_id FROM cli_sessions_v2 WHERE session_id = $1 LIMIT 1";

/// The delay before a message is delivered again (`msg.retry({ delaySeconds: 60 })`).
const RETRY_DELAY: Duration = Duration::from_secs(60);
