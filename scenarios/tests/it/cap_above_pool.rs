//! `reserve_cap` with a cap set above the pool's size. Generated workloads do not have that: it would be the same known
//! failure of nearly every strategy.

use retrial_engines::model::Model;
use retrial_scenarios::reserve_cap::{SCENARIO, Workload};
use retrial_sim::explore;
use retrial_sim::invariant::Finding;
use retrial_sim::scheduler::Policy;
use retrial_sim::seed::Seed;
use retrial_sim::trial::TrialHost;

/// By invariant, in how many of the trials in `busy` it is violated.
fn broken(strategy: &str, trials: u64) -> Vec<(String, usize)> {
    let mut host = TrialHost::new(Box::new(Model::new()));
    let strategy = SCENARIO.strategies.iter().position(|item| item.name == strategy).expect("it is there");
    let environment = SCENARIO.environment("busy").expect("it is there");
    let mut broken: Vec<(String, usize)> = Vec::new();
    for seed in 0..trials {
        let workload = Workload {
            runs: vec![1, 2, 3],
            pods: 1,
            pool: 2,
            runners: 3,
            queries: 1,
            probes: 1,
            work_s: 20,
            environment: Some("50".to_owned()),
        };
        let policy = Policy::PORTFOLIO[seed as usize % Policy::PORTFOLIO.len()];
        let found = explore::one(&SCENARIO, &mut host, strategy, environment, workload, policy, Seed(seed));
        for (finding, case) in found.expect("nothing is refused") {
            if matches!(finding, Finding::Violated(_)) {
                match broken.iter_mut().find(|(name, _)| *name == case.invariant) {
                    Some((_, times)) => *times += 1,
                    None => broken.push((case.invariant.clone(), 1)),
                }
            }
        }
    }
    broken.sort();
    broken
}

#[test]
fn a_cap_set_above_the_pool_is_no_cap_unless_it_is_cut_to_the_pool() {
    let names = |strategy| broken(strategy, 100).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    let blocked = ["headroom_is_kept", "health_tells_the_truth", "rejects_rather_than_blocks"];
    assert_eq!(names("derived_cap"), blocked);
    assert_eq!(names("decrement_in_finally"), blocked);
    // The cap is within the pool again, so one of three runs is refused and abandoned.
    assert_eq!(names("fenced_snapshot"), ["refused_runs_run_in_the_end"]);
    assert_eq!(names("fenced_and_deferred"), [""; 0]);
}
