//! Two strategies meet the same faults from the same seed, as far as their points allow: extra steps of one do not
//! shift what happens at the points that both have.

use retrial_sim::choice::Pace;
use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::parts::queue::Settings;
use retrial_sim::scheduler::{Pct, Pos, Random, Scheduler};
use retrial_sim::trace::{EventKind, Field, Record};
use retrial_sim::trial::Run;
use retrial_sim::world::World;
use std::time::Duration;

const ROUGH: Environment = Environment {
    name: "rough",
    about: "a request is lost, or its answer",
    fault_rules: &[
        FaultRule { fault: Fault::RequestLost, actors: &["ada"], labels: &[] },
        FaultRule { fault: Fault::ReplyLost, actors: &["ada"], labels: &[] },
    ],
    budget: 8,
};

struct Letter;

impl Record for Letter {
    fn record(&self) -> Vec<Field> {
        Vec::new()
    }
}

/// Ada sends letters. A strategy may think between them, in steps that cannot fail.
fn stage(world: &World, thinks: bool) {
    let minute = Duration::from_secs(60);
    let settings =
        Settings { name: "queue", batch: 1, visibility_timeout: minute, attempts: 1, concurrency: 1 };
    let queue = world.queue::<Letter>(settings);
    world.actor("ada", move |actor| {
        let queue = queue.clone();
        async move {
            for _ in 0..8 {
                if thinks {
                    actor.step("think").await;
                    actor.pick(3).await;
                }
                let _ = queue.send(&actor, Letter).await;
            }
        }
    });
}

/// The fault that was injected at each letter, if any.
fn injected(run: &Run) -> Vec<Option<Fault>> {
    let mut injected = Vec::new();
    let mut last = None;
    for event in &run.trace.events {
        match &event.kind {
            EventKind::Injected(fault) => last = Some(*fault),
            EventKind::Requested(_) => injected.push(last.take()),
            _ => {}
        }
    }
    injected
}

fn check(make: fn() -> Box<dyn Scheduler>) {
    let mut faults = 0;
    for seed in 0..200 {
        let held = |thinks| {
            retrial_soundness::run_trial(&mut *make(), seed, &ROUGH, |world| stage(world, thinks))
                .expect("it runs")
        };
        let (plain, thoughtful) = (injected(&held(false)), injected(&held(true)));
        assert_eq!(plain.len(), 8);
        faults += plain.iter().flatten().count();
        assert_eq!(plain, thoughtful, "seed {seed}");
    }
    assert!(faults > 200, "only {faults} faults injected");
}

#[test]
fn the_same_faults_are_injected_at_the_points_that_both_have() {
    check(|| Box::new(Random::new(Pace::Free)));
    check(|| Box::new(Random::new(Pace::Timed)));
    check(|| Box::new(Pct::new(3)));
    check(|| Box::new(Pos::new()));
}
