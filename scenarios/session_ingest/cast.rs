//! The cast: a client for each session, the intake queue, one to three consumers, a durable object for each session, an
//! API writer that renames sessions, and a relay for strategies that have an outbox.

use std::rc::Rc;
use std::time::Duration;

use retrial_sim::actor::Actor;
use retrial_sim::durable_object::Stub;
use retrial_sim::engine::SqlError;
use retrial_sim::fault::Rung;
use retrial_sim::pool::Pool;
use retrial_sim::queue::{Queue, Settings};
use retrial_sim::world::World;

use super::consumer::{self, Consumer, Envelope, Persistence};
use super::ladder::{self, CLIENTS, CONSUMERS, OBJECTS};
use super::object::{Intake, SessionObject};
use super::relay;
use super::workload::{Message, SESSIONS, Workload};

/// Enough attempts for every fault of a trial and the deadlocks among three consumers.
const ATTEMPTS: u32 = 10;

/// How long a consumer may take for a batch.
const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(30);

/// What the API writer takes between two statements of a transaction: its own work, and a slow way.
const SLOW_ROUND_TRIP: Duration = Duration::from_millis(20);

pub(super) fn enter(world: &World, strategy: &'static dyn Persistence, rung: &Rung, workload: &Rc<Workload>) {
    let consumers = if ladder::has_many_consumers(rung) { workload.consumers } else { 1 };
    let queue = world.queue(Settings {
        name: "intake",
        batch: workload.batch,
        visibility_timeout: VISIBILITY_TIMEOUT,
        attempts: ATTEMPTS,
        concurrency: consumers,
    });
    for (session, name) in CLIENTS.into_iter().enumerate() {
        let (queue, workload) = (queue.clone(), workload.clone());
        world.actor(name, move |actor| {
            let (queue, workload) = (queue.clone(), workload.clone());
            async move { send(&actor, &queue, session, &workload.clients[session]).await }
        });
    }
    let bell = world.doorbell();
    let (emits, compares_sequence) = (strategy.emits(), strategy.compares_sequence());
    let object = move || SessionObject { emits, compares_sequence };
    let objects: Rc<[Stub<SessionObject>]> =
        OBJECTS.into_iter().map(|name| world.durable_object(name, object)).collect();
    for name in CONSUMERS.into_iter().take(consumers) {
        let (queue, objects, bell) = (queue.clone(), objects.clone(), bell.clone());
        world.process(name, move |boot| {
            let (pool, queue) = (boot.pool(1, None), queue.clone());
            let (objects, bell) = (objects.clone(), bell.clone());
            boot.actor(name, move |actor| async move {
                consumer::run(strategy, &Consumer { actor, pool, queue, objects, bell }).await;
            });
        });
    }
    if ladder::has_api_writer(rung) && !workload.renames.is_empty() {
        let renames = workload.clone();
        world.process("api", move |boot| {
            let (pool, workload) = (boot.pool(1, None), renames.clone());
            boot.actor("api", move |actor| async move { rename_all(&actor, &pool, &workload.renames).await });
        });
    }
    if let Some(outbox) = strategy.outbox() {
        world.process("relay", move |boot| {
            let (pool, bell) = (boot.pool(1, None), bell.clone());
            boot.actor("relay", move |actor| async move { relay::run(outbox, &actor, &pool, &bell).await });
        });
    }
}

/// Sends each message until the queue has said that it has it.
async fn send(actor: &Actor, queue: &Queue<Envelope>, session: usize, messages: &[Message]) {
    for (index, message) in messages.iter().enumerate() {
        let name = |what: &str| format!("{what} {}.{}", SESSIONS[session], index + 1).into();
        let intake = Intake {
            sequence: index as u32 + 1,
            title: message.title.then(|| name("title")),
            git_branch: message.branch.then(|| name("branch")),
            parent: message.parent.map(|parent| parent.of(session).into()),
            status: message.status.map(|status| status.name().into()),
        };
        let envelope = Envelope { session, intake, poison: message.poison };
        while queue.send(actor, envelope.clone()).await.is_err() {}
    }
}

/// Renames sessions, each in a transaction of its own that reads first. What fails is the API's caller's to repeat.
async fn rename_all(actor: &Actor, pool: &Pool, sessions: &[usize]) {
    for (number, session) in sessions.iter().enumerate() {
        let _ = rename(actor, pool, SESSIONS[*session], number + 1).await;
    }
}

async fn rename(actor: &Actor, pool: &Pool, session: &'static str, number: usize) -> Result<(), SqlError> {
    let transaction = pool.begin(actor, "begin", "BEGIN").await?;
    let look = "SELECT title FROM cli_sessions_v2 WHERE session_id = $1 FOR NO KEY UPDATE";
    transaction.execute("look", look, [session.into()]).await?;
    actor.sleep("think", SLOW_ROUND_TRIP).await;
    let sql = "UPDATE cli_sessions_v2 SET title = $2, updated_at = now() WHERE session_id = $1";
    let title = format!("renamed {number}");
    transaction.execute("rename", sql, [session.into(), title.into()]).await?;
    transaction.commit("commit").await
}
