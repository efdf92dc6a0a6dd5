//! One calendar: SQL sees the time that the actors see, on every engine whose clock is the trial's.

use std::rc::Rc;
use std::time::Duration;

use retrial_engines::model::Model;
use retrial_engines::sqlite::Sqlite;
use retrial_sim::choice::{Pace, RecordedTape};
use retrial_sim::engine::{Cost, Engine, InitialState};
use retrial_sim::fault::Environment;
use retrial_sim::scheduler::Replay;
use retrial_sim::seed::Seed;
use retrial_sim::trace::EventKind;
use retrial_sim::trial::{Limits, Setup, TrialHost};

const CALM: Environment = Environment { name: "calm", about: "nothing fails", fault_rules: &[], budget: 0 };

const TABLE: &str = "CREATE TABLE t (id bigint);";

fn sqlite() -> Box<dyn Engine> {
    Box::new(Sqlite::new().expect("a database can be made"))
}

/// The time in Unix seconds, as an actor and as SQL sees it, at the start of a trial and an hour later.
fn times(engine: Box<dyn Engine>, schema: &'static str, sql: &'static str) -> Vec<(i64, i64)> {
    let mut host = TrialHost::new(engine);
    let initial_state = Rc::new(InitialState::new(schema, Vec::new()));
    let limits = Limits { safety_steps: 100, fair_steps: 100, progress: &[] };
    let setup = Setup {
        environment: &CALM,
        cost: Cost::FREE,
        limits,
        initial_state: Some(&initial_state),
        tables: &[],
    };
    let tape = RecordedTape { pace: Pace::Timed, ambient: Seed(7), choices: Default::default() };
    // The second trial must not continue the clock of the first.
    let mut run = || {
        host.run(&mut Replay::new(tape.clone()), Seed(1), Seed(7), &setup, |world| {
            world.process("clock", move |boot| {
                let pool = boot.pool(1, None);
                boot.actor("clock", move |actor| async move {
                    for pause in [0, 3600] {
                        actor.sleep("pause", Duration::from_secs(pause)).await;
                        let answer = pool.execute(&actor, "now", sql, []).await.expect("it is answered");
                        let seen = answer.rows[0][0].integer().expect("it is a number");
                        actor.note("times", actor.unix_seconds(), seen);
                    }
                });
            });
        })
    };
    run().expect("nothing is refused");
    let run = run().expect("nothing is refused");
    let noted = run.trace.events.iter().filter_map(|event| match event.kind {
        EventKind::Annotated("times", one, other) => Some((one, other)),
        _ => None,
    });
    noted.collect()
}

#[test]
fn sql_and_actors_have_one_calendar() {
    // 2025-01-01 00:00:00 and 01:00:00 UTC.
    let expected = [1_735_689_600, 1_735_693_200].map(|time| (time, time));
    let model = times(Box::new(Model::new()), TABLE, "SELECT extract(epoch FROM now())::bigint");
    assert_eq!(model, expected, "the model");
    assert_eq!(times(sqlite(), TABLE, "SELECT unixepoch('now')"), expected, "SQLite");
}

/// The schema's text runs on a connection of its own.
#[test]
fn what_sqlite_computes_for_the_initial_state_is_of_the_trials_start() {
    let seen = times(sqlite(), "CREATE TABLE t AS SELECT unixepoch('now') AS made", "SELECT made FROM t");
    assert_eq!(seen.iter().map(|(_, made)| *made).collect::<Vec<_>>(), [1_735_689_600; 2]);
}
