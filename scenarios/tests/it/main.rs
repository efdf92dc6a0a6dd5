//! Property tests: over generated workloads and seeds, a strategy keeps every invariant that its file does not own up
//! to breaking. A failure is kept twice: as a proptest regression, which draws the same values again, and, shrunk, as
//! a case under `regressions/`, which anyone can replay.

mod cap_above_pool;
mod lock_counts;
mod readers;

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use retrial_engines::model::Model;
use retrial_engines::sqlite::{Journal, Sqlite};
use retrial_scenarios::last_seen_backfill;
use retrial_scenarios::memory_upgrade;
use retrial_scenarios::reserve_cap;
use retrial_scenarios::runs_backfill;
use retrial_scenarios::session_ingest;
use retrial_sim::explore;
use retrial_sim::invariant::Finding;
use retrial_sim::scenario::{Scenario, Workload};
use retrial_sim::scheduler::Policy;
use retrial_sim::seed::Seed;
use retrial_sim::shrink::{Budget, shrink};
use retrial_sim::trial::TestBed;

thread_local! {
    static SQLITE: RefCell<TestBed> = RefCell::new({
        let engine = Sqlite::new(Journal::Wal).expect("a database can be made");
        TestBed::new(Box::new(engine))
    });
    static NONE: RefCell<TestBed> = RefCell::new(TestBed::without_engine());
    static MODEL: RefCell<TestBed> = RefCell::new(TestBed::new(Box::new(Model::new())));
}

/// What a failure's case may take to shrink.
const BUDGET: Budget = Budget { trials: 5_000, steps: 1_000_000 };

/// Holds one trial of every strategy, the workload and the seed being the same for all.
fn check<W: Workload, S: ?Sized>(
    scenario: &Scenario<W, S>,
    bed: &mut TestBed,
    rung: usize,
    workload: &str,
    policy: Policy,
    seed: Seed,
) -> Result<(), TestCaseError> {
    for (index, strategy) in scenario.candidates().iter().enumerate() {
        let workload = serde_json::from_str(workload).expect("a workload is JSON");
        let rung = &scenario.ladder[rung];
        let found = explore::one(scenario, bed, index, rung, workload, policy, seed);
        for (finding, case) in found.map_err(|refusal| TestCaseError::fail(refusal.to_string()))? {
            let place = |name: &str| scenario.ladder.iter().position(|rung| rung.name == name);
            let mut owned = strategy.breaks.iter().filter(|broken| broken.invariant == case.invariant);
            let owned = owned.any(|broken| place(broken.earliest()) <= place(rung.name));
            let Finding::Violated(breach) = finding else { continue };
            if !owned {
                let shrunk = shrink(scenario, bed, &case, None, BUDGET);
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

/// A rung of the scenario, by index, and a workload for it, as JSON.
fn drawn<W: Workload, S: ?Sized>(
    scenario: &'static Scenario<W, S>,
) -> impl Strategy<Value = (usize, String)> {
    (0..scenario.ladder.len()).prop_flat_map(|rung| {
        let workloads = (scenario.workloads)(&scenario.ladder[rung]);
        (Just(rung), workloads.prop_map(|workload| serde_json::to_string(&workload).expect("it is JSON")))
    })
}

fn policy() -> impl Strategy<Value = Policy> {
    prop::sample::select(Policy::PORTFOLIO.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn last_seen_backfill_keeps_what_it_does_not_own_up_to(
        (rung, workload) in drawn(&last_seen_backfill::SCENARIO),
        policy in policy(),
        seed in any::<u64>(),
    ) {
        SQLITE.with_borrow_mut(|bed| check(&last_seen_backfill::SCENARIO, bed, rung, &workload, policy, Seed(seed)))?;
    }

    #[test]
    fn session_ingest_keeps_what_it_does_not_own_up_to(
        (rung, workload) in drawn(&session_ingest::SCENARIO),
        policy in policy(),
        seed in any::<u64>(),
    ) {
        MODEL.with_borrow_mut(|bed| check(&session_ingest::SCENARIO, bed, rung, &workload, policy, Seed(seed)))?;
    }

    #[test]
    fn reserve_cap_keeps_what_it_does_not_own_up_to(
        (rung, workload) in drawn(&reserve_cap::SCENARIO),
        policy in policy(),
        seed in any::<u64>(),
    ) {
        MODEL.with_borrow_mut(|bed| check(&reserve_cap::SCENARIO, bed, rung, &workload, policy, Seed(seed)))?;
    }

    #[test]
    fn memory_upgrade_keeps_what_it_does_not_own_up_to(
        (rung, workload) in drawn(&memory_upgrade::SCENARIO),
        policy in policy(),
        seed in any::<u64>(),
    ) {
        NONE.with_borrow_mut(|bed| check(&memory_upgrade::SCENARIO, bed, rung, &workload, policy, Seed(seed)))?;
    }

    #[test]
    fn runs_backfill_keeps_what_it_does_not_own_up_to(
        (rung, workload) in drawn(&runs_backfill::SCENARIO),
        policy in policy(),
        seed in any::<u64>(),
    ) {
        MODEL.with_borrow_mut(|bed| check(&runs_backfill::SCENARIO, bed, rung, &workload, policy, Seed(seed)))?;
    }
}
