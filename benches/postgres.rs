//! The cost of the Postgres model, compared with a live server: single-row statements by key inside a transaction,
//! restoring an initial state of 50 rows, and a whole trial of 60 statements with two lock waits through the kernel.
//! The project's targets on one core: 1,000,000 statements a second, 2 µs, 12,000 trials a second on the model and 100
//! on a live server.
//!
//! Before a trial is measured, its statements and waits are counted, to ensure that it is the one described.
//!
//! `cargo bench -p retrial-benches --bench postgres`; with `-- --test` each is run once.

#![expect(clippy::float_arithmetic, reason = "a rate is for people to read")]
#![expect(clippy::print_stdout, reason = "prints the ratio that it is for")]
#![expect(clippy::disallowed_methods, reason = "measures real time, and takes `--bench` and `--test`")]

use std::rc::Rc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use retrial_engines::model::Model;
use retrial_engines::postgres::{Postgres, Server};
use retrial_sim::choice::Pace;
use retrial_sim::engine::{Cost, Engine, InitialState, Reply, SessionId, Value};
use retrial_sim::fault::Environment;
use retrial_sim::scheduler::{Random, Scheduler};
use retrial_sim::seed::Seed;
use retrial_sim::trace::EventKind;
use retrial_sim::trial::{Ending, Limits, Run, Setup, TrialHost};

const SCHEMA: &str =
    "CREATE TABLE account (id int PRIMARY KEY, owner text NOT NULL, balance bigint NOT NULL)";
const UPDATE: &str = "UPDATE account SET balance = balance + $2 WHERE id = $1";
const SELECT: &str = "SELECT balance FROM account WHERE id = $1";

/// The same allocator as the command-line program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    statements(&mut criterion);
    reset(&mut criterion);
    let mut trial = Trial::new();
    let mut group = criterion.benchmark_group("trial_of_60_statements_and_2_waits");
    group.throughput(Throughput::Elements(1));
    let mut model = TrialHost::new(Box::new(Model::new()));
    group.bench_function("model", |bencher| bencher.iter(|| trial.run_trial(&mut model)));
    group.finish();
    criterion.final_summary();
    let arguments: Vec<String> = std::env::args().collect();
    let given = |argument: &str| arguments.iter().any(|given| given == argument);
    if !given("--profile-time") {
        trial.against_live(&mut model, if given("--bench") && !given("--test") { 200 } else { 2 });
    }
}

fn initial_state() -> Rc<InitialState> {
    let row = |id: i64| ("account", vec![Value::Integer(id), Value::from("somebody"), Value::Integer(100)]);
    Rc::new(InitialState::new(SCHEMA, (1..=50).map(row).collect()))
}

/// Statements in consecutive transactions, ten in each, with the rows restored every 100 transactions.
fn statements(criterion: &mut Criterion) {
    const TEN: u64 = 10;
    let mut group = criterion.benchmark_group("model");
    group.throughput(Throughput::Elements(TEN));
    let initial_state = initial_state();
    for (name, sql) in [("update_by_key", UPDATE), ("select_by_key", SELECT)] {
        let mut model = Model::new();
        let mut session = SessionId(0);
        let mut turns = 0_u64;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                if turns.is_multiple_of(100) {
                    model.open(&initial_state, Seed(0)).expect("the initial_state is made");
                    session = model.connect().expect("there is room");
                }
                turns += 1;
                run(&mut model, session, "BEGIN", &[]);
                for id in 0..TEN as i64 {
                    let params = [Value::Integer(1 + (id * 7 + turns as i64) % 50), Value::Integer(1)];
                    run(&mut model, session, sql, if sql == UPDATE { &params } else { &params[..1] });
                }
                run(&mut model, session, "COMMIT", &[]);
            });
        });
    }
    group.finish();
}

fn run(model: &mut Model, session: SessionId, sql: &str, params: &[Value]) {
    match model.submit(session, sql, params) {
        Ok(Reply::Done(done)) => assert!(done.result.is_ok(), "{sql}: {:?}", done.result),
        other => panic!("{sql}: {other:?}"),
    }
}

/// Restoring the initial state, untouched and after a trial that has written five rows.
fn reset(criterion: &mut Criterion) {
    let initial_state = initial_state();
    let mut model = Model::new();
    criterion.bench_function("model/reset_of_50_rows", |bencher| {
        bencher.iter_batched_ref(
            || (),
            |()| model.open(&initial_state, Seed(0)).expect("the initial_state is made"),
            criterion::BatchSize::SmallInput,
        );
    });
    criterion.bench_function("model/reset_of_50_rows_after_5_updates", |bencher| {
        bencher.iter_custom(|turns| {
            let mut spent = Duration::ZERO;
            for _ in 0..turns {
                let session = model.connect().expect("there is room");
                for id in 1..=5 {
                    run(&mut model, session, UPDATE, &[Value::Integer(id), Value::Integer(1)]);
                    model.settle(session).expect("it commits");
                }
                let began = Instant::now();
                model.open(&initial_state, Seed(0)).expect("the initial_state is made");
                spent += began.elapsed();
            }
            spent
        });
    });
}

/// A trial whose two actors conflict on two rows.
struct Trial {
    initial_state: Rc<InitialState>,
    seed: Seed,
}

const ENVIRONMENT: Environment =
    Environment { name: "calm", about: "nothing fails", fault_rules: &[], budget: 0 };

impl Trial {
    /// Finds the first seed whose trial waits twice.
    fn new() -> Trial {
        let initial_state = initial_state();
        let mut host = TrialHost::new(Box::new(Model::new()));
        for seed in (0..10_000).map(Seed) {
            let run = run_trial(&mut host, &mut Random::new(Pace::Free), seed, &initial_state);
            let of = |wanted: fn(&EventKind) -> bool| {
                run.trace.events.iter().filter(|event| wanted(&event.kind)).count()
            };
            let statements = of(|what| matches!(what, EventKind::Ran(_)));
            let waits = of(|what| matches!(what, EventKind::Waits { resource: "a lock", .. }));
            if waits == 2 && run.ending == Ending::Quiescent {
                assert_eq!(statements, 60, "the trial has as many statements as it says");
                return Trial { initial_state, seed };
            }
            host.recycle(run);
        }
        panic!("no seed gives a trial with two waits");
    }

    fn run_trial(&mut self, host: &mut TrialHost) {
        let run = run_trial(host, &mut Random::new(Pace::Free), self.seed, &self.initial_state);
        assert_eq!(run.ending, Ending::Quiescent, "the trial ends");
        host.recycle(run);
    }

    /// Prints the rate of the same trial on a live server, and how many times faster the model is.
    fn against_live(&mut self, model: &mut TrialHost, turns: u32) {
        let server = Server::find(std::env::var("RETRIAL_POSTGRES_URL").ok().as_deref());
        let live = server.and_then(|server| Postgres::new(&server));
        let mut live = match live {
            Ok(live) => TrialHost::new(Box::new(live)),
            Err(error) => {
                println!("the live server was not measured: {error}");
                return;
            }
        };
        let rate = |host: &mut TrialHost, trial: &mut Trial, turns: u32| {
            let began = Instant::now();
            (0..turns).for_each(|_| trial.run_trial(host));
            f64::from(turns) / began.elapsed().as_secs_f64()
        };
        rate(&mut live, self, 2);
        let (fast, slow) = (rate(model, self, turns * 20), rate(&mut live, self, turns));
        println!(
            "trial_of_60_statements_and_2_waits: model {fast:.0}/s, live server {slow:.0}/s, ratio {:.0}",
            fast / slow
        );
    }
}

/// Two clerks, each with six transactions of three statements on rows that the other uses as well; with BEGIN and
/// COMMIT, each clerk sends thirty statements.
fn run_trial(
    host: &mut TrialHost,
    scheduler: &mut dyn Scheduler,
    seed: Seed,
    initial_state: &Rc<InitialState>,
) -> Run {
    let setup = Setup {
        environment: &ENVIRONMENT,
        cost: Cost::FREE,
        limits: Limits { safety_steps: 1_000, fair_steps: 1_000, progress: &[] },
        initial_state: Some(initial_state),
        tables: &["account"],
    };
    let run = host.run(scheduler, seed, seed.named("ambient"), &setup, |world| {
        for clerk in ["one", "other"] {
            world.process(clerk, move |boot| {
                let pool = boot.pool(1, Duration::from_secs(3600));
                boot.actor(clerk, move |actor| async move {
                    for turn in 0..6_i64 {
                        let transaction = pool.begin(&actor, "begin", "BEGIN").await.expect("nothing fails");
                        for place in 0..3_i64 {
                            // Rows are used in ascending order, so that the two never deadlock.
                            let id = 1 + turn * 3 + place;
                            let sql = if place == 1 { UPDATE } else { SELECT };
                            let mut params = vec![Value::Integer(id), Value::Integer(1)];
                            params.truncate(if place == 1 { 2 } else { 1 });
                            transaction.execute("work", sql, params).await.expect("nothing fails");
                        }
                        transaction.commit("commit").await.expect("nothing fails");
                    }
                });
            });
        }
    });
    run.expect("nothing is refused")
}
