//! `runs_backfill`: a migration copies two keys of a JSON document into columns, on a table that gateways insert into
//! and workers update. See README.md for the story.

use std::time::Duration;

use retrial_sim::engine::Cost;
use retrial_sim::rules::RuleOff;
use retrial_sim::scenario::Scenario;
use retrial_sim::trial::Limits;

pub use self::environments::Conditions;
pub use self::gateway::Gateway;
pub use self::payload::{Named, Payload};
pub use self::runner::{File, Migration};
pub use self::workload::{Ask, Read, Touch, Workload};

pub mod gateway;
pub mod strategies;

mod cast;
mod environments;
mod history;
mod invariants;
mod known_failures;
mod payload;
mod runner;
mod workload;

/// The scenario.
pub static SCENARIO: Scenario<Workload, dyn Migration, Conditions> = Scenario {
    story: include_str!("README.md"),
    invariants: invariants::INVARIANTS,
    rules_off: &[RuleOff {
        rule: "it_ends",
        because: "`terminates` reports every trial that does not end, and how far it got",
    }],
    tables: &["runs", "schema_migrations"],
    cost: COST,
    watched: &["verify"],
    trials: 400,
    known_failures: |strategy| strategy.known_failures(),
    smallest: Some(workload::smallest),
    check: Workload::check,
    initial_state: |strategy, workload| workload.initial_state(strategy.before()),
    limits,
    ..Scenario::new(
        "runs_backfill",
        environments::ENVIRONMENTS,
        strategies::STRATEGIES,
        workload::strategy,
        cast::enter,
    )
};

/// A row that is written or returned stands for many rows in production. A row that is only visited costs nothing here,
/// because a live server does not report visits; `work_is_linear` counts them.
const COST: Cost = Cost {
    per_statement: Duration::from_millis(1),
    per_step: Duration::ZERO,
    per_row: Duration::from_millis(80),
    per_commit: Duration::from_millis(2),
    delay_unit: Duration::from_micros(10),
};

/// A chunk takes at most six steps, every other actor two or three per operation, and a pod that is not ready probes
/// repeatedly. While a read stays open, the migration may be attempted, and the pods may probe, three times.
fn limits(workload: &Workload) -> Limits {
    let chunks = 2 + workload.runs() as u32 / workload.chunk as u32;
    let touches: usize = workload.workers.iter().map(Vec::len).sum();
    let others = 6 * (touches + 2 * workload.asks.len()) as u32 + 6 * workload.runs() as u32;
    let reads = 24 * workload.reads();
    Limits {
        safety_steps: 60 + 8 * chunks + others + reads,
        fair_steps: 150 + 16 * chunks + 2 * others + reads,
        progress: &["runs", "schema_migrations"],
    }
}
