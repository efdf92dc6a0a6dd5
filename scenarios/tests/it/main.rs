//! Property tests: over generated workloads and seeds, a strategy keeps every invariant that its file does not own up
//! to breaking. A failure is kept twice: as a proptest regression, which draws the same values again, and as a case
//! under `regressions/`, which anyone can replay.

mod readers;

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use retrial_engines::sqlite::{Journal, Sqlite};
use retrial_scenarios::last_seen_backfill::LastSeenBackfill;
use retrial_sim::explore;
use retrial_sim::invariant::Finding;
use retrial_sim::scenario::Scenario;
use retrial_sim::scheduler::Policy;
use retrial_sim::seed::Seed;
use retrial_sim::trial::TestBed;

thread_local! {
    static BED: RefCell<TestBed> = RefCell::new({
        let engine = Sqlite::new(Journal::Wal).expect("a database can be made");
        TestBed::new(Box::new(engine))
    });
}

/// Holds one trial of every strategy, the workload and the seed being the same for all.
fn check<S: Scenario>(
    scenario: &S,
    rung: usize,
    workload: &str,
    policy: Policy,
    seed: Seed,
) -> Result<(), TestCaseError> {
    for (index, strategy) in scenario.strategies().iter().enumerate() {
        let workload = serde_json::from_str(workload).expect("a workload is JSON");
        let rung = &scenario.ladder()[rung];
        let found =
            BED.with_borrow_mut(|bed| explore::one(scenario, bed, index, rung, workload, policy, seed));
        for (finding, case) in found.map_err(|refusal| TestCaseError::fail(refusal.to_string()))? {
            let place = |name: &str| scenario.ladder().iter().position(|rung| rung.name == name);
            let mut owned = strategy.breaks.iter().filter(|broken| broken.invariant == case.invariant);
            let owned = owned.any(|broken| place(broken.from) <= place(rung.name));
            let Finding::Violated(breach) = finding else { continue };
            if !owned {
                let file = format!("{}.{}.{}.found.case", case.scenario, case.strategy, case.invariant);
                let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "regressions", &file].iter().collect();
                fs::write(&path, format!("# {}\n{case}", breach.sentence)).expect("a regression can be kept");
                let why = format!("{}: {}; kept as regressions/{file}", case.invariant, breach.sentence);
                return Err(TestCaseError::fail(why));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn last_seen_backfill_keeps_what_it_does_not_own_up_to(
        (rung, workload) in (0..LastSeenBackfill.ladder().len()).prop_flat_map(|rung| {
            let workloads = LastSeenBackfill.workloads(&LastSeenBackfill.ladder()[rung]);
            (Just(rung), workloads.prop_map(|workload| serde_json::to_string(&workload).expect("it is JSON")))
        }),
        policy in prop::sample::select(Policy::PORTFOLIO.to_vec()),
        seed in any::<u64>(),
    ) {
        check(&LastSeenBackfill, rung, &workload, policy, Seed(seed))?;
    }
}
