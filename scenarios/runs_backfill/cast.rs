//! The actors of a trial: the migration runner, gateway and verifier of the new release, gateway and verifier of the
//! old release where it still runs, two workers and two readers. Each has its own connection.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use retrial_sim::actor::Actor;
use retrial_sim::engine::SqlError;
use retrial_sim::parts::notifier::Notifier;
use retrial_sim::parts::pool::Pool;
use retrial_sim::world::World;

use super::environments::Conditions;
use super::gateway::Gateway;
use super::payload::Payload;
use super::runner::{self, Migration};
use super::workload::{Read, Workload};

/// The pause after each request.
const PAUSE: Duration = Duration::from_millis(40);

/// How long a worker works on a run.
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

pub(super) fn enter(
    world: &World,
    migration: &'static dyn Migration,
    conditions: &Conditions,
    workload: &Rc<Workload>,
) {
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
    if conditions.old_release {
        release(world, OLD, migration.before(), workload, None, |workload| &workload.added_by_old);
    }
    for index in 0..2 {
        workers(world, index, workload);
        readers(world, index, workload);
    }
}

/// A worker, as a process of its own. Its position is kept outside the process: a restart continues with the run that
/// was interrupted.
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
                // In production another worker picks a failed run up later; here it is skipped.
                let _ = work(&actor, &pool, workload.id(touch.run)).await;
                done.set(done.get() + 1);
            }
        });
    });
}

/// A reader, as a process of its own: it opens one transaction after another and keeps each open for a while.
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

/// A gateway pod: one actor adds runs, another queries the verifier. A pod that is being deployed first waits until it
/// is ready.
fn release(
    world: &World,
    names: Names,
    gateway: Gateway,
    workload: &Rc<Workload>,
    deployed: Option<Notifier>,
    added: fn(&Workload) -> &[Payload],
) {
    // Kept outside the process: a request that was in flight when the pod died is sent again by its client.
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

/// Claims a run, works on it, and completes it. Claim and completion are one statement each (`claimOne` and
/// `markCompleted` in `runs-queue.ts`), so no lock is held in between.
async fn work(actor: &Actor, pool: &Pool, id: i64) -> Result<(), SqlError> {
    pool.execute(actor, "take", "UPDATE runs SET status = 'claimed' WHERE id = $1", [id.into()]).await?;
    actor.sleep("work", WORK).await;
    pool.execute(actor, "done", "UPDATE runs SET status = 'completed' WHERE id = $1", [id.into()])
        .await
        .map(|_| ())
}

/// Reads the table once and keeps its transaction open. It holds ACCESS SHARE, which conflicts only with ACCESS
/// EXCLUSIVE.
async fn read(actor: &Actor, pool: &Pool, read: Read) -> Result<(), SqlError> {
    let transaction = pool.begin(actor, "begin", "BEGIN").await?;
    transaction.execute("look", "SELECT count(*) FROM runs", []).await?;
    actor.sleep("report", read.hold()).await;
    transaction.commit("commit").await
}
