//! Property tests of every scenario in the registry: over generated workloads and schedules, a strategy violates no
//! invariant that its file does not declare as a known failure. The seed is fixed, so that CI repeats what it found;
//! PROPTEST_RNG_SEED sets another. A failure is saved twice: as a proptest regression, which generates the same values
//! again, and, shrunk, as a case under `regressions/`, which anyone can replay.

mod cap_above_pool;
mod document_store;
mod lock_counts;
mod readers;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use retrial_engines::model::Model;
use retrial_engines::sqlite::Sqlite;
use retrial_scenarios::SCENARIOS;
use retrial_sim::explore::shrink::Budget;
use retrial_sim::invariant::Finding;
use retrial_sim::registry::{ScenarioEntry, ScenarioInfo};
use retrial_sim::scheduler::Policy;
use retrial_sim::seed::Seed;
use retrial_sim::trial::TrialHost;

/// A host with the scenario's first engine.
fn host(info: &ScenarioInfo) -> TrialHost {
    match info.engines[0] {
        "none" => TrialHost::without_engine(),
        "model" => TrialHost::new(Box::new(Model::new())),
        "sqlite" => TrialHost::new(Box::new(Sqlite::new().expect("a database can be made"))),
        other => panic!("no engine is called {other}"),
    }
}

/// The budget for shrinking a failure's case.
const BUDGET: Budget = Budget { trials: 5_000, steps: 1_000_000 };

/// How often each strategy has exercised each invariant.
type Exercised = BTreeMap<(&'static str, String), u64>;

/// A generated trial: the index of the environment, the workload as JSON, the policy and the seed.
type Drawn = (usize, String, Policy, Seed);

/// Runs one trial of every strategy, all with the same workload and seed.
fn check(
    scenario: &dyn ScenarioEntry,
    info: &ScenarioInfo,
    host: &mut TrialHost,
    (environment, workload, policy, seed): &Drawn,
    exercised: &mut Exercised,
) -> Result<(), TestCaseError> {
    for (index, strategy) in info.strategies.iter().enumerate() {
        let found = scenario.one(host, index, *environment, workload, *policy, *seed);
        for (finding, case) in found.map_err(|refusal| TestCaseError::fail(refusal.to_string()))? {
            let place = |name: &str| info.environments.iter().position(|it| it.name == name);
            let mut declared =
                strategy.known_failures.iter().filter(|known| known.invariant == case.invariant);
            let declared = declared.any(|known| place(known.earliest()) <= Some(*environment));
            // What the built-in rules ask comes up in every trial.
            if info.invariants.iter().any(|(name, _)| *name == case.invariant) {
                let times = match &finding {
                    Finding::Holds { exercised } => *exercised,
                    Finding::Violated(_) => 1,
                    Finding::Unknown(_) => 0,
                };
                *exercised.entry((strategy.name, case.invariant.clone())).or_default() += times;
            }
            let Finding::Violated(breach) = finding else { continue };
            if !declared {
                let shrunk = scenario.shrink(host, &case, None, BUDGET);
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

/// Generated trials of that scenario.
fn drawn(scenario: &'static dyn ScenarioEntry, environments: usize) -> impl Strategy<Value = Drawn> {
    let workload =
        (0..environments).prop_flat_map(|environment| (Just(environment), scenario.workloads(environment)));
    let policy = prop::sample::select(Policy::PORTFOLIO.to_vec());
    (workload, policy, any::<u64>())
        .prop_map(|((environment, workload), policy, seed)| (environment, workload, policy, Seed(seed)))
}

/// How many workloads are generated per scenario.
const CASES: u32 = 300;

/// Runs generated workloads under every strategy. Returns what is wrong with the scenario, if anything is.
fn undeclared_violations(scenario: &'static dyn ScenarioEntry) -> Vec<String> {
    let mut config = ProptestConfig { cases: CASES, source_file: Some(file!()), ..ProptestConfig::default() };
    if matches!(config.rng_seed, RngSeed::Random) {
        config.rng_seed = RngSeed::Fixed(1);
    }
    let info = scenario.info();
    let (host, exercised) = (RefCell::new(host(&info)), RefCell::new(Exercised::new()));
    let drawn = drawn(scenario, info.environments.len());
    let outcome = TestRunner::new(config).run(&drawn, |drawn| {
        check(scenario, &info, &mut host.borrow_mut(), &drawn, &mut exercised.borrow_mut())
    });
    match outcome {
        // The trials ended early, so what they exercised says nothing.
        Err(why) => vec![format!("{}: {why}", info.name)],
        Ok(()) => not_exercised(&info, &exercised.into_inner()),
    }
}

/// The invariants and strategies that no trial exercised; they have not passed.
fn not_exercised(info: &ScenarioInfo, exercised: &Exercised) -> Vec<String> {
    let times = |is: &dyn Fn(&'static str, &str) -> bool| -> u64 {
        let of = exercised.iter().filter(|((strategy, invariant), _)| is(strategy, invariant));
        of.map(|(_, times)| times).sum()
    };
    let invariants = info.invariants.iter().map(|(name, _)| *name);
    let invariants = invariants.filter(|name| times(&|_, of| of == *name) == 0);
    let invariants = invariants.map(|name| format!("{}: no strategy exercised {name}", info.name));
    let strategies = info.strategies.iter().map(|strategy| strategy.name);
    let strategies = strategies.filter(|name| times(&|of, _| of == *name) == 0);
    let strategies = strategies.map(|name| format!("{}/{name} exercised no invariant", info.name));
    invariants.chain(strategies).collect()
}

#[test]
fn no_strategy_violates_anything_undeclared() {
    let wrong: Vec<String> = SCENARIOS.iter().flat_map(|scenario| undeclared_violations(*scenario)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
