//! Whole trials: with the same choices, both engines produce the same trace, whatever faults are injected. No statement
//! has a lock timeout, so a wait ends by itself or not at all.

use retrial_sim::actor::Actor;
use retrial_sim::choice::Pace;
use retrial_sim::engine::{Cost, SqlError};
use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::parts::pool::Pool;
use retrial_sim::scheduler::Random;
use retrial_sim::seed::Seed;
use retrial_sim::trial::{Ending, Limits, Run, Setup, TrialHost};
use retrial_sim::world::World;

use super::{TRIES, servers};
use crate::script::initial_state;

const CAST: &[&str] = &["up", "down"];

const fn fault_rule(fault: Fault) -> FaultRule {
    FaultRule { fault, actors: CAST, labels: &[] }
}

const HOSTILE: Environment = Environment {
    name: "hostile",
    about: "whatever can strike a statement",
    fault_rules: &[
        fault_rule(Fault::StatementError),
        fault_rule(Fault::CrashBefore),
        fault_rule(Fault::CrashAfter),
        fault_rule(Fault::RequestLost),
        fault_rule(Fault::ReplyLost),
    ],
    budget: 2,
};

const CALM: Environment = Environment { name: "calm", about: "nothing fails", fault_rules: &[], budget: 0 };

/// Adds to one row and then to the other; retries after an error, a limited number of times.
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

fn run_trial(host: &mut TrialHost, environment: &Environment, seed: u64, stage: impl FnOnce(&World)) -> Run {
    let initial_state = initial_state();
    let limits = Limits { safety_steps: 300, fair_steps: 200, progress: &["t"] };
    let setup =
        Setup { environment, cost: Cost::FREE, limits, initial_state: Some(&initial_state), tables: &["t"] };
    let run = host.run(&mut Random::new(Pace::Free), Seed(seed), Seed(seed), &setup, stage);
    run.expect("nothing is refused")
}

fn hosts() -> impl Iterator<Item = TrialHost> {
    servers().into_iter().map(TrialHost::new)
}

#[test]
fn the_same_choices_make_the_same_trace() {
    let mut hosts = hosts();
    let mut model = hosts.next().expect("the model is always there");
    let mut live = hosts.next();
    let (mut deadlocks, mut waits) = (0, 0);
    for seed in 0..60 {
        let environment = if seed % 2 == 0 { &HOSTILE } else { &CALM };
        let here = run_trial(&mut model, environment, seed, stage);
        let told = here.trace.to_string();
        assert_eq!(here.ending, Ending::Quiescent, "{told}");
        assert!(!told.contains("gives up"), "{told}");
        deadlocks += told.matches("(40P01)").count();
        waits += told.matches("waits for a lock").count();
        let Some(live) = &mut live else { continue };
        let mut there = String::new();
        let agrees = (0..TRIES).any(|_| {
            let run = run_trial(live, environment, seed, stage);
            there = run.trace.to_string();
            there == told && run.injected == here.injected && run.rows("t") == here.rows("t")
        });
        assert!(agrees, "seed {seed}\n{told}\nthe live server\n{there}");
    }
    assert!(deadlocks > 5 && waits > 20, "{deadlocks} deadlocks, {waits} waits");
}

#[test]
fn a_process_that_dies_while_it_waits_leaves_the_lock_to_others() {
    const DIES: Environment = Environment {
        name: "dies",
        about: "the process dies",
        fault_rules: &[FaultRule {
            fault: Fault::CrashBefore,
            actors: &["counterexample"],
            labels: &["watch"],
        }],
        budget: 1,
    };
    for mut host in hosts() {
        let mut crashed_in_a_wait = 0;
        for seed in 0..40 {
            let run = run_trial(&mut host, &DIES, seed, |world| {
                world.process("holder", |boot| {
                    let pool = boot.pool(1, None);
                    boot.actor("holder", move |actor| transfers(actor, pool, [1, 2]));
                });
                world.process("waiter", |boot| {
                    let pool = boot.pool(1, None);
                    boot.actor("waiter", move |actor| transfers(actor, pool, [1, 2]));
                    boot.actor("counterexample", |actor| async move {
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
            // Each actor has committed once, except that a waiter which crashed after its commit commits again.
            let times = run.trace.commits().count() as i64;
            assert!((2..=3).contains(&times), "{told}");
            assert_eq!(run.rows("t")[0][1], (10 + times).into(), "{told}");
        }
        assert!(crashed_in_a_wait > 0);
    }
}
