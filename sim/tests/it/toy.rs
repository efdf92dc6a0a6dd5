//! Worlds small enough to reason about, and the way to hold a trial in them.

use std::time::Duration;

use retrial_sim::engine::Cost;
use retrial_sim::error::Error;
use retrial_sim::fault::{Fault, Offer, Rung};
use retrial_sim::scheduler::Scheduler;
use retrial_sim::seed::Seed;
use retrial_sim::trial::{Limits, Run, Setup, TestBed};
use retrial_sim::world::World;

pub(crate) const CALM: Rung = Rung { name: "calm", about: "nothing fails", offers: &[], budget: 0 };

/// Nearly anything may happen to two of [`three_walkers`].
pub(crate) const STORMY: Rung = Rung {
    name: "stormy",
    about: "ada may die anywhere, bob may be asked to stop",
    offers: &[
        Offer { fault: Fault::CrashBefore, actors: &["ada"], labels: &[] },
        Offer { fault: Fault::Shutdown, actors: &["bob"], labels: &["rest"] },
    ],
    budget: 3,
};

pub(crate) const LIMITS: Limits = Limits { safety_steps: 400, fair_steps: 400, progress: &[] };

pub(crate) const COST: Cost = Cost { delay_unit: Duration::from_micros(10), ..Cost::FREE };

/// Holds one trial of that world.
pub(crate) fn hold(
    scheduler: &mut dyn Scheduler,
    seed: u64,
    rung: &Rung,
    stage: impl FnOnce(&World),
) -> Result<Run, Error> {
    let setup = Setup { rung, cost: COST, limits: LIMITS, opening: None, tables: &[] };
    TestBed::without_engine().hold(scheduler, Seed(seed), Seed(seed), &setup, stage)
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
