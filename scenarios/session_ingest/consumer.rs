//! The queue consumer as `processMessage` and `queue` are (services/session-ingest/src/queue-consumer.ts at 41be1d87),
//! and the one trait that a strategy implements: what it does with what a session's object tells.

use std::rc::Rc;
use std::time::Duration;

use retrial_sim::actor::{Actor, Lost, Task};
use retrial_sim::blob_store::BlobStore;
use retrial_sim::connection::Transaction;
use retrial_sim::notifier::Notifier;
use retrial_sim::durable_object::Stub;
use retrial_sim::engine::{Answer, SqlError, Value};
use retrial_sim::pool::Pool;
use retrial_sim::queue::{Delivery, Queue};
use retrial_sim::scenario::KnownFailure;
use retrial_sim::trace::{Field, Record};

use super::history;
use super::object::{Emission, Emits, Intake, Item, Request, SessionObject};
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

    /// What becomes of a failure.
    fn errors(&self) -> Errors {
        Errors::OfItemsAreLogged
    }

    /// Whether the object's alarm writes what nobody has acknowledged.
    fn has_alarm(&self) -> bool {
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
    fn known_failures(&self) -> &'static [KnownFailure] {
        &[]
    }
}

/// What the consumer does about what fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errors {
    /// The session's row is looked up first. An item that the object does not take is logged and left out; whatever
    /// else fails gives the message back to the queue (queue-consumer.ts at 41be1d87).
    OfItemsAreLogged,
    /// A message that the object does not take comes again; once it has, a failure to write is logged and no more
    /// (`handleDirectIngestRequest` and `runMetadataProjection` in ingest/direct-ingest.ts at 0918d015).
    OfWritesAreLogged,
    /// The object is asked first, and whatever fails gives the message back to the queue.
    AllComeAgain,
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
    /// What it is about is not staged any more.
    NotStaged,
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
    /// Under which its items are staged.
    pub(super) key: u64,
    /// When the API took it in, in milliseconds.
    pub(super) ingested_at: u64,
    /// What is new in it, which is all that the trace has of it.
    pub(super) says: Intake,
    /// What its items carry.
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

/// What a consumer has to work with.
#[derive(Debug)]
pub(super) struct Consumer {
    pub(super) actor: Actor,
    pub(super) pool: Pool,
    pub(super) queue: Queue<Envelope>,
    pub(super) objects: Rc<[Stub<SessionObject>]>,
    pub(super) staging: BlobStore,
    pub(super) bell: Notifier,
}

/// What a candidate has to work with: the session that a message is about. Every statement is a transaction of its own,
/// unless it is made on a [`Transaction`].
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
        let Place { actor, pool, .. } = self.place;
        pool.execute(actor, label, sql, params).await
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// The driver's.
    pub async fn begin(&self) -> Result<Transaction, SqlError> {
        self.place.pool.begin(self.place.actor, "begin", "BEGIN").await
    }

    /// Sends `session.status.updated`. Nobody asks whether it arrives (`notifyUserSessionEvent` in
    /// services/session-ingest/src/session-events.ts, whose errors are logged).
    pub async fn notify(&self, previous: Value, next: Value) {
        let _ = notify(self.place.actor, self.id(), previous, next).await;
    }

    /// Sends `session.status.updated` if the statement has returned a previous status and another one after it.
    pub async fn notify_of(&self, written: &Answer) {
        if let Some([previous, next]) = written.rows.first().map(|row| &row[..])
            && previous != next
        {
            self.notify(previous.clone(), next.clone()).await;
        }
    }

    /// Tells the relay that there may be something in the outbox; it may not hear.
    pub async fn ring(&self) {
        if self.place.actor.request("ring", "relay", Vec::new()).await.is_ok() {
            self.place.bell.ring();
        }
    }

    /// Says that a title is left out on purpose, because the row has one.
    pub fn keep_title(&self) {
        self.place.actor.note(history::TITLE_KEPT, self.index as i64, 0);
    }

    /// Tells the object that everything up to that revision is committed.
    ///
    /// # Errors
    /// The request was lost, or its answer.
    pub async fn acknowledge(&self, revision: i64) -> Result<(), Lost> {
        let Place { actor, objects, .. } = self.place;
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

/// Asks the object, three times at the most (`withDORetry` in packages/worker-utils/src/do-retry.ts; what breaks a
/// connection is retryable).
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

/// The delay before another attempt (`msg.retry({ delaySeconds: 60 })`).
const RETRY_DELAY: Duration = Duration::from_secs(60);
