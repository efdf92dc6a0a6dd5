//! The cast: whoever sends runs, the queue, and one or two pods of the gateway, each with a pool of connections, a few
//! runs at a time, ordinary queries and a health probe.

use std::rc::Rc;
use std::time::Duration;

use retrial_sim::fault::Rung;
use retrial_sim::queue::{Queue, Settings};
use retrial_sim::world::World;

use super::gateway::{ConversationLock, Counter, Gateway};
use super::ladder::{self, PODS, PROBES, QUERIES, RUNNERS};
use super::worker::{self, Run};
use super::workload::Workload;

/// Longer than any run takes. A run whose pod has died comes again after it.
const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(600);

/// More than a trial can make: a run that is refused comes back for as long as it takes.
const ATTEMPTS: u32 = 10_000;

/// The pause before each ordinary query, and before each look at the health page.
const PAUSE: Duration = Duration::from_secs(6);

/// An ordinary query.
const QUERY: &str = "SELECT run_id FROM transcripts WHERE conversation_id = $1";

pub(super) fn enter(
    world: &World,
    lock: &'static dyn ConversationLock,
    rung: &Rung,
    workload: &Rc<Workload>,
) {
    let pods = if ladder::has_two_pods(rung) { workload.pods } else { 1 };
    let queue = world.queue::<Run>(Settings {
        name: "runs",
        batch: 1,
        visibility_timeout: VISIBILITY_TIMEOUT,
        attempts: ATTEMPTS,
        concurrency: pods * workload.runners,
    });
    let (inbox, sent) = (queue.clone(), workload.clone());
    world.actor("users", move |actor| {
        let (inbox, sent) = (inbox.clone(), sent.clone());
        async move {
            for (index, conversation) in sent.runs.iter().enumerate() {
                let run = Run { number: index as i64 + 1, conversation: i64::from(*conversation) };
                while inbox.send(&actor, run).await.is_err() {}
            }
        }
    });
    for pod in 0..pods {
        enter_pod(world, lock, pod, workload, &queue);
    }
}

fn enter_pod(
    world: &World,
    lock: &'static dyn ConversationLock,
    pod: usize,
    workload: &Rc<Workload>,
    queue: &Queue<Run>,
) {
    let (workload, queue) = (workload.clone(), queue.clone());
    world.process(PODS[pod], move |boot| {
        let (pool, counter) = (boot.pool(workload.pool, None), Rc::new(Counter::default()));
        let environment: Option<Rc<str>> = workload.environment.as_deref().map(Rc::from);
        let gateway = |actor| {
            let (pool, counter, environment) = (pool.clone(), counter.clone(), environment.clone());
            Gateway { actor, pool, reserve_at_most: lock.reserve_at_most(), counter, environment }
        };
        for (index, name) in RUNNERS[pod].into_iter().take(workload.runners).enumerate() {
            let queue = queue.clone();
            boot.actor(name, |actor| {
                let gateway = gateway(actor);
                async move {
                    // What the gateway logs as it starts.
                    if let Some(cap) = lock.cap(&gateway).filter(|_| index == 0) {
                        gateway.actor.note("cap", cap, 0);
                    }
                    worker::take_runs(lock, &gateway, &queue).await;
                }
            });
        }
        let (queries, probes) = (workload.queries, workload.probes);
        if queries > 0 {
            let pool = pool.clone();
            boot.actor(QUERIES[pod], |actor| async move {
                for _ in 0..queries {
                    actor.sleep("pause", PAUSE).await;
                    // A query that fails is an error page.
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
                        if let Some(cap) = lock.cap(&gateway) {
                            gateway.tell_health(cap);
                        }
                    }
                }
            });
        }
    });
}
