//! The actors of a trial: the ingestor's process, in which the migration, the prune at start-up and the intake share
//! one writer connection; and two readers, the project's server, with their own connections.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use retrial_sim::actor::Actor;
use retrial_sim::engine::{SqlError, Value};
use retrial_sim::parts::pool::Pool;
use retrial_sim::world::World;

use super::environments::Conditions;
use super::gate::{Gate, Gates};
use super::migration::{self, Backfill, Migration};
use super::workload::{Arrival, Workload};

/// How long a statement waits for a lock: the project's `busy_timeout`.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// The time between the migration's start and the prune, in which start-up subscribes and maintains other tables.
const START_UP: Duration = Duration::from_millis(30);

/// The pause before each arriving message.
const ARRIVAL: Duration = Duration::from_millis(20);

/// The pause after each poll of a reader.
const POLL: Duration = Duration::from_millis(40);

pub(super) fn enter(
    world: &World,
    backfill: &'static dyn Backfill,
    conditions: &Conditions,
    workload: &Rc<Workload>,
) {
    let Conditions { ingestor, intake_waits, readers, .. } = *conditions;
    // Kept outside the process: the broker redelivers a message that a crash kept from being taken in.
    let delivered = Rc::new(Cell::new(0));
    let given = workload.clone();
    let gates = Gates::new(world);
    let lives = Cell::new(0);
    world.process("server", move |boot| {
        lives.set(lives.get() + 1);
        // `db.SetMaxOpenConns(1)`: everything that writes shares one connection.
        let writer = boot.pool(1, LOCK_TIMEOUT);
        let (batch, pool, gate) = (given.batch, writer.clone(), gates.of(lives.get()));
        let opened = gate.clone();
        boot.actor("migration", move |actor| async move {
            migration::run(backfill, &Migration { actor, pool, batch }).await;
            opened.open();
        });
        if ingestor {
            let intake = Intake { writer, workload: given.clone(), delivered: delivered.clone() };
            let gate = intake_waits.then_some(gate);
            boot.actor("ingestor", move |actor| start_up(actor, intake, gate));
        }
    });
    if readers {
        let polls = workload.polls;
        reader(world, "reader-1", polls, "stats", "SELECT COUNT(*), SUM(last_seen = 0) FROM transmissions");
        let packets = "SELECT id, last_seen FROM transmissions ORDER BY last_seen DESC, id LIMIT 10";
        reader(world, "reader-2", polls, "packets", packets);
    }
}

fn reader(world: &World, name: &'static str, polls: u32, label: &'static str, sql: &'static str) {
    world.process(name, move |boot| {
        let pool = boot.pool(1, LOCK_TIMEOUT);
        boot.actor(name, move |actor| async move {
            for _ in 0..polls {
                // A failed poll is an error page; the next poll follows all the same.
                let _ = pool.execute(&actor, label, sql, []).await;
                actor.sleep("pause", POLL).await;
            }
        });
    });
}

/// The state of the intake.
struct Intake {
    writer: Pool,
    workload: Rc<Workload>,
    delivered: Rc<Cell<usize>>,
}

/// The start-up sequence of cmd/ingestor/main.go: prune what is older than the retention, wait until the migration has
/// ended, then take in messages.
async fn start_up(actor: Actor, intake: Intake, gate: Option<Gate>) {
    if intake.workload.old_before > 0 {
        actor.sleep("start-up", START_UP).await;
        // A failed prune is logged and left to the next day.
        let _ = prune(&actor, &intake).await;
    }
    if let Some(gate) = gate {
        gate.pass(&actor).await;
    }
    ingest(actor, intake).await;
}

/// `PruneOldPackets` in cmd/ingestor/maintenance.go. There it begins without IMMEDIATE, which makes no difference for
/// the only connection that writes.
async fn prune(actor: &Actor, intake: &Intake) -> Result<(), SqlError> {
    let cutoff = [intake.workload.old_before];
    let transaction = intake.writer.begin(actor, "prune-begin", "BEGIN IMMEDIATE").await?;
    let sql = "DELETE FROM observations WHERE transmission_id IN (
                   SELECT id FROM transmissions WHERE first_seen < ?1)";
    transaction.execute("prune-observations", sql, values(cutoff)).await?;
    let sql = "DELETE FROM transmissions WHERE first_seen < ?1";
    transaction.execute("prune-transmissions", sql, values(cutoff)).await?;
    transaction.commit("prune-commit").await
}

async fn ingest(actor: Actor, intake: Intake) {
    let Intake { writer, workload, delivered } = intake;
    while let Some(arrival) = workload.arrivals.get(delivered.get()) {
        if actor.sleep_unless_stopped("arrival", ARRIVAL).await {
            return;
        }
        // A message that could not be taken in is logged and dropped, as in the project's ingestor.
        let _ = take_in(&actor, &writer, &workload, *arrival, delivered.get()).await;
        delivered.set(delivered.get() + 1);
    }
}

/// `InsertTransmission` in cmd/ingestor/db.go: an unknown transmission is inserted with the time of its first
/// observation as `last_seen`; then the observation is inserted, and `last_seen` is raised to its time if it is less.
async fn take_in(
    actor: &Actor,
    writer: &Pool,
    workload: &Workload,
    arrival: Arrival,
    number: usize,
) -> Result<(), SqlError> {
    let (known, timestamp) = match arrival {
        Arrival::New(timestamp) => (None, timestamp),
        Arrival::Seen(which, timestamp) => (existing_id(workload, which, number), timestamp),
    };
    let id = known.unwrap_or_else(|| new_id(workload, number));
    if known.is_none() {
        let sql = "INSERT INTO transmissions (id, first_seen, last_seen) VALUES (?1, ?2, ?2) \
                   ON CONFLICT (id) DO NOTHING";
        writer.execute(actor, "new", sql, values([id, timestamp])).await?;
    }
    let sql = "INSERT INTO observations (transmission_id, timestamp) VALUES (?1, ?2)";
    writer.execute(actor, "observe", sql, values([id, timestamp])).await?;
    let sql = "UPDATE transmissions SET last_seen = ?1 WHERE id = ?2 AND last_seen < ?1";
    writer.execute(actor, "bump", sql, values([timestamp, id])).await?;
    Ok(())
}

fn values<const N: usize>(numbers: [i64; N]) -> Vec<Value> {
    numbers.map(Value::Integer).to_vec()
}

/// The id of an arriving transmission: larger than all initial ones, in the order of arrival.
fn new_id(workload: &Workload, number: usize) -> i64 {
    let last = workload.transmissions.last().map_or(0, |transmission| transmission.id);
    let earlier = workload.arrivals[..number].iter().filter(|arrival| matches!(arrival, Arrival::New(_)));
    last + 1 + earlier.count() as i64
}

/// The id that a number selects among the transmissions that exist by then and are not pruned.
fn existing_id(workload: &Workload, which: u8, number: usize) -> Option<i64> {
    let new = |(index, arrival): (usize, &Arrival)| {
        matches!(arrival, Arrival::New(_)).then(|| new_id(workload, index))
    };
    let arrived = workload.arrivals[..number].iter().enumerate().filter_map(new);
    let ids: Vec<i64> = workload.kept().map(|transmission| transmission.id).chain(arrived).collect();
    ids.get(usize::from(which).checked_rem(ids.len())?).copied()
}
