//! The PL/pgSQL stepper, compared with the server: each script is run natively by a live server, stepped on the live
//! engine, and stepped on the model. The final rows and the error must agree.

use std::cell::Cell;
use std::rc::Rc;

use retrial_plpgsql::Script;
use retrial_sim::choice::Pace;
use retrial_sim::engine::{Cost, InitialState, SqlError, Value};
use retrial_sim::fault::Environment;
use retrial_sim::scheduler::Random;
use retrial_sim::seed::Seed;
use retrial_sim::trial::{Ending, Limits, Run, Setup, TrialHost};

use crate::parity::servers;

mod cases;
mod faults;
mod interleaving;
mod native;

use self::cases::{CASES, Case};
use self::native::Native;

/// Numbered rows with a value and a text.
const SCHEMA: &str = "CREATE TABLE t (id bigint PRIMARY KEY, v bigint, s text);";

const CALM: Environment = Environment { name: "calm", about: "nothing fails", fault_rules: &[], budget: 0 };

/// Seven rows, two of which have a value.
fn initial_state() -> Rc<InitialState> {
    let row = |id: i64| {
        let v = if id % 3 == 0 { id.into() } else { Value::Null };
        ("t", vec![id.into(), v, format!("r{id}").into()])
    };
    Rc::new(InitialState::new(SCHEMA, (1..=7).map(row).collect()))
}

/// The result of a script: its error, and the changed rows of the table, as text.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    error: Option<String>,
    changed: String,
}

/// A row of the table as texts; `None` is NULL.
type Texts = Vec<Option<String>>;

fn outcome(error: Option<(&str, &str)>, rows: &[Texts]) -> Outcome {
    let before: Vec<Texts> =
        initial_state().rows.iter().map(|(_, row)| row.iter().map(shown).collect()).collect();
    let cell = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "NULL".to_owned());
    let told = |row: &Texts| row.iter().map(cell).collect::<Vec<_>>().join(" ");
    let changed = rows.iter().filter(|row| !before.contains(row)).map(told);
    let gone = before.iter().filter(|old| !rows.iter().any(|row| row[0] == old[0]));
    let gone = gone.map(|row| format!("-{}", cell(&row[0])));
    let changed = changed.chain(gone).collect::<Vec<_>>().join(", ");
    Outcome { error: error.map(|(code, message)| format!("{code} {message}")), changed }
}

fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Text(text) => Some(text.to_string()),
        other => Some(other.to_string()),
    }
}

/// Runs a trial that steps the script from the initial rows.
fn run_trial(
    host: &mut TrialHost,
    script: &'static Script,
    environment: &Environment,
    seed: u64,
) -> (Result<(), SqlError>, Run) {
    let initial_state = initial_state();
    let limits = Limits { safety_steps: 1_000, fair_steps: 500, progress: &["t"] };
    let setup =
        Setup { environment, cost: Cost::FREE, limits, initial_state: Some(&initial_state), tables: &["t"] };
    let heard = Rc::new(Cell::new(None));
    let told = heard.clone();
    let run = host.run(&mut Random::new(Pace::Free), Seed(seed), Seed(seed), &setup, |world| {
        world.process("migration", move |boot| {
            let (pool, told) = (boot.pool(1, None), told.clone());
            boot.actor("migration", move |actor| async move {
                let connection = pool.acquire(&actor).await;
                let result = script.run(&connection).await;
                told.set(Some(result));
            });
        });
    });
    let run = run.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(run.ending, Ending::Quiescent, "{}", run.trace);
    (heard.take().expect("the script has come to an end"), run)
}

/// Parses a script, which lives as long as the program.
fn script(statements: &[&str]) -> &'static Script {
    let text = statements.join(";\n");
    Box::leak(Box::new(Script::read(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))))
}

fn stepped(host: &mut TrialHost, case: &Case) -> (Outcome, Run) {
    let (result, run) = run_trial(host, script(case.statements), &CALM, 1);
    let rows: Vec<Texts> = run.rows("t").iter().map(|row| row.iter().map(shown).collect()).collect();
    let error = result.as_ref().err().map(|error| (&*error.code, &*error.message));
    (outcome(error, &rows), run)
}

#[test]
fn a_stepped_script_does_what_the_server_does() {
    let mut native = cfg!(live_postgres).then(Native::new);
    let mut hosts: Vec<TrialHost> = servers().into_iter().map(TrialHost::new).collect();
    let mut differing = Vec::new();
    for case in CASES.into_iter().flatten() {
        let said = native.as_mut().map(|native| native.run(case.statements));
        for host in &mut hosts {
            let (found, run) = stepped(host, case);
            if said.as_ref().is_some_and(|said| *said != found) {
                differing
                    .push(format!("{}\nthe server {said:?}\nstepped {found:?}\n{}", case.name, run.trace));
            }
            let code = found.error.as_ref().and_then(|error| error.split(' ').next());
            if (code, &*found.changed) != (case.error, case.changed) {
                differing.push(format!("{}: not as written down: {found:?}\n{}", case.name, run.trace));
            }
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// A tool that sends a file as one text, as dbmate does, sends one transaction. A procedure that commits cannot be
/// called in it, although it can be called separately.
#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn a_procedure_that_commits_cannot_be_called_in_a_text_of_several_statements() {
    let mut native = Native::new();
    let create = "CREATE OR REPLACE PROCEDURE pg_temp.fill() LANGUAGE plpgsql AS $$ BEGIN \
                  UPDATE t SET v = 0 WHERE id = 1; COMMIT; UPDATE t SET v = 0 WHERE id = 2; END $$";
    let call = "CALL pg_temp.fill()";
    assert_eq!(native.run(&[create, call]), Outcome { error: None, changed: "1 0 r1, 2 0 r2".into() });
    let whole = native.run(&[&format!("{create}; {call}")]);
    let error = Some("2D000 invalid transaction termination".to_owned());
    assert_eq!(whole, Outcome { error, changed: String::new() });
}
