//! `session_ingest`: a queue consumer asks a session's durable object what changed, writes it to a Postgres row that
//! other writers also update, and notifies listeners of a new status. See README.md for the background.

use std::time::Duration;

use retrial_sim::engine::Cost;
use retrial_sim::scenario::Scenario;
use retrial_sim::trial::Limits;

pub use self::consumer::{Errors, Failure, Outbox, Persistence, Session};
pub use self::environments::Conditions;
pub use self::object::{Emission, Emits, Fields, Versioned};
pub use self::workload::{Edit, Edited, Message, Parent, Status, Workload};

pub mod strategies;

mod alarm;
mod cast;
mod consumer;
mod environments;
mod history;
mod invariants;
mod known_failures;
mod object;
mod operations;
mod relay;
mod workload;

/// The scenario.
pub static SCENARIO: Scenario<Workload, dyn Persistence, Conditions> = Scenario {
    story: include_str!("README.md"),
    invariants: invariants::INVARIANTS,
    tables: &["cli_sessions_v2"],
    cost: COST,
    trials: 1_200,
    known_failures: |strategy| strategy.known_failures(),
    smallest: Some(workload::smallest),
    check: Workload::check,
    initial_state: |strategy, _| Workload::initial_state(strategy.migration()),
    limits,
    ..Scenario::new(
        "session_ingest",
        environments::ENVIRONMENTS,
        strategies::STRATEGIES,
        workload::strategy,
        cast::enter,
    )
};

/// Costs of a worker far from its database: every statement takes one round trip of 2 ms, whatever it does. So the
/// times are the same on a live server, which does not report how much work a statement took.
const COST: Cost = Cost {
    per_statement: Duration::from_millis(2),
    per_step: Duration::ZERO,
    per_row: Duration::ZERO,
    per_commit: Duration::ZERO,
    delay_unit: Duration::from_micros(2),
};

/// Step limits. A message takes about 25 steps, and is delivered a few more times when something fails.
fn limits(workload: &Workload) -> Limits {
    let work = 60 * workload.messages() + 20 * workload.edits.len() as u32;
    Limits { safety_steps: 200 + 2 * work, fair_steps: 600 + 4 * work, progress: &["cli_sessions_v2"] }
}
