//! Property tests: over generated workloads and schedules, a strategy violates no invariant that its file does not
//! declare as a known failure. The seed is fixed, so that CI repeats what it found; PROPTEST_RNG_SEED sets another.
//! A failure is saved twice: as a proptest regression, which generates the same values again, and, shrunk, as a case
//! under `regressions/`, which anyone can replay.

mod cap_above_pool;
mod lock_counts;
mod readers;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use retrial_engines::model::Model;
use retrial_engines::sqlite::{Journal, Sqlite};
use retrial_scenarios::last_seen_backfill;
use retrial_scenarios::memory_upgrade;
use retrial_scenarios::reserve_cap;
use retrial_scenarios::runs_backfill;
use retrial_scenarios::session_ingest;
use retrial_sim::explore;
use retrial_sim::invariant::Finding;
use retrial_sim::scenario::{Conditions, Scenario, Workload};
use retrial_sim::scheduler::Policy;
use retrial_sim::seed::Seed;
use retrial_sim::shrink::{Budget, shrink};
use retrial_sim::trial::TrialHost;

thread_local! {
    static SQLITE: RefCell<TrialHost> = RefCell::new({
        let engine = Sqlite::new(Journal::Wal).expect("a database can be made");
        TrialHost::new(Box::new(engine))
    });
    static NONE: RefCell<TrialHost> = RefCell::new(TrialHost::without_engine());
    static MODEL: RefCell<TrialHost> = RefCell::new(TrialHost::new(Box::new(Model::new())));
}

/// The budget for shrinking a failure's case.
const BUDGET: Budget = Budget { trials: 5_000, steps: 1_000_000 };

/// How often each strategy has exercised each invariant.
type Exercised = BTreeMap<(&'static str, String), u64>;

/// Runs one trial of every strategy, all with the same workload and seed.
fn check<W: Workload, S: ?Sized, E: Conditions>(
    scenario: &Scenario<W, S, E>,
    host: &mut TrialHost,
    environment: usize,
    workload: &str,
    policy: Policy,
    seed: Seed,
    exercised: &mut Exercised,
) -> Result<(), TestCaseError> {
    for (index, strategy) in scenario.strategy_infos().iter().enumerate() {
        let workload = serde_json::from_str(workload).expect("a workload is JSON");
        let environment = &scenario.environments[environment];
        let found = explore::one(scenario, host, index, environment, workload, policy, seed);
        for (finding, case) in found.map_err(|refusal| TestCaseError::fail(refusal.to_string()))? {
            let place = |name: &str| scenario.environments.iter().position(|it| it.as_ref().name == name);
            let mut owned =
                strategy.known_failures.iter().filter(|broken| broken.invariant == case.invariant);
            let owned = owned.any(|broken| place(broken.earliest()) <= place(environment.as_ref().name));
            // What the built-in rules ask comes up in every trial.
            if scenario.invariants.iter().any(|item| item.name == case.invariant) {
                let times = match &finding {
                    Finding::Holds { exercised } => *exercised,
                    Finding::Violated(_) => 1,
                    Finding::Unknown(_) => 0,
                };
                *exercised.entry((strategy.name, case.invariant.clone())).or_default() += times;
            }
            let Finding::Violated(breach) = finding else { continue };
            if !owned {
                let shrunk = shrink(scenario, host, &case, None, BUDGET);
                let (case, sentence) = shrunk.map_or((case, breach.sentence), |it| (it.case, it.sentence));
                let file = format!("{}.{}.{}.found.case", case.scenario, case.strategy, case.invariant);
                let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "regressions", &file].iter().collect();
                fs::write(&path, format!("# {sentence}\n{case}")).expect("a regression can be kept");
                let why = format!("{}: {sentence}; kept as regressions/{file}", case.invariant);
                return Err(TestCaseError::fail(why));
            }
        }
    }
    Ok(())
}

/// An environment of the scenario, by index, and a workload for it, as JSON.
fn drawn<W: Workload, S: ?Sized, E: Conditions>(
    scenario: &'static Scenario<W, S, E>,
) -> impl Strategy<Value = (usize, String)> {
    (0..scenario.environments.len()).prop_flat_map(|environment| {
        let workloads = (scenario.workloads)(&scenario.environments[environment]);
        (
            Just(environment),
            workloads.prop_map(|workload| serde_json::to_string(&workload).expect("it is JSON")),
        )
    })
}

fn policy() -> impl Strategy<Value = Policy> {
    prop::sample::select(Policy::PORTFOLIO.to_vec())
}

/// How many workloads are generated per scenario.
const CASES: u32 = 300;

/// Runs generated workloads under every strategy.
fn violates_nothing_undeclared<W: Workload, S: ?Sized, E: Conditions>(
    scenario: &'static Scenario<W, S, E>,
    host: &mut TrialHost,
) {
    let mut config = ProptestConfig { cases: CASES, source_file: Some(file!()), ..ProptestConfig::default() };
    if matches!(config.rng_seed, RngSeed::Random) {
        config.rng_seed = RngSeed::Fixed(1);
    }
    let (host, exercised) = (RefCell::new(host), RefCell::new(Exercised::new()));
    let drawn = (drawn(scenario), policy(), any::<u64>());
    let outcome = TestRunner::new(config).run(&drawn, |((environment, workload), policy, seed)| {
        let (mut host, mut exercised) = (host.borrow_mut(), exercised.borrow_mut());
        check(scenario, &mut host, environment, &workload, policy, Seed(seed), &mut exercised)
    });
    outcome.unwrap_or_else(|why| panic!("{}: {why}", scenario.name));
    all_were_exercised(scenario, &exercised.into_inner());
}

/// An invariant or a strategy that no trial exercised has not passed.
fn all_were_exercised<W: Workload, S: ?Sized, E: Conditions>(
    scenario: &Scenario<W, S, E>,
    exercised: &Exercised,
) {
    let times = |is: &dyn Fn(&'static str, &str) -> bool| -> u64 {
        let of = exercised.iter().filter(|((strategy, invariant), _)| is(strategy, invariant));
        of.map(|(_, times)| times).sum()
    };
    for item in scenario.invariants {
        let name = item.name;
        assert!(times(&|_, of| of == name) > 0, "{}: no strategy exercised {name}", scenario.name);
    }
    for strategy in scenario.strategies {
        let name = strategy.name;
        assert!(times(&|of, _| of == name) > 0, "{}/{name} exercised no invariant", scenario.name);
    }
}

#[test]
fn last_seen_backfill_violates_nothing_undeclared() {
    SQLITE.with_borrow_mut(|host| violates_nothing_undeclared(&last_seen_backfill::SCENARIO, host));
}

#[test]
fn session_ingest_violates_nothing_undeclared() {
    MODEL.with_borrow_mut(|host| violates_nothing_undeclared(&session_ingest::SCENARIO, host));
}

#[test]
fn reserve_cap_violates_nothing_undeclared() {
    MODEL.with_borrow_mut(|host| violates_nothing_undeclared(&reserve_cap::SCENARIO, host));
}

#[test]
fn memory_upgrade_violates_nothing_undeclared() {
    NONE.with_borrow_mut(|host| violates_nothing_undeclared(&memory_upgrade::SCENARIO, host));
}

#[test]
fn runs_backfill_violates_nothing_undeclared() {
    MODEL.with_borrow_mut(|host| violates_nothing_undeclared(&runs_backfill::SCENARIO, host));
}
