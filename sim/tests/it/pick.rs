//! Picked values: each is on the tape if it is not the default, wherever and however often an actor picks.

use retrial_sim::actor::Actor;
use retrial_sim::choice::Pace;
use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::scheduler::{Random, Replay, Scheduler};
use retrial_sim::trial::{Ending, Run};
use retrial_sim::world::World;

use crate::toy;

const MORTAL: Environment = Environment {
    name: "mortal",
    about: "ada may die",
    fault_rules: &[FaultRule { fault: Fault::CrashBefore, actors: &["ada"], labels: &[] }],
    budget: 2,
};

async fn pick_and_tell(actor: &Actor) {
    let index = actor.pick(3).await;
    actor.note("picked", index as i64, 0);
}

/// Two actors that pick before their first point, and more than once in a step.
fn pickers(world: &World) {
    for name in ["ada", "bob"] {
        world.actor(name, |actor| async move {
            pick_and_tell(&actor).await;
            pick_and_tell(&actor).await;
            for _ in 0..2 {
                actor.step("choose").await;
                pick_and_tell(&actor).await;
                pick_and_tell(&actor).await;
                pick_and_tell(&actor).await;
            }
        });
    }
}

#[test]
fn every_picked_value_is_taken_again_from_the_tape() {
    for seed in 0..300 {
        let run_trial =
            |scheduler: &mut dyn Scheduler| retrial_soundness::run_trial(scheduler, seed, &MORTAL, pickers);
        let run = run_trial(&mut Random::new(Pace::Free)).expect("nothing is refused");
        assert_eq!(run.ending, Ending::Quiescent, "seed {seed}");
        let again = run_trial(&mut Replay::new(run.tape.recorded()));
        let again = again.unwrap_or_else(|error| panic!("seed {seed}: {error}\n{}", run.trace));
        assert_eq!(run.digest, again.digest, "seed {seed}");
    }
}

#[test]
fn whoever_picks_before_its_first_point_does_not_let_others_go_on() {
    let count = |run: &Run, said: &str| run.trace.to_string().matches(said).count();
    for seed in 0..20 {
        let run = retrial_soundness::run_trial(&mut Random::new(Pace::Free), seed, &toy::CALM, pickers);
        let run = run.expect("nothing is refused");
        assert_eq!((run.steps, count(&run, "choose"), count(&run, "picked")), (4, 4, 16), "{}", run.trace);
    }
}

#[test]
fn an_actor_that_only_picks_is_stopped() {
    let run = retrial_soundness::run_trial(&mut Random::new(Pace::Free), 1, &toy::CALM, |world| {
        world.actor("waverer", |actor| async move {
            actor.step("begin").await;
            loop {
                actor.pick(2).await;
            }
        });
    });
    let ending = run.expect("nothing is refused").ending;
    let Ending::Panicked { message, .. } = ending else { panic!("it ended as {ending:?}") };
    assert!(message.contains("calls without reaching a point"), "{message}");
}
