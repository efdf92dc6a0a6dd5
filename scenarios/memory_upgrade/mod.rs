//! `memory_upgrade`: a tool that has a model enrich old memories while a plugin keeps writing to them. The store can
//! update a row only by deleting it and adding it again, under a file lock. See README.md for the background.

use std::time::Duration;

use retrial_sim::engine::Cost;
use retrial_sim::scenario::Scenario;
use retrial_sim::trial::Limits;

pub use self::environments::Conditions;
pub use self::upgrader::{BatchResult, Legacy, Upgrade, Upgrader};
pub use self::workload::{Content, Does, Entry, Errand, Workload};

pub mod document_store;
pub mod strategies;

mod bulk;
mod cast;
mod environments;
mod history;
mod invariants;
mod known_failures;
mod plugin;
mod smart_metadata;
mod upgrader;
mod workload;

/// The scenario.
pub static SCENARIO: Scenario<Workload, dyn Upgrade, Conditions> = Scenario {
    story: include_str!("README.md"),
    engines: &["none"],
    invariants: invariants::INVARIANTS,
    cost: COST,
    trials: 960,
    known_failures: |strategy| strategy.known_failures(),
    smallest: Some(workload::smallest),
    check: Workload::check,
    limits,
    ..Scenario::new(
        "memory_upgrade",
        environments::ENVIRONMENTS,
        strategies::STRATEGIES,
        workload::strategy,
        cast::enter,
    )
};

/// The cost of a disk access, by the lock or the store. Measured with the Node package 0.26.2 on a table of 5,000 rows
/// with 1,024 dimensions: a read, a delete and an add take 13 ms for one row, 15 for 10, 41 for 100, 650 for 1,000.
const COST: Cost = Cost {
    per_statement: Duration::from_millis(4),
    per_step: Duration::ZERO,
    per_row: Duration::from_micros(200),
    per_commit: Duration::ZERO,
    delay_unit: Duration::from_micros(10),
};

/// Step limits. An entry takes about seven steps if each has its own lock; a lock that cannot be acquired takes
/// twenty-two.
fn limits(workload: &Workload) -> Limits {
    let entries = workload.entries.len() as u32;
    let errands = (workload.plugin.len() + workload.second.len()) as u32;
    let work = 40 * entries * u32::from(workload.runs) + 40 * errands;
    Limits { safety_steps: 200 + 2 * work, fair_steps: 400 + 3 * work, progress: &["memories"] }
}
