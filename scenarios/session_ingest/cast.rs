//! The cast: a client for each session, the intake queue, one to three consumers, a durable object for each session, an
//! API writer that changes sessions, and a relay for strategies that have an outbox.

use std::rc::Rc;
use std::time::Duration;

use retrial_sim::actor::Actor;
use retrial_sim::durable_object::Stub;
use retrial_sim::engine::{SqlError, Value};
use retrial_sim::fault::Rung;
use retrial_sim::pool::Pool;
use retrial_sim::queue::{Queue, Settings};
use retrial_sim::world::World;

use super::consumer::{self, Consumer, Envelope, Persistence};
use super::ladder::{self, CLIENTS, CONSUMERS, OBJECTS};
use super::object::{Intake, SessionObject};
use super::relay;
use super::workload::{Edit, Edited, Message, SESSIONS, Workload};

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
    if ladder::has_api_writer(rung) && !workload.edits.is_empty() {
        let given = workload.clone();
        world.process("api", move |boot| {
            let (pool, workload) = (boot.pool(1, None), given.clone());
            boot.actor("api", move |actor| async move { edit_all(&actor, &pool, &workload.edits).await });
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

/// Changes sessions, each in a transaction of its own that reads first. What fails is the API's caller's to repeat.
async fn edit_all(actor: &Actor, pool: &Pool, edits: &[Edit]) {
    for (number, one) in edits.iter().enumerate() {
        let _ = edit(actor, pool, *one, number + 1).await;
    }
}

async fn edit(actor: &Actor, pool: &Pool, edit: Edit, number: usize) -> Result<(), SqlError> {
    let session = SESSIONS[edit.session];
    let (sql, value) = match edit.column {
        Edited::Title => {
            let sql = "UPDATE cli_sessions_v2 SET title = $2, updated_at = now() WHERE session_id = $1";
            (sql, format!("renamed {number}").into())
        }
        Edited::Branch => {
            let sql = "UPDATE cli_sessions_v2 SET git_branch = $2, updated_at = now() WHERE session_id = $1";
            (sql, format!("switched {number}").into())
        }
        Edited::Parent => {
            let sql =
                "UPDATE cli_sessions_v2 SET parent_session_id = $2, updated_at = now() WHERE session_id = $1";
            (sql, Value::Null)
        }
        Edited::Status => {
            let sql = "UPDATE cli_sessions_v2 SET status = $2, status_updated_at = now(), updated_at = now() \
                       WHERE session_id = $1";
            (sql, "stopped".into())
        }
    };
    let transaction = pool.begin(actor, "begin", "BEGIN").await?;
    let look = "SELECT title FROM cli_sessions_v2 WHERE session_id = $1 FOR NO KEY UPDATE";
    transaction.execute("look", look, [session.into()]).await?;
    actor.sleep("think", SLOW_ROUND_TRIP).await;
    transaction.execute("edit", sql, [session.into(), value]).await?;
    transaction.commit("commit").await
}
