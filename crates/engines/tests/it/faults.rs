//! Faults on every engine, as a write path experiences them: what took effect, and what the actor was answered.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use retrial_engines::sqlite::Sqlite;
use retrial_sim::actor::Actor;
use retrial_sim::choice::Pace;
use retrial_sim::engine::{Answer, Cost, Engine, SqlError};
use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::parts::pool::Pool;
use retrial_sim::scheduler::Random;
use retrial_sim::seed::Seed;
use retrial_sim::trial::{Limits, Run, Setup, TrialHost};
use retrial_sim::world::World;

use crate::parity::servers;
use crate::script::initial_state;

mod connection;
mod statement;

/// The results that an actor received, statement by statement.
type Heard = Rc<RefCell<Vec<String>>>;

/// The engines, all of which make the same guarantees; the live one if there is a server.
fn engines() -> Vec<Box<dyn Engine>> {
    let mut engines: Vec<Box<dyn Engine>> = vec![sqlite()];
    engines.extend(servers());
    engines
}

fn sqlite() -> Box<dyn Engine> {
    Box::new(Sqlite::new().expect("a database can be made"))
}

/// The engine's code for an injected statement failure.
fn failure_of(engine: &str) -> &'static str {
    if engine == "sqlite" { "SQLITE_IOERR" } else { "57014" }
}

/// Runs trials over seeds and returns the first in which the given fault is injected at its label. Without a fault,
/// returns the first trial.
fn run_trial(host: &mut TrialHost, strike: Option<(Fault, &'static str)>, stage: impl Fn(&World)) -> Run {
    let fault_rules = strike.map(|(fault, label)| FaultRule {
        fault,
        actors: &["writer"],
        labels: Box::leak(Box::new([label])),
    });
    let fault_rules: &'static [FaultRule] = Box::leak(fault_rules.into_iter().collect::<Box<[FaultRule]>>());
    let environment = Environment { name: "one", about: "one fault at the most", fault_rules, budget: 1 };
    let initial_state = initial_state();
    let limits = Limits { safety_steps: 200, fair_steps: 100, progress: &["t"] };
    let setup = Setup {
        environment: &environment,
        cost: Cost::FREE,
        limits,
        initial_state: Some(&initial_state),
        tables: &["t"],
    };
    for seed in 0..200 {
        let run = host.run(&mut Random::new(Pace::Free), Seed(seed), Seed(seed), &setup, &stage);
        let run = run.expect("nothing is refused");
        if run.injected == strike.into_iter().collect::<Vec<_>>() {
            return run;
        }
    }
    panic!("some seed injected")
}

/// Runs a trial of one writer on a pool of one connection. Returns the results that the writer received, the final
/// value of the row that starts at 10, and the trial.
fn meet<F>(
    engine: Box<dyn Engine>,
    strike: (Fault, &'static str),
    life: impl Fn(Actor, Pool, Heard) -> F + 'static,
) -> (Vec<String>, i64, Run)
where
    F: Future<Output = ()> + 'static,
{
    let (life, heard) = (Rc::new(life), Rc::new(RefCell::new(Heard::default())));
    let run = run_trial(&mut TrialHost::new(engine), Some(strike), |world| {
        let (life, told) = (life.clone(), Heard::default());
        heard.replace(told.clone());
        world.process("server", move |boot| {
            let (pool, life, told) = (boot.pool(1, Duration::from_secs(5)), life.clone(), told.clone());
            boot.actor("writer", move |actor| life(actor, pool, told));
        });
    });
    let value = run.rows("t")[0][1].integer().expect("a number");
    (heard.take().take(), value, run)
}

/// Records the result of a statement.
fn hear<T: Said>(heard: &Heard, result: Result<T, SqlError>) {
    heard.borrow_mut().push(result.map_or_else(|error| error.code, |answer| answer.said()));
}

trait Said {
    fn said(&self) -> String;
}

impl Said for Answer {
    fn said(&self) -> String {
        self.rows.first().map_or_else(|| "ok".to_owned(), |row| row[0].to_string())
    }
}

impl Said for () {
    fn said(&self) -> String {
        "ok".to_owned()
    }
}

const ADD: &str = "UPDATE t SET v = v + 1 WHERE id = 1";

/// One statement outside a transaction block.
async fn alone(actor: Actor, pool: Pool, heard: Heard) {
    hear(&heard, pool.execute(&actor, "write", ADD, []).await);
}

#[test]
fn a_lost_reply_hides_a_statement_that_took_effect() {
    for engine in engines() {
        let (heard, value, _) = meet(engine, (Fault::ReplyLost, "write"), alone);
        assert_eq!((heard, value), (vec!["CONNECTION_LOST".to_owned()], 11));
    }
}

#[test]
fn a_lost_request_took_no_effect() {
    for engine in engines() {
        let (heard, value, _) = meet(engine, (Fault::RequestLost, "write"), alone);
        assert_eq!((heard, value), (vec!["CONNECTION_LOST".to_owned()], 10));
    }
}

#[test]
fn a_failed_statement_took_no_effect() {
    for engine in engines() {
        let failure = failure_of(engine.name());
        let (heard, value, _) = meet(engine, (Fault::StatementError, "write"), alone);
        assert_eq!((heard, value), (vec![failure.to_owned()], 10));
    }
}

#[test]
fn a_crash_before_the_statement_leaves_nothing_and_one_after_it_leaves_its_effect() {
    for engine in engines() {
        // The process restarts and runs the statement again; only the crash after the statement leaves a first effect
        // behind.
        let (heard, value, _) = meet(engine, (Fault::CrashBefore, "write"), alone);
        assert_eq!((heard, value), (vec!["ok".to_owned()], 11));
    }
    for engine in engines() {
        let (heard, value, _) = meet(engine, (Fault::CrashAfter, "write"), alone);
        assert_eq!((heard, value), (vec!["ok".to_owned()], 12));
    }
}
