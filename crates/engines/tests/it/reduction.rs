//! The exhaustive search leaves out equivalent orders. It is compared with a search without reduction over generated
//! programs that interact in tables, a queue, a sink and the clock, and crash at any point: the reduced search must
//! show the outcomes that the full search shows.

use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use retrial_engines::model::Model;
use retrial_engines::sqlite::Sqlite;
use retrial_sim::actor::Actor;
use retrial_sim::engine::{InitialState, Value};
use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::footprint::{Item, Touch, part};
use retrial_sim::parts::connection::Transaction;
use retrial_sim::parts::pool::Pool;
use retrial_sim::parts::queue::{Queue, Settings};
use retrial_sim::seed::{Ratio, Rng, Seed};
use retrial_sim::trace::{EventKind, Field, Record};
use retrial_sim::trial::{Run, TrialHost};
use retrial_sim::world::World;
use retrial_soundness::{Comparison, Program, drawn};

/// A step of an actor.
#[derive(Clone, Copy, Debug)]
enum Act {
    Begin(&'static str),
    Sql(&'static str, i64),
    End(bool),
    Send,
    Take,
    Tell,
    Sleep(u64),
}

const NAMES: [&str; 3] = ["ada", "bob", "cyd"];
const LABELS: [&str; 6] = ["one", "two", "three", "four", "five", "six"];

const ENVIRONMENTS: [Environment; 3] = [
    drawn(&[], 0),
    drawn(
        &[
            FaultRule { fault: Fault::CrashBefore, actors: &["ada"], labels: &[] },
            FaultRule { fault: Fault::CrashAfter, actors: &["ada"], labels: &[] },
        ],
        1,
    ),
    drawn(
        &[
            FaultRule { fault: Fault::ReplyLost, actors: &["ada", "bob"], labels: &[] },
            FaultRule { fault: Fault::StatementError, actors: &["ada"], labels: &[] },
        ],
        1,
    ),
];

/// The SQL that programs are generated from.
#[derive(Clone, Copy)]
struct Dialect {
    schema: &'static str,
    settings: &'static [(&'static str, &'static str)],
    begins: &'static [&'static str],
    statements: &'static [&'static str],
}

const POSTGRES: Dialect = Dialect {
    schema: "CREATE TABLE t (id bigint PRIMARY KEY, v bigint NOT NULL);
             CREATE TABLE s (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v bigint UNIQUE REFERENCES t (id));",
    settings: &[],
    begins: &["BEGIN", "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ"],
    statements: &[
        "UPDATE t SET v = v + 1 WHERE id = $1",
        "UPDATE t SET v = v * 2 WHERE id = $1",
        "SELECT v FROM t WHERE id = $1",
        "SELECT v FROM t WHERE id = $1 FOR UPDATE",
        "SELECT v FROM t WHERE id = $1 FOR SHARE",
        "SELECT v FROM t WHERE id = $1 FOR UPDATE SKIP LOCKED",
        "SELECT sum(v) + $1 FROM t",
        "UPDATE t SET v = v + 10 * $1",
        "INSERT INTO t VALUES ($1, 7) ON CONFLICT (id) DO UPDATE SET v = t.v + 100",
        "INSERT INTO t VALUES ($1 + 1, 5)",
        "DELETE FROM t WHERE id = $1",
        "INSERT INTO s (v) VALUES ($1)",
        "SELECT pg_advisory_xact_lock($1)",
    ],
};

const SQLITE: Dialect = Dialect {
    schema: "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER NOT NULL);",
    settings: &[("journal_mode", "wal")],
    begins: &["BEGIN", "BEGIN IMMEDIATE"],
    statements: &[
        "UPDATE t SET v = v + 1 WHERE id = ?1",
        "UPDATE t SET v = v * 2 WHERE id = ?1",
        "SELECT v FROM t WHERE id = ?1",
        "SELECT sum(v) + ?1 FROM t",
        "INSERT INTO t VALUES (?1 + 1, 5)",
        "DELETE FROM t WHERE id = ?1",
    ],
};

struct Letter;

impl Record for Letter {
    fn record(&self) -> Vec<Field> {
        Vec::new()
    }
}

fn draw(dialect: Dialect, seed: u64) -> Program {
    let mut rng = Seed(seed).named("program").rng();
    let cast = 2 + usize::from(rng.hits(Ratio { numerator: 1, denominator: 3 }));
    let environment = &ENVIRONMENTS[rng.below(3) as usize];
    let most = if cast == 3 || environment.budget > 0 { 2 } else { 3 };
    let acts: Vec<Vec<Act>> = (0..cast).map(|_| life(dialect, &mut rng, most)).collect();
    Program { about: format!("{acts:?}"), environment, stage: Box::new(move |world| stage(world, &acts)) }
}

fn life(dialect: Dialect, rng: &mut Rng, most: u64) -> Vec<Act> {
    let mut acts = Vec::new();
    let pick = |rng: &mut Rng, texts: &[&'static str]| texts[rng.below(texts.len() as u64) as usize];
    let sql = |rng: &mut Rng| Act::Sql(pick(rng, dialect.statements), 1 + rng.below(2) as i64);
    let transaction = rng.hits(Ratio { numerator: 1, denominator: 2 });
    if transaction {
        acts.push(Act::Begin(pick(rng, dialect.begins)));
    }
    for _ in 0..1 + rng.below(most) {
        acts.push(match rng.below(8) {
            0 if !transaction => Act::Send,
            1 if !transaction => Act::Take,
            2 => Act::Tell,
            3 => Act::Sleep(1 + rng.below(3)),
            _ => sql(rng),
        });
    }
    if transaction {
        acts.push(Act::End(rng.below(4) > 0));
    }
    acts
}

async fn live(actor: Actor, pool: Pool, queue: Queue<Letter>, acts: Vec<Act>) {
    let mut transaction: Option<Transaction> = None;
    for (act, label) in acts.into_iter().zip(LABELS) {
        match act {
            Act::Begin(sql) => transaction = pool.begin(&actor, label, sql).await.ok(),
            Act::Sql(sql, number) => {
                let params = [Value::Integer(number)];
                let _ = match &transaction {
                    Some(transaction) => transaction.execute(label, sql, params).await,
                    None => pool.execute(&actor, label, sql, params).await,
                };
            }
            Act::End(commits) => {
                if let Some(transaction) = transaction.take() {
                    let _ = if commits {
                        transaction.commit(label).await
                    } else {
                        transaction.rollback(label).await
                    };
                }
            }
            Act::Send => drop(queue.send(&actor, Letter).await),
            Act::Take => {
                for letter in queue.receive(&actor).await.unwrap_or_default() {
                    let _ = queue.ack(&actor, &letter).await;
                }
            }
            Act::Tell => drop(actor.request(label, "sink", Vec::new()).await),
            Act::Sleep(seconds) => actor.sleep(label, Duration::from_secs(seconds)).await,
        }
    }
}

fn stage(world: &World, acts: &[Vec<Act>]) {
    let queue = world.queue(Settings {
        name: "queue",
        batch: 1,
        visibility_timeout: Duration::from_secs(2),
        attempts: 2,
        concurrency: 2,
    });
    for (acts, name) in acts.iter().zip(NAMES) {
        let (queue, acts) = (queue.clone(), acts.clone());
        world.process(name, move |boot| {
            let (pool, queue, acts) = (boot.pool(1, Duration::from_secs(5)), queue.clone(), acts.clone());
            boot.actor(name, move |actor| live(actor, pool, queue, acts));
        });
    }
}

/// The externally visible outcome of a trial: each actor's results in its order, the durable effects in their order,
/// and the final state.
fn outcome(run: &Run) -> String {
    let mut told = vec![String::new(); run.trace.cast.len() + 1];
    for event in &run.trace.events {
        let said = match &event.kind {
            EventKind::Ran(_) | EventKind::Requested(_) | EventKind::Injected(_) | EventKind::Crashed => {
                run.trace.say(&event.kind)
            }
            _ => continue,
        };
        let place = run.trace.cast.iter().position(|member| member.name == run.trace.name(event.actor));
        told[place.unwrap_or(run.trace.cast.len())] += &format!("{said}; ");
    }
    let mut lasting = String::new();
    for event in &run.trace.events {
        match &event.kind {
            EventKind::Committed(changes) => {
                for change in changes.iter() {
                    lasting += &format!("{} {:?}->{:?}; ", change.table.name, change.before, change.after);
                }
            }
            EventKind::Requested(request) if request.part == "sink" && request.arrived => {
                lasting += &format!("{} told; ", run.trace.name(event.actor));
            }
            _ => {}
        }
    }
    format!("{told:?} {lasting} {:?} {:?}", run.tables, run.ending)
}

/// The search compared with brute force over the programs of these seeds.
#[expect(clippy::print_stderr, reason = "how much is left out is worth knowing")]
fn check(dialect: Dialect, host: &mut TrialHost, bound: Option<u32>, programs: Range<u64>) {
    let compared = compare(dialect, bound, |comparison| comparison.check(host, programs));
    eprintln!("{compared}");
}

fn compare<T>(dialect: Dialect, bound: Option<u32>, judge: impl FnOnce(&Comparison<'_>) -> T) -> T {
    let row = |id, v| ("t", vec![Value::Integer(id), Value::Integer(v)]);
    let initial_state = InitialState::new(dialect.schema, vec![row(1, 10), row(2, 20)]);
    let initial_state = initial_state.with(dialect.settings);
    judge(&Comparison {
        draw: &|seed| draw(dialect, seed),
        outcome,
        initial_state: Some(&Rc::new(initial_state)),
        tables: &["t"],
        bound,
        most: 3_000,
    })
}

/// A search that is not told of some use misses outcomes: of rows and of the queue.
#[test]
fn a_use_that_is_not_reported_is_noticed() {
    let host = &mut TrialHost::new(Box::new(Model::new()));
    let is_queue: fn(&Touch) -> bool = |touch| touch.part == part("queue", "queue");
    let is_row: fn(&Touch) -> bool = |touch| matches!(touch.item, Some(Item::Rows(_)));
    for forgets in [is_queue, is_row] {
        compare(POSTGRES, None, |comparison| comparison.check_canary(host, 0..250, forgets));
    }
}

#[test]
fn every_outcome_of_a_program_on_the_model_is_found() {
    check(POSTGRES, &mut TrialHost::new(Box::new(Model::new())), None, 0..250);
}

/// Programs for which the search once missed an outcome.
#[test]
fn every_outcome_of_programs_that_missed_one_is_found() {
    check(POSTGRES, &mut TrialHost::new(Box::new(Model::new())), None, 378..379);
    check(POSTGRES, &mut TrialHost::new(Box::new(Model::new())), None, 1020..1021);
}

mod long {
    //! The search compared with brute force in full; `cargo xtask ci` runs it.

    use retrial_engines::model::Model;
    use retrial_sim::trial::TrialHost;

    use super::{POSTGRES, check};

    fn model() -> TrialHost {
        TrialHost::new(Box::new(Model::new()))
    }

    #[test]
    #[ignore = "long: a minute; cargo test --workspace -- --ignored long::"]
    fn every_outcome_of_many_programs_is_found() {
        check(POSTGRES, &mut model(), None, 250..2_600);
    }

    /// The second half, so that two threads share the work.
    #[test]
    #[ignore = "long: a minute; cargo test --workspace -- --ignored long::"]
    fn every_outcome_of_many_more_programs_is_found() {
        check(POSTGRES, &mut model(), None, 2_600..5_000);
    }

    #[test]
    #[ignore = "long: a minute; cargo test --workspace -- --ignored long::"]
    fn every_outcome_of_many_programs_within_a_bound_is_found() {
        check(POSTGRES, &mut model(), Some(1), 250..2_000);
        check(POSTGRES, &mut model(), Some(2), 0..2_000);
    }
}

#[test]
fn every_outcome_within_a_bound_is_found() {
    check(POSTGRES, &mut TrialHost::new(Box::new(Model::new())), Some(1), 0..250);
}

#[test]
fn every_outcome_of_a_program_on_sqlite_is_found() {
    let sqlite = Sqlite::new().expect("a database can be made");
    check(SQLITE, &mut TrialHost::new(Box::new(sqlite)), None, 0..100);
}
