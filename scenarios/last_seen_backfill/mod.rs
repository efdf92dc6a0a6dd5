//! `last_seen_backfill`: a migration fills a column of a table in use, on the only writer connection, which the ingest
//! path needs too. See README.md for the story.

use std::time::Duration;

use retrial_sim::engine::Cost;
use retrial_sim::rules::RuleOff;
use retrial_sim::scenario::Scenario;
use retrial_sim::trial::Limits;

pub use self::environments::Conditions;
pub use self::migration::{Backfill, Failure, Migration};
pub use self::workload::{Arrival, Transmission, Workload};

pub mod strategies;

mod cast;
mod effort;
mod environments;
mod gate;
mod history;
mod invariants;
mod known_failures;
mod migration;
mod progress;
mod workload;

/// The scenario.
pub static SCENARIO: Scenario<Workload, dyn Backfill, Conditions> = Scenario {
    story: include_str!("README.md"),
    engines: &["sqlite"],
    invariants: invariants::INVARIANTS,
    rules_off: &[RuleOff {
        rule: "it_ends",
        because: "`terminates` reports every trial that does not end, and how far it got",
    }],
    tables: &["transmissions", "observations", "_async_migrations"],
    cost: COST,
    watched: &["batch"],
    trials: 480,
    known_failures: |strategy| strategy.known_failures(),
    smallest: Some(workload::smallest),
    check: Workload::check,
    initial_state: |_, workload| workload.initial_state(),
    limits,
    ..Scenario::new(
        "last_seen_backfill",
        environments::ENVIRONMENTS,
        strategies::STRATEGIES,
        workload::strategy,
        cast::enter,
    )
};

/// A row stands for about 1,500 rows of the operator's database, so a step of SQLite's virtual machine costs about
/// 1,500 times the 150 to 210 ns that it takes on 71,000 rows (`benches/README.md`, headline).
const COST: Cost = Cost {
    per_statement: Duration::ZERO,
    per_step: Duration::from_micros(300),
    per_row: Duration::ZERO,
    per_commit: Duration::from_millis(5),
    delay_unit: Duration::from_micros(10),
};

/// A working strategy needs at most ten steps per batch. The fair phase has room for starting over after a restart.
fn limits(workload: &Workload) -> Limits {
    let batches = workload.batches() as u32 + 3;
    let others = 12 * workload.arrivals.len() as u32 + 8 * workload.polls + 8;
    Limits {
        safety_steps: 12 * batches + others,
        fair_steps: 40 * batches + 4 * others + 400,
        progress: &["transmissions", "observations"],
    }
}
