//! A claim whose subquery the server's planner may run once or once per row: the usual plan is correct, the other one
//! claims the whole queue. Both a search and random trials find it, and the trace reports which plan was used.

use std::rc::Rc;

use retrial_engines::model::Model;
use retrial_sim::actor::Actor;
use retrial_sim::choice::Pace;
use retrial_sim::engine::{Cost, InitialState, Value};
use retrial_sim::fault::Environment;
use retrial_sim::parts::pool::Pool;
use retrial_sim::scheduler::{Exhaustive, Random, Scheduler};
use retrial_sim::seed::Seed;
use retrial_sim::trace::EventKind;
use retrial_sim::trial::{Limits, Run, Setup, TrialHost};
use retrial_sim::world::World;

const CALM: Environment = Environment { name: "calm", about: "nothing fails", fault_rules: &[], budget: 0 };

const SCHEMA: &str = "CREATE TABLE job (id bigint PRIMARY KEY, holder bigint);";

/// The usual claim of a queue.
const CLAIM: &str = "UPDATE job SET holder = $1 WHERE id IN
    (SELECT id FROM job WHERE holder IS NULL ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)";

/// The same with the subquery in FROM.
const CLAIM_FROM: &str = "UPDATE job SET holder = $1 FROM
    (SELECT id FROM job WHERE holder IS NULL ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) AS picked
    WHERE job.id = picked.id";

/// The fix: the job is selected in a WITH, which is run once.
const FIXED: &str = "WITH picked AS
    (SELECT id FROM job WHERE holder IS NULL ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
    UPDATE job SET holder = $1 FROM picked WHERE job.id = picked.id";

async fn claims(actor: Actor, pool: Pool, sql: &'static str, holder: i64) {
    let _ = pool.execute(&actor, "claim", sql, [Value::Integer(holder)]).await;
}

fn stage(world: &World, sql: &'static str) {
    for (name, holder) in [("ada", 1), ("bob", 2)] {
        world.process(name, move |boot| {
            let pool = boot.pool(1, None);
            boot.actor(name, move |actor| claims(actor, pool, sql, holder));
        });
    }
}

fn run_trial(host: &mut TrialHost, scheduler: &mut dyn Scheduler, seed: u64, sql: &'static str) -> Run {
    let rows = (1..=3).map(|id| ("job", vec![Value::Integer(id), Value::Null])).collect();
    let initial_state = Rc::new(InitialState::new(SCHEMA, rows));
    let limits = Limits { safety_steps: 300, fair_steps: 200, progress: &["job"] };
    let setup = Setup {
        environment: &CALM,
        cost: Cost::FREE,
        limits,
        initial_state: Some(&initial_state),
        tables: &["job"],
    };
    host.run(scheduler, Seed(seed), Seed(seed), &setup, |world| stage(world, sql))
        .expect("nothing is refused")
}

/// The largest number of jobs that one holder has.
fn most(run: &Run) -> usize {
    let rows = &run.tables[0].1;
    (1..=2)
        .map(|holder| rows.iter().filter(|row| row[1] == Value::Integer(holder)).count())
        .max()
        .unwrap_or(0)
}

fn is_planned(run: &Run) -> bool {
    let told = run.trace.to_string().contains("the planner runs the subquery once for each row");
    let planned = run.trace.events.iter().any(|event| matches!(event.kind, EventKind::Planned(_)));
    assert_eq!(told, planned, "{}", run.trace);
    planned
}

/// The number of schedules of a search that go wrong, and their total.
fn search(sql: &'static str) -> (u64, u64) {
    let mut host = TrialHost::new(Box::new(Model::new()));
    let mut scheduler = Exhaustive::new(None);
    let mut wrong = 0;
    while !scheduler.is_done() {
        let run = run_trial(&mut host, &mut scheduler, 0, sql);
        if most(&run) > 1 {
            assert!(is_planned(&run), "{}", run.trace);
            wrong += 1;
        }
        host.recycle(run);
    }
    (wrong, scheduler.counts().schedules)
}

#[test]
fn a_search_finds_the_plan_that_takes_the_whole_queue() {
    for sql in [CLAIM, CLAIM_FROM] {
        let (wrong, all) = search(sql);
        assert!(wrong > 0 && wrong < all, "{wrong} of {all}: {sql}");
    }
    assert_eq!(search(FIXED).0, 0);
}

#[test]
fn random_trials_find_it_too_and_the_usual_plan_leaves_no_word() {
    let mut host = TrialHost::new(Box::new(Model::new()));
    let runs: Vec<(bool, usize)> = (0..40)
        .map(|seed| {
            let run = run_trial(&mut host, &mut Random::new(Pace::Free), seed, CLAIM);
            (is_planned(&run), most(&run))
        })
        .collect();
    assert!(runs.iter().any(|(planned, most)| *planned && *most == 3), "{runs:?}");
    assert!(runs.iter().filter(|(planned, _)| !planned).all(|(_, most)| *most == 1), "{runs:?}");
}
