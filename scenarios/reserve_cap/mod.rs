//! `reserve_cap`: a gateway whose workers each reserve a pool connection for an advisory lock, and a cap on the number
//! of reserved connections. See README.md for the story.

use std::time::Duration;

use retrial_sim::engine::Cost;
use retrial_sim::rules::RuleOff;
use retrial_sim::scenario::Scenario;
use retrial_sim::trial::Limits;

pub use self::environments::{Conditions, Runs};
pub use self::gateway::{ConversationLock, Gateway, Handling, Lease, Refusal, Release};
pub use self::workload::Workload;

pub mod strategies;

mod cast;
mod environments;
mod gateway;
mod history;
mod inbox;
mod invariants;
mod known_failures;
mod messages;
mod worker;
mod workload;

/// The scenario.
pub static SCENARIO: Scenario<Workload, dyn ConversationLock, Conditions> = Scenario {
    story: include_str!("README.md"),
    invariants: invariants::INVARIANTS,
    rules_off: &[RuleOff {
        rule: "it_ends",
        because: "`refused_runs_run_in_the_end` reports every trial that does not end, and how far it got",
    }],
    tables: &["agent_transcript_snapshot"],
    cost: COST,
    trials: 960,
    known_failures: |strategy| strategy.known_failures(),
    smallest: Some(workload::smallest),
    check: Workload::check,
    initial_state: |strategy, _| Workload::initial_state(strategy.migration()),
    limits,
    ..Scenario::new(
        "reserve_cap",
        environments::ENVIRONMENTS,
        strategies::STRATEGIES,
        workload::strategy,
        cast::enter,
    )
};

/// A statement costs one round trip, whatever it does, so that times are the same on a live server.
const COST: Cost = Cost {
    per_statement: Duration::from_millis(2),
    per_step: Duration::ZERO,
    per_row: Duration::ZERO,
    per_commit: Duration::ZERO,
    delay_unit: Duration::from_micros(2),
};

/// A run takes about sixteen steps. A refused run is retried every few seconds until a worker ends, at four steps per
/// try.
fn limits(workload: &Workload) -> Limits {
    let runs = workload.runs.len() as u32;
    let work = 40 * runs + 5 * (workload.queries + workload.probes) * workload.pods as u32;
    Limits {
        safety_steps: 150 + 2 * work,
        fair_steps: 300 + 60 * runs + 40 * runs * runs,
        progress: &["agent_transcript_snapshot"],
    }
}
