//! Whole trials: with the same choices both engines make the same trace, whatever strikes. No statement has a lock
//! timeout, so that what waits goes on by itself or not at all.

use retrial_sim::actor::Actor;
use retrial_sim::choice::Pace;
use retrial_sim::engine::{Cost, SqlError};
use retrial_sim::fault::{Fault, Offer, Rung};
use retrial_sim::pool::Pool;
use retrial_sim::scheduler::Random;
use retrial_sim::seed::Seed;
use retrial_sim::trial::{Ending, Limits, Run, Setup, TestBed};
use retrial_sim::world::World;

use super::{TRIES, servers};
use crate::script::opening;

const CAST: &[&str] = &["up", "down"];

const fn offer(fault: Fault) -> Offer {
    Offer { fault, actors: CAST, labels: &[] }
}

const HOSTILE: Rung = Rung {
    name: "hostile",
    about: "whatever can strike a statement",
    offers: &[
        offer(Fault::StatementError),
        offer(Fault::CrashBefore),
        offer(Fault::CrashAfter),
        offer(Fault::RequestLost),
        offer(Fault::ReplyLost),
    ],
    budget: 2,
};

const CALM: Rung = Rung { name: "calm", about: "nothing fails", offers: &[], budget: 0 };

/// Adds to one row and then to the other; tries again after an error, but not for ever.
async fn transfers(actor: Actor, pool: Pool, rows: [i64; 2]) {
    for _ in 0..3 {
        if transfer(&actor, &pool, rows).await.is_ok() {
            return;
        }
    }
}

async fn transfer(actor: &Actor, pool: &Pool, rows: [i64; 2]) -> Result<(), SqlError> {
    let transaction = pool.begin(actor, "begin", "BEGIN").await?;
    let look = "SELECT v FROM t WHERE id = $1 FOR UPDATE";
    let add = "UPDATE t SET v = v + 1 WHERE id = $1";
    transaction.execute("lock", look, [rows[0].into()]).await?;
    transaction.execute("first", add, [rows[0].into()]).await?;
    transaction.execute("second", add, [rows[1].into()]).await?;
    transaction.commit("commit").await
}

fn stage(world: &World) {
    for (name, rows) in [("up", [1, 2]), ("down", [2, 1])] {
        world.process(name, move |boot| {
            let pool = boot.pool(1, None);
            boot.actor(name, move |actor| transfers(actor, pool, rows));
        });
    }
}

fn hold(bed: &mut TestBed, rung: &Rung, seed: u64, stage: impl FnOnce(&World)) -> Run {
    let opening = opening();
    let limits = Limits { safety_steps: 300, fair_steps: 200, progress: &["t"] };
    let setup = Setup { rung, cost: Cost::FREE, limits, opening: Some(&opening), tables: &["t"] };
    let run = bed.hold(&mut Random::new(Pace::Free), Seed(seed), Seed(seed), &setup, stage);
    run.expect("nothing is refused")
}

fn beds() -> impl Iterator<Item = TestBed> {
    servers().into_iter().map(TestBed::new)
}

#[test]
fn the_same_choices_make_the_same_trace() {
    let mut beds = beds();
    let mut model = beds.next().expect("the model is always there");
    let mut live = beds.next();
    let (mut deadlocks, mut waits) = (0, 0);
    for seed in 0..60 {
        let rung = if seed % 2 == 0 { &HOSTILE } else { &CALM };
        let here = hold(&mut model, rung, seed, stage);
        let told = here.trace.to_string();
        assert_eq!(here.ending, Ending::Quiescent, "{told}");
        assert!(!told.contains("gives up"), "{told}");
        deadlocks += told.matches("(40P01)").count();
        waits += told.matches("waits for a lock").count();
        let Some(live) = &mut live else { continue };
        let mut there = String::new();
        let agrees = (0..TRIES).any(|_| {
            let run = hold(live, rung, seed, stage);
            there = run.trace.to_string();
            there == told && run.strikes == here.strikes && run.rows("t") == here.rows("t")
        });
        assert!(agrees, "seed {seed}\n{told}\nthe live server\n{there}");
    }
    assert!(deadlocks > 5 && waits > 20, "{deadlocks} deadlocks, {waits} waits");
}

#[test]
fn a_process_that_dies_while_it_waits_leaves_the_lock_to_others() {
    const DIES: Rung = Rung {
        name: "dies",
        about: "the process dies",
        offers: &[Offer { fault: Fault::CrashBefore, actors: &["witness"], labels: &["watch"] }],
        budget: 1,
    };
    for mut bed in beds() {
        let mut crashed_in_a_wait = 0;
        for seed in 0..40 {
            let run = hold(&mut bed, &DIES, seed, |world| {
                world.process("holder", |boot| {
                    let pool = boot.pool(1, None);
                    boot.actor("holder", move |actor| transfers(actor, pool, [1, 2]));
                });
                world.process("waiter", |boot| {
                    let pool = boot.pool(1, None);
                    boot.actor("waiter", move |actor| transfers(actor, pool, [1, 2]));
                    boot.actor("witness", |actor| async move {
                        for _ in 0..3 {
                            actor.step("watch").await;
                        }
                    });
                });
            });
            assert_eq!(run.ending, Ending::Quiescent, "{}", run.trace);
            let told = run.trace.to_string();
            let (before, _) = told.split_once("crashed").unwrap_or_default();
            let last = before.lines().rfind(|line| line.contains(" waiter "));
            let waited = last.is_some_and(|line| line.contains("waits for a lock"));
            crashed_in_a_wait += usize::from(waited);
            // Each has committed once, but for a waiter that died after it had.
            let times = run.trace.commits().count() as i64;
            assert!((2..=3).contains(&times), "{told}");
            assert_eq!(run.rows("t")[0][1], (10 + times).into(), "{told}");
        }
        assert!(crashed_in_a_wait > 0);
    }
}
