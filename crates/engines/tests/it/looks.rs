//! Actors that poll: what one of them commits, another sees before the trial ends.

use std::rc::Rc;
use std::time::Duration;

use retrial_engines::model::Model;
use retrial_sim::choice::{Pace, RecordedTape};
use retrial_sim::engine::{Cost, InitialState, Value};
use retrial_sim::fault::Environment;
use retrial_sim::scheduler::Replay;
use retrial_sim::seed::Seed;
use retrial_sim::trace::EventKind;
use retrial_sim::trial::{Ending, Limits, Run, Setup, TrialHost};
use retrial_sim::world::World;

const CALM: Environment = Environment { name: "calm", about: "nothing fails", fault_rules: &[], budget: 0 };

/// `seldom` repairs the row every five minutes; `often` reports it every minute.
fn stage(world: &World) {
    for (name, every, sql) in [
        ("often", 60, "SELECT done FROM job WHERE id = 1"),
        ("seldom", 300, "UPDATE job SET done = 1 WHERE id = 1 AND done = 0"),
    ] {
        let time = world.notifier();
        world.process(name, move |boot| {
            let (pool, time) = (boot.pool(1, None), time.clone());
            boot.actor(name, move |actor| async move {
                loop {
                    time.wait(&actor, Duration::from_secs(every)).await;
                    let answer = pool.execute(&actor, "look", sql, []).await.expect("it is answered");
                    let done = answer.rows.first().and_then(|row| row[0].integer());
                    actor.note("saw", done.unwrap_or(-1), actor.now().as_secs() as i64);
                }
            });
        });
    }
}

fn run() -> Run {
    let mut host = TrialHost::new(Box::new(Model::new()));
    let rows = vec![("job", vec![Value::Integer(1), Value::Integer(0)])];
    let initial_state =
        Rc::new(InitialState::new("CREATE TABLE job (id bigint PRIMARY KEY, done bigint NOT NULL);", rows));
    let limits = Limits { safety_steps: 400, fair_steps: 200, progress: &["job"] };
    let setup = Setup {
        environment: &CALM,
        cost: Cost::FREE,
        limits,
        initial_state: Some(&initial_state),
        tables: &["job"],
    };
    let tape = RecordedTape { pace: Pace::Timed, ambient: Seed(0), choices: Default::default() };
    host.run(&mut Replay::new(tape), Seed(1), Seed(1), &setup, stage).expect("nothing is refused")
}

#[test]
fn what_a_look_has_committed_is_looked_at_by_the_others() {
    let run = run();
    assert_eq!(run.ending, Ending::Quiescent, "{}", run.trace);
    let saw = run.trace.events.iter().filter_map(|event| match event.kind {
        EventKind::Annotated("saw", done, at) => Some((run.trace.name(event.actor), done, at)),
        _ => None,
    });
    let saw: Vec<_> = saw.collect();
    let expected = [("often", 0, 60), ("seldom", -1, 300), ("often", 1, 300)];
    assert_eq!(saw, expected, "{}", run.trace);
}
