//! The cast: the migration's runner, the gateway of the new release with its verifier, that of the old one where it is
//! still there, two workers and two readers. Each has connections of its own.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use retrial_sim::actor::Actor;
use retrial_sim::notifier::Notifier;
use retrial_sim::engine::SqlError;
use retrial_sim::fault::Environment;
use retrial_sim::pool::Pool;
use retrial_sim::world::World;

use super::gateway::Gateway;
use super::environments;
use super::payload::Payload;
use super::runner::{self, Migration};
use super::workload::{Read, Workload};

/// The pause after each request.
const PAUSE: Duration = Duration::from_millis(40);

/// How long a worker is at a run.
const WORK: Duration = Duration::from_millis(20);

/// The names of a release's actors and of its process.
#[derive(Clone, Copy)]
struct Names {
    process: &'static str,
    gateway: &'static str,
    verifier: &'static str,
}

const NEW: Names = Names { process: "pod-new", gateway: "gateway-new", verifier: "verifier-new" };
const OLD: Names = Names { process: "pod-old", gateway: "gateway-old", verifier: "verifier-old" };

pub(super) fn enter(world: &World, migration: &'static dyn Migration, environment: &Environment, workload: &Rc<Workload>) {
    let (given, deployed) = (workload.clone(), world.notifier());
    let bell = deployed.clone();
    world.process("migration", move |boot| {
        let (pool, deployed, workload) = (boot.pool(1, None), bell.clone(), given.clone());
        boot.actor("migration", move |actor| async move {
            runner::run(migration, &actor, &pool, &workload).await;
            deployed.ring();
        });
    });
    release(world, NEW, migration.after(), workload, Some(deployed), |workload| &workload.added);
    if environments::has_old(environment) {
        release(world, OLD, migration.before(), workload, None, |workload| &workload.added_by_old);
    }
    for index in 0..2 {
        workers(world, index, workload);
        readers(world, index, workload);
    }
}

/// What is done one after the other by a process of its own: nothing of it comes again when that has died.
fn workers(world: &World, index: usize, workload: &Rc<Workload>) {
    if workload.workers[index].is_empty() {
        return;
    }
    let name = ["worker-1", "worker-2"][index];
    let (given, done) = (workload.clone(), Rc::new(Cell::new(0)));
    world.process(name, move |boot| {
        let (pool, workload, done) = (boot.pool(1, None), given.clone(), done.clone());
        boot.actor(name, move |actor| async move {
            while let Some(touch) = workload.workers[index].get(done.get()) {
                actor.sleep("pause", touch.pause()).await;
                // What a worker leaves undone another one takes up later; here it is passed over.
                let _ = work(&actor, &pool, workload.id(touch.run)).await;
                done.set(done.get() + 1);
            }
        });
    });
}

/// Transactions that stay open, one after the other.
fn readers(world: &World, index: usize, workload: &Rc<Workload>) {
    if workload.readers[index].is_empty() {
        return;
    }
    let name = ["reader-1", "reader-2"][index];
    let (given, done) = (workload.clone(), Rc::new(Cell::new(0)));
    world.process(name, move |boot| {
        let (pool, workload, done) = (boot.pool(1, None), given.clone(), done.clone());
        boot.actor(name, move |actor| async move {
            let reads = workload.readers[index].iter();
            let reads: Vec<Read> = reads.flat_map(|read| vec![*read; read.times as usize]).collect();
            while let Some(one) = reads.get(done.get()) {
                actor.sleep("pause", one.pause()).await;
                let _ = read(&actor, &pool, *one).await;
                done.set(done.get() + 1);
            }
        });
    });
}

/// A pod of the gateway, in which runs are added and the verifier is asked. One that is being deployed gets ready
/// first.
fn release(
    world: &World,
    names: Names,
    gateway: Gateway,
    workload: &Rc<Workload>,
    deployed: Option<Notifier>,
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
                    let _ = gateway.add(&actor, &pool, *payload, workload.as_stored).await;
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

/// Takes a run, is at it for a while, and is done with it. The queue's claim and its completion are a statement each
/// (`claimOne` and `markCompleted` of `runs-queue.ts`), so that no lock is held meanwhile.
async fn work(actor: &Actor, pool: &Pool, id: i64) -> Result<(), SqlError> {
    pool.execute(actor, "take", "UPDATE runs SET status = 'claimed' WHERE id = $1", [id.into()]).await?;
    actor.sleep("work", WORK).await;
    pool.execute(actor, "done", "UPDATE runs SET status = 'completed' WHERE id = $1", [id.into()])
        .await
        .map(|_| ())
}

/// Looks at the table once and keeps its transaction open: what it holds is ACCESS SHARE, which only whoever wants
/// ACCESS EXCLUSIVE waits for.
async fn read(actor: &Actor, pool: &Pool, read: Read) -> Result<(), SqlError> {
    let transaction = pool.begin(actor, "begin", "BEGIN").await?;
    transaction.execute("look", "SELECT count(*) FROM runs", []).await?;
    actor.sleep("report", read.hold()).await;
    transaction.commit("commit").await
}
