//! Worlds small enough to reason about.

use std::time::Duration;

use retrial_sim::fault::{Environment, Fault, FaultRule};
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
