//! Passing verdicts must be earned where SQL is sent. Covers a strategy whose statements all fail, an initial state
//! that cannot be created, and an unknown table. Each is reported with the statement concerned, on every engine.

use proptest::strategy::{Just, Strategy as _};
use retrial_engines::model::Model;
use retrial_engines::sqlite::Sqlite;
use retrial_sim::anomaly::Anomaly;
use retrial_sim::engine::{Engine, InitialState};
use retrial_sim::error::{Error, ErrorKind};
use retrial_sim::explore::verdict::Verdict;
use retrial_sim::explore::{self, Plan, Report};
use retrial_sim::fault::Environment;
use retrial_sim::invariant::{Evidence, Finding, Invariant};
use retrial_sim::scenario::{Entry, Scenario};
use retrial_sim::scheduler::Policy;
use retrial_sim::seed::Seed;
use retrial_sim::trial::{Limits, TrialHost};
use retrial_sim::world::World;

use crate::parity::servers;

const CALM: Environment = Environment { name: "calm", about: "nothing fails", fault_rules: &[], budget: 0 };

/// A scenario whose strategies are the text of a single statement.
type Toy = Scenario<i64, &'static str>;

struct Sold;

impl Invariant<i64> for Sold {
    fn check(&self, evidence: &Evidence<'_, i64>) -> Finding {
        Finding::Holds { exercised: evidence.run.trace.changes("stock").count() as u64 }
    }
}

fn of(sql: &'static str) -> Toy {
    let strategies: &'static [Entry<&'static str>] =
        Box::leak(Box::new([Entry { name: "take", source: "", it: &*Box::leak(Box::new(sql)) }]));
    Scenario {
        engines: &["model", "sqlite", "postgres"],
        invariants: &[Entry { name: "sold", source: "", it: &Sold }],
        tables: &["stock"],
        trials: 4,
        initial_state: |_, units| {
            InitialState::new(
                "CREATE TABLE stock (id bigint PRIMARY KEY, units bigint)",
                vec![("stock", vec![1.into(), (*units).into()])],
            )
        },
        limits: |_| Limits { safety_steps: 200, fair_steps: 100, progress: &["stock"] },
        ..Scenario::new("stock", &[CALM], strategies, |_| Just(1).boxed(), stage)
    }
}

/// Two buyers that each try once, in a transaction.
fn stage(world: &World, sql: &'static &'static str, _: &Environment, _: &std::rc::Rc<i64>) {
    for name in ["ada", "bob"] {
        world.process(name, move |boot| {
            let pool = boot.pool(1, None);
            boot.actor(name, move |actor| async move {
                let Ok(transaction) = pool.begin(&actor, "begin", "BEGIN").await else { return };
                if transaction.execute("take", *sql, []).await.is_ok() {
                    let _ = transaction.commit("commit").await;
                }
            });
        });
    }
}

fn hosts() -> impl Iterator<Item = TrialHost> {
    let sqlite: Box<dyn Engine> = Box::new(Sqlite::new().expect("a database can be made"));
    servers().into_iter().chain([sqlite]).map(TrialHost::new)
}

fn tried(toy: &Toy, host: &mut TrialHost) -> Report {
    let policies = Policy::PORTFOLIO.to_vec();
    let plan = Plan { seed: Seed(1), schedules: 4, policies, audit_every: 1, engine: "model" };
    let mut report = explore::batch(toy, host, 0, &CALM, &plan, 0);
    report.settle();
    report
}

const WORKS: &str = "UPDATE stock SET units = units - 1 WHERE id = 1";

#[test]
fn a_strategy_whose_statements_all_fail_is_a_violation_that_says_the_error() {
    for mut host in hosts() {
        let report = tried(&of("UPDATE stock SET unitz = unitz - 1 WHERE id = 1"), &mut host);
        assert!(report.failure.is_none() && report.disagreement.is_none(), "{report:?}");
        let verdicts: Vec<_> = report.tallies.iter().map(|tally| tally.verdict()).collect();
        assert!(matches!(verdicts[0], Verdict::NotExercised), "{report:?}");
        let Some(Verdict::Violated(counterexample)) = verdicts.last() else { panic!("{report:?}") };
        assert_eq!(counterexample.kind.anomaly, Anomaly::RuleBroken);
        for part in ["`take`", "unitz", "UPDATE stock SET unitz"] {
            assert!(counterexample.sentence.contains(part), "{}", counterexample.sentence);
        }
        let report = tried(&of(WORKS), &mut host);
        assert!(
            report.tallies.iter().all(|tally| matches!(tally.verdict(), Verdict::Holds { .. })),
            "{report:?}"
        );
    }
}

#[track_caller]
fn check_fails(toy: &Toy, kind: ErrorKind, parts: &[&str]) {
    for mut host in hosts() {
        let Some(failure) = tried(toy, &mut host).failure else { panic!("nothing failed") };
        let text = Error::to_string(&failure.error);
        assert_eq!(failure.error.kind(), kind, "{text}");
        assert!(parts.iter().all(|part| text.contains(part)) && !text.contains('\n'), "{text}");
        // The host can run the next trial.
        assert!(tried(&of(WORKS), &mut host).failure.is_none());
    }
}

#[test]
fn an_initial_state_that_cannot_be_made_and_a_table_that_is_not_there_are_errors_that_name_them() {
    let toy = of(WORKS);
    check_fails(
        &Scenario { tables: &["stock", "stok"], ..toy },
        ErrorKind::Scenario,
        &["`stok`", "`tables`"],
    );
    let broken = |_: &_, _: &_| {
        InitialState::new(
            "CREATE TABLE stock (id bigint PRIMARY KEY); CREATE INDEX i ON stok (id)",
            Vec::new(),
        )
    };
    check_fails(&Scenario { initial_state: broken, ..toy }, ErrorKind::Scenario, &["initial state", "stok"]);
    let misfit = |_: &_, _: &_| {
        InitialState::new(
            "CREATE TABLE stock (id bigint PRIMARY KEY)",
            vec![("stock", vec![1.into()]), ("stock", vec![1.into()])],
        )
    };
    check_fails(&Scenario { initial_state: misfit, ..toy }, ErrorKind::Scenario, &["initial state", "stock"]);
}

#[test]
fn what_the_model_refuses_is_named_with_its_statement() {
    let mut host = TrialHost::new(Box::new(Model::new()));
    let report = tried(&of("SELECT units, sum(units) OVER () FROM stock"), &mut host);
    let failure = report.failure.expect("it is refused");
    assert_eq!(failure.error.kind(), ErrorKind::NotModelled);
    assert!(failure.error.to_string().contains("in SELECT units, sum(units) OVER ()"), "{}", failure.error);
    let toy = of(WORKS);
    let refused = |_: &_, _: &_| {
        InitialState::new("CREATE TABLE stock (id bigint); CREATE VIEW v AS SELECT 1", Vec::new())
    };
    let failure =
        tried(&Scenario { initial_state: refused, ..toy }, &mut host).failure.expect("it is refused");
    assert_eq!(failure.error.kind(), ErrorKind::NotModelled);
    assert!(failure.error.to_string().contains("initial state"), "{}", failure.error);
}

/// Two processes, each with one statement outside a transaction block.
fn alter_and_use(world: &World, _: &'static &'static str, _: &Environment, _: &std::rc::Rc<i64>) {
    for (name, sql) in [("ada", "ALTER TABLE stock DROP COLUMN units"), ("bob", WORKS)] {
        world.process(name, move |boot| {
            let pool = boot.pool(1, None);
            boot.actor(name, move |actor| async move {
                let _ = pool.execute(&actor, "run", sql, []).await;
            });
        });
    }
}

#[test]
fn a_statement_whose_analysis_fails_meets_the_definition_that_made_it_fail() {
    let toy = Scenario { stage: alter_and_use, ..of(WORKS) };
    let policies = Policy::PORTFOLIO.to_vec();
    let plan = Plan { seed: Seed(1), schedules: 4, policies, audit_every: 1, engine: "model" };
    let mut host = TrialHost::new(Box::new(Model::new()));
    let report = explore::search(&toy, &mut host, 0, &CALM, &plan, None, &mut |run| run < 100);
    let searched = report.searched.expect("it was searched");
    // Bob's update runs before the column is dropped, or after it.
    assert!(searched.is_complete() && searched.counts.schedules >= 2, "{searched:?}");
    assert!(report.tallies[0].exercised > 0, "bob has changed the row in one of them");
}
