//! The cost of exploring `reserve_cap`: `derived_cap` in environment `busy`, a pool of four and five conversations, on
//! the model. The project's target: 30,000 trials a second on one core.
//!
//! Trials in which something went wrong are not counted; see [`rate`].
//!
//! `cargo bench -p retrial-benches --bench reserve_cap`; with `-- --test` each is run once.

#![expect(clippy::print_stdout, reason = "prints how long a trial is")]

mod rate;

use proptest::strategy::{Just, Strategy as _};
use retrial_scenarios::reserve_cap::{Conditions, ConversationLock, SCENARIO, Workload};
use retrial_sim::scenario::Scenario;

use self::rate::Place;

/// The same allocator as the command-line program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    Place { own: SCENARIO, fixed: fixed(), strategy: "derived_cap", environment: "busy" }.measure();
}

/// Five conversations with a run each: one more than the pool has connections, and two more than the cap. In addition,
/// one ordinary query and one health check.
fn workload() -> Workload {
    Workload {
        runs: vec![1, 2, 3, 4, 5],
        pods: 1,
        pool: 4,
        runners: 5,
        work_s: 20,
        queries: 1,
        probes: 1,
        environment: None,
    }
}

/// The scenario with this single workload.
fn fixed() -> Scenario<Workload, dyn ConversationLock, Conditions> {
    Scenario { workloads: |_| Just(workload()).boxed(), smallest: Some(|_| workload()), ..SCENARIO }
}
