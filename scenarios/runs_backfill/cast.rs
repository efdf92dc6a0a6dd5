//! The cast: the migration's runner, the gateway of the new release with its verifier, that of the old one where it is
//! still there, and two workers. Each has connections of its own.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use retrial_sim::actor::Actor;
use retrial_sim::doorbell::Doorbell;
use retrial_sim::engine::SqlError;
use retrial_sim::fault::Rung;
use retrial_sim::pool::Pool;
use retrial_sim::world::World;

use super::gateway::Gateway;
use super::ladder;
use super::payload::Payload;
use super::runner::{self, Migration};
use super::workload::{Touch, Workload};

/// The pause after each request.
const PAUSE: Duration = Duration::from_millis(40);

/// The names of a release's actors and of its process.
#[derive(Clone, Copy)]
struct Names {
    process: &'static str,
    gateway: &'static str,
    verifier: &'static str,
}

const NEW: Names = Names { process: "pod-new", gateway: "gateway-new", verifier: "verifier-new" };
const OLD: Names = Names { process: "pod-old", gateway: "gateway-old", verifier: "verifier-old" };

pub(super) fn enter(world: &World, migration: &'static dyn Migration, rung: &Rung, workload: &Rc<Workload>) {
    let (chunk, deployed) = (workload.chunk, world.doorbell());
    let bell = deployed.clone();
    world.process("migration", move |boot| {
        let (pool, deployed) = (boot.pool(1, None), bell.clone());
        boot.actor("migration", move |actor| async move {
            runner::run(migration, &actor, &pool, chunk).await;
            deployed.ring();
        });
    });
    release(world, NEW, migration.after(), workload, Some(deployed), |workload| &workload.added);
    if ladder::has_old(rung) {
        release(world, OLD, migration.before(), workload, None, |workload| &workload.added_by_old);
    }
    for (index, name) in ["worker-1", "worker-2"].into_iter().enumerate() {
        if workload.workers[index].is_empty() {
            continue;
        }
        let (given, done) = (workload.clone(), Rc::new(Cell::new(0)));
        world.process(name, move |boot| {
            let (pool, workload, done) = (boot.pool(1, None), given.clone(), done.clone());
            boot.actor(name, move |actor| async move {
                while let Some(touch) = workload.workers[index].get(done.get()) {
                    actor.sleep("pause", touch.pause()).await;
                    // What a worker leaves undone another one takes up later; here it is passed over.
                    let _ = work(&actor, &pool, workload.id(touch.run), *touch).await;
                    done.set(done.get() + 1);
                }
            });
        });
    }
}

/// A pod of the gateway, in which runs are added and the verifier is asked. One that is being deployed gets ready
/// first.
fn release(
    world: &World,
    names: Names,
    gateway: Gateway,
    workload: &Rc<Workload>,
    deployed: Option<Doorbell>,
    added: fn(&Workload) -> &[Payload],
) {
    // What a pod had in hand when it died comes again from outside.
    let (sent, asked) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let given = workload.clone();
    world.process(names.process, move |boot| {
        if !added(&given).is_empty() {
            let (pool, workload, sent) = (boot.pool(1, None), given.clone(), sent.clone());
            let deployed = deployed.clone();
            boot.actor(names.gateway, move |actor| async move {
                if let Some(deployed) = deployed {
                    gateway.get_ready(&actor, &pool, &deployed).await;
                }
                while let Some(payload) = added(&workload).get(sent.get()) {
                    let _ = gateway.add(&actor, &pool, *payload).await;
                    sent.set(sent.get() + 1);
                    actor.sleep("pause", PAUSE).await;
                }
            });
        }
        if given.asks.is_empty() {
            return;
        }
        let (pool, workload, asked) = (boot.pool(1, None), given.clone(), asked.clone());
        let deployed = deployed.clone();
        boot.actor(names.verifier, move |actor| async move {
            if let Some(deployed) = deployed {
                gateway.get_ready(&actor, &pool, &deployed).await;
            }
            while let Some(ask) = workload.asks.get(asked.get()) {
                gateway.verify(&actor, &pool, &workload, *ask).await;
                asked.set(asked.get() + 1);
                actor.sleep("pause", PAUSE).await;
            }
        });
    });
}

/// Takes a run, is at it for a while, and is done with it, all in one transaction.
async fn work(actor: &Actor, pool: &Pool, id: i64, touch: Touch) -> Result<(), SqlError> {
    let transaction = pool.begin(actor, "begin", "BEGIN").await?;
    transaction.execute("take", "UPDATE runs SET status = 'running' WHERE id = $1", [id.into()]).await?;
    actor.sleep("work", touch.hold()).await;
    transaction.execute("done", "UPDATE runs SET status = 'completed' WHERE id = $1", [id.into()]).await?;
    transaction.commit("commit").await
}
