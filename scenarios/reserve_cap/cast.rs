//! The actors of a trial: the users, the queue, and one or two gateway pods, each with a connection pool, several
//! message handlers, ordinary queries and a health probe.

use std::rc::Rc;
use std::time::Duration;

use retrial_sim::parts::queue::{Queue, Settings};
use retrial_sim::world::World;

use super::environments::{Conditions, PODS, PROBES, QUERIES, RUNNERS, Runs};
use super::gateway::{ConversationLock, Counter, Gateway};
use super::inbox::Inbox;
use super::messages::{self, Desk, Run};
use super::workload::Workload;

/// The time after which a message is redelivered if its pod has died. In the project a live handler renews it; here a
/// message that takes longer is redelivered, and the handler finds that it has a worker already.
const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(300);

/// The pause before each ordinary query, and before each request to the health page.
const PAUSE: Duration = Duration::from_secs(6);

/// An ordinary query.
const QUERY: &str = "SELECT run_id FROM agent_transcript_snapshot WHERE conversation_id = $1";

pub(super) fn enter(
    world: &World,
    lock: &'static dyn ConversationLock,
    conditions: &Conditions,
    workload: &Rc<Workload>,
) {
    let pods = if conditions.runs == Runs::OfFewConversations { workload.pods } else { 1 };
    let queue = world.queue::<Run>(Settings {
        name: "runs",
        batch: 1,
        visibility_timeout: VISIBILITY_TIMEOUT,
        attempts: lock.handling().attempts,
        concurrency: pods * workload.runners,
    });
    let inbox = Inbox::new(world);
    let (outbox, kept, sent) = (queue.clone(), inbox.clone(), workload.clone());
    world.actor("users", move |actor| {
        let (outbox, kept, sent) = (outbox.clone(), kept.clone(), sent.clone());
        async move {
            for (index, conversation) in sent.runs.iter().enumerate() {
                let run = Run { number: index as i64 + 1, conversation: i64::from(*conversation) };
                // Messages reach their conversation's queue in the order in which they are sent.
                kept.put(run);
                while outbox.send(&actor, run).await.is_err() {}
            }
        }
    });
    for pod in 0..pods {
        enter_pod(world, lock, pod, workload, &queue, &inbox);
    }
}

fn enter_pod(
    world: &World,
    lock: &'static dyn ConversationLock,
    pod: usize,
    workload: &Rc<Workload>,
    queue: &Queue<Run>,
    inbox: &Inbox,
) {
    let (workload, queue, inbox) = (workload.clone(), queue.clone(), inbox.clone());
    world.process(PODS[pod], move |boot| {
        let (pool, counter) = (boot.pool(workload.pool, None), Rc::new(Counter::default()));
        let environment: Option<Rc<str>> = workload.environment.as_deref().map(Rc::from);
        let gateway = |actor| {
            let (pool, counter, environment) = (pool.clone(), counter.clone(), environment.clone());
            Gateway { actor, pool, reserve_at_most: lock.reserve_at_most(), counter, environment }
        };
        let (workers, files) = (Rc::default(), Rc::default());
        let work = Duration::from_secs(workload.work_s.into());
        for (index, name) in RUNNERS[pod].into_iter().take(workload.runners).enumerate() {
            let queue = queue.clone();
            boot.actor(name, |actor| {
                let (gateway, inbox, workers) = (gateway(actor), inbox.clone(), Rc::clone(&workers));
                let session_files = Rc::clone(&files);
                let desk = Desk { lock, gateway, inbox, workers, session_files, work };
                async move {
                    // On start-up a pod records the cap that it will keep.
                    if let Some(cap) = lock.cap(&desk.gateway).filter(|_| index == 0) {
                        desk.gateway.actor.note("cap", cap, 0);
                    }
                    messages::handle(&desk, &queue).await;
                }
            });
        }
        let (queries, probes) = (workload.queries, workload.probes);
        if queries > 0 {
            let pool = pool.clone();
            boot.actor(QUERIES[pod], |actor| async move {
                for _ in 0..queries {
                    actor.sleep("pause", PAUSE).await;
                    // A failed query is an error page.
                    let _ = pool.execute(&actor, "query", QUERY, [1.into()]).await;
                }
            });
        }
        if probes > 0 {
            boot.actor(PROBES[pod], |actor| {
                let gateway = gateway(actor);
                async move {
                    for _ in 0..probes {
                        gateway.actor.sleep("pause", PAUSE).await;
                        if let Some(cap) = lock.shown_cap(&gateway) {
                            gateway.tell_health(cap);
                        }
                    }
                }
            });
        }
    });
}
