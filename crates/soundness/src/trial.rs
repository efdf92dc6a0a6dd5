//! One trial of a world without an engine.

use std::time::Duration;

use retrial_sim::engine::Cost;
use retrial_sim::error::Error;
use retrial_sim::fault::Environment;
use retrial_sim::scheduler::Scheduler;
use retrial_sim::seed::Seed;
use retrial_sim::trial::{Limits, Run, Setup, TrialHost};
use retrial_sim::world::World;

/// Steps enough for any world of a test.
pub const LIMITS: Limits = Limits { safety_steps: 400, fair_steps: 400, progress: &[] };

/// Nothing takes time but what timed trials draw.
pub const COST: Cost = Cost { delay_unit: Duration::from_micros(10), ..Cost::FREE };

/// Runs one trial of that world.
///
/// # Errors
/// As [`TrialHost::run`].
pub fn run_trial(
    scheduler: &mut dyn Scheduler,
    seed: u64,
    environment: &Environment,
    stage: impl FnOnce(&World),
) -> Result<Run, Error> {
    let setup = Setup { environment, cost: COST, limits: LIMITS, initial_state: None, tables: &[] };
    TrialHost::without_engine().run(scheduler, Seed(seed), Seed(seed), &setup, stage)
}
