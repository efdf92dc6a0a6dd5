//! The cast: a client for each session, the intake queue and its staging store, one to three consumers, a durable
//! object for each session, an API writer that changes sessions, a relay for strategies that have an outbox, and the
//! objects' alarm for strategies that use it.

use std::rc::Rc;
use std::time::Duration;

use retrial_sim::actor::Actor;
use retrial_sim::engine::{SqlError, Value};
use retrial_sim::parts::blob_store::BlobStore;
use retrial_sim::parts::durable_object::Stub;
use retrial_sim::parts::notifier::Notifier;
use retrial_sim::parts::pool::Pool;
use retrial_sim::parts::queue::{Queue, Settings};
use retrial_sim::world::World;

use super::alarm;
use super::consumer::{self, Consumer, Envelope, Persistence, Place};
use super::environments::{CLIENTS, CONSUMERS, Conditions, OBJECTS};
use super::object::{Intake, SessionObject};
use super::relay;
use super::workload::{Edit, Edited, LATE_PARENT, Message, SESSIONS, Workload};

/// The first delivery and three retries (`max_retries` in services/session-ingest/wrangler.jsonc).
pub(super) const ATTEMPTS: u32 = 4;

/// The maximum time that a consumer may take for a batch (Cloudflare Queues, "Limits": consumer wall time).
const VISIBILITY_TIMEOUT: Duration = Duration::from_mins(15);

/// The round trip between a client and the API. A client waits for the response before it sends its next message, so
/// the API receives its messages at different times.
const ROUND_TRIP: Duration = Duration::from_millis(1);

/// When the API creates the late parent's row, after the trial begins; also the delay before a retry.
const LATE: Duration = Duration::from_secs(1);

/// The API writer's delay between two statements of a transaction: its own work and a slow network.
const SLOW_ROUND_TRIP: Duration = Duration::from_millis(20);

pub(super) fn enter(
    world: &World,
    strategy: &'static dyn Persistence,
    conditions: &Conditions,
    workload: &Rc<Workload>,
) {
    let consumers = if conditions.many_consumers { workload.consumers } else { 1 };
    let queue = world.queue(Settings {
        name: "intake",
        batch: workload.batch,
        visibility_timeout: VISIBILITY_TIMEOUT,
        attempts: ATTEMPTS,
        concurrency: consumers,
    });
    let staging = world.blob_store("staging");
    for (session, name) in CLIENTS.into_iter().enumerate() {
        let (queue, staging, workload) = (queue.clone(), staging.clone(), workload.clone());
        world.actor(name, move |actor| {
            let (queue, staging, workload) = (queue.clone(), staging.clone(), workload.clone());
            async move { send(&actor, &queue, &staging, session, &workload.clients[session]).await }
        });
    }
    let bell = world.notifier();
    let emits = strategy.emits();
    let object = move || SessionObject { emits };
    let objects: Objects = OBJECTS.into_iter().map(|name| world.durable_object(name, object)).collect();
    for name in CONSUMERS.into_iter().take(consumers) {
        let (queue, objects, staging, bell) = (queue.clone(), objects.clone(), staging.clone(), bell.clone());
        world.process(name, move |boot| {
            let (pool, queue, objects) = (boot.pool(1, None), queue.clone(), objects.clone());
            let (staging, bell) = (staging.clone(), bell.clone());
            boot.actor(name, move |actor| async move {
                consumer::run(strategy, &Consumer { actor, pool, queue, objects, staging, bell }).await;
            });
        });
    }
    if strategy.has_alarm() {
        alarm_enters(world, strategy, objects, bell.clone());
    }
    if let Some(outbox) = strategy.outbox() {
        world.process("relay", move |boot| {
            let (pool, bell) = (boot.pool(1, None), bell.clone());
            boot.actor("relay", move |actor| async move { relay::run(outbox, &actor, &pool, &bell).await });
        });
    }
    others_enter(world, conditions, workload);
}

type Objects = Rc<[Stub<SessionObject>]>;

fn alarm_enters(world: &World, strategy: &'static dyn Persistence, objects: Objects, bell: Notifier) {
    // Never notified: an alarm fires only when its time is up.
    let time = world.notifier();
    world.process("alarm", move |boot| {
        let (pool, objects) = (boot.pool(1, None), objects.clone());
        let (bell, time) = (bell.clone(), time.clone());
        boot.actor("alarm", move |actor| async move {
            let place = Place { actor: &actor, pool: &pool, objects: &objects, bell: &bell };
            alarm::run(strategy, place, &time).await;
        });
    });
}

/// Adds the actors that write to sessions without the queue.
fn others_enter(world: &World, conditions: &Conditions, workload: &Rc<Workload>) {
    if workload.late_parent {
        world.process("sessions", move |boot| {
            let pool = boot.pool(1, None);
            boot.actor("sessions", move |actor| async move { make_late_parent(&actor, &pool).await });
        });
    }
    if conditions.api_writer && !workload.edits.is_empty() {
        let given = workload.clone();
        world.process("api", move |boot| {
            let (pool, workload) = (boot.pool(1, None), given.clone());
            boot.actor("api", move |actor| async move { edit_all(&actor, &pool, &workload.edits).await });
        });
    }
}

/// Stages and sends each message until the queue has confirmed it, as the API does for the session's client
/// (`stageAndEnqueue` in services/session-ingest/src/ingest/stage-and-enqueue.ts). A client that gets no response sends
/// its message again, under another key and with another time.
async fn send(
    actor: &Actor,
    queue: &Queue<Envelope>,
    staging: &BlobStore,
    session: usize,
    messages: &[Message],
) {
    let (mut sent, mut title, mut parent) = (0, None, None);
    for (index, message) in messages.iter().enumerate() {
        let name = |what: &str| format!("{what} {}.{}", SESSIONS[session], index + 1).into();
        let says = Intake {
            title: message.title.then(|| name("title")),
            git_branch: message.branch.then(|| name("branch")),
            parent: message.parent.map(|parent| parent.of(session).into()),
            status: message.status.map(|status| status.name().into()),
        };
        let mut carries = says.clone();
        if !message.poison && (says.title.is_some() || says.parent.is_some()) {
            // A session item carries the client's full title and parent; an unreadable message does not count.
            title = says.title.clone().or(title);
            parent = says.parent.clone().or(parent);
            (carries.title, carries.parent) = (title.clone(), parent.clone());
        }
        loop {
            if sent > 0 {
                actor.sleep("answer", ROUND_TRIP).await;
            }
            sent += 1;
            let key = (session as u64 + 1) * 1_000 + sent;
            let ingested_at = actor.now().as_millis() as u64;
            let (says, carries) = (says.clone(), carries.clone());
            let envelope = Envelope { session, key, ingested_at, says, carries, poison: message.poison };
            if staging.put(actor, "stage", key).await.is_ok() && queue.send(actor, envelope).await.is_ok() {
                break;
            }
        }
    }
}

/// Creates the row of the session that children may already have named as their parent.
async fn make_late_parent(actor: &Actor, pool: &Pool) {
    actor.sleep("late", LATE).await;
    let sql = "INSERT INTO cli_sessions_v2 (session_id) VALUES ($1) ON CONFLICT (session_id) DO NOTHING";
    while pool.execute(actor, "make-parent", sql, [LATE_PARENT.into()]).await.is_err() {
        actor.sleep("late", LATE).await;
    }
}

/// Applies the edits, each in its own transaction that reads first. A failed edit is not retried; that would be up to
/// the API's caller.
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
