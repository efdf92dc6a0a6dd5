//! Worlds small enough to reason about, and a function that runs a trial in them.

use std::time::Duration;

use retrial_sim::engine::Cost;
use retrial_sim::error::Error;
use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::scheduler::Scheduler;
use retrial_sim::seed::Seed;
use retrial_sim::trial::{Limits, Run, Setup, TrialHost};
use retrial_sim::world::World;

pub(crate) const CALM: Environment =
    Environment { name: "calm", about: "nothing fails", fault_rules: &[], budget: 0 };

/// Nearly anything may happen to two of [`three_walkers`].
pub(crate) const STORMY: Environment = Environment {
    name: "stormy",
    about: "ada may die anywhere, bob may be asked to stop",
    fault_rules: &[
        FaultRule { fault: Fault::CrashBefore, actors: &["ada"], labels: &[] },
        FaultRule { fault: Fault::Shutdown, actors: &["bob"], labels: &["rest"] },
    ],
    budget: 3,
};

pub(crate) const LIMITS: Limits = Limits { safety_steps: 400, fair_steps: 400, progress: &[] };

pub(crate) const COST: Cost = Cost { delay_unit: Duration::from_micros(10), ..Cost::FREE };

/// Runs one trial of that world.
pub(crate) fn run_trial(
    scheduler: &mut dyn Scheduler,
    seed: u64,
    environment: &Environment,
    stage: impl FnOnce(&World),
) -> Result<Run, Error> {
    let setup = Setup { environment, cost: COST, limits: LIMITS, initial_state: None, tables: &[] };
    TrialHost::without_engine().run(scheduler, Seed(seed), Seed(seed), &setup, stage)
}

/// Three actors that step and sleep, so that the order of their steps is the schedule.
pub(crate) fn three_walkers(world: &World) {
    for name in ["ada", "bob", "cyd"] {
        world.actor(name, |actor| async move {
            for _ in 0..4 {
                actor.step("walk").await;
                actor.sleep("rest", Duration::from_millis(3)).await;
            }
        });
    }
}
