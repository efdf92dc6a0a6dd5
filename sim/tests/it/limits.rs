//! A misbehaving actor is a result, not the end of the run: one that never reaches a point, one that never finishes,
//! one that panics, one that waits for ever.

use retrial_sim::choice::Pace;
use retrial_sim::scheduler::Random;
use retrial_sim::trial::{Ending, Run};
use retrial_sim::world::World;

use crate::toy;

fn ending(stage: impl FnOnce(&World)) -> Ending {
    run(stage).ending
}

fn run(stage: impl FnOnce(&World)) -> Run {
    retrial_soundness::run_trial(&mut Random::new(Pace::Free), 1, &toy::CALM, stage)
        .expect("nothing is refused")
}

#[test]
fn an_actor_that_never_reaches_a_point_is_stopped_and_told_what_to_do() {
    let ending = ending(|world| {
        world.actor("spinner", |actor| async move { while actor.now().as_secs() < 1 {} });
    });
    let Ending::Panicked { message, .. } = ending else { panic!("it ended as {ending:?}") };
    assert!(message.contains("calls without reaching a point"), "{message}");
}

#[test]
fn an_actor_that_only_wakes_itself_is_stopped_by_the_step_budget() {
    let ending = ending(|world| {
        world.actor("yielder", |_| async {
            loop {
                madsim::task::yield_now().await;
            }
        });
    });
    assert_eq!(ending, Ending::NoRest { fair_steps: retrial_soundness::LIMITS.fair_steps, cycle: None });
}

#[test]
fn an_endless_round_is_reported_as_the_circle_it_is() {
    let ending = ending(|world| {
        world.actor("hamster", |actor| async move {
            loop {
                actor.step("left").await;
                actor.step("right").await;
            }
        });
    });
    let Ending::NoRest { cycle: Some(cycle), .. } = ending else { panic!("it ended as {ending:?}") };
    let mut round: Vec<_> = cycle.round.iter().map(|(_, what)| what.as_str()).collect();
    round.sort_unstable();
    assert_eq!(round, ["left", "right"]);
}

#[test]
fn a_panic_is_an_ending_with_its_message_and_place() {
    let run = run(|world| {
        world.actor("clumsy", |actor| async move {
            actor.step("one").await;
            panic!("dropped a plate");
        });
    });
    let Ending::Panicked { message, .. } = &run.ending else { panic!("it ended as {:?}", run.ending) };
    assert!(message.starts_with("dropped a plate (at sim/tests/it/limits.rs:"), "{message}");
    assert!(run.trace.to_string().contains("panicked: dropped a plate"));
}

#[test]
fn two_points_at_once_are_refused() {
    let ending = ending(|world| {
        world.actor("janus", |actor| async move {
            let (mut one, mut other) = (Box::pin(actor.step("one")), Box::pin(actor.step("other")));
            std::future::poll_fn(|context| {
                let _ = one.as_mut().poll(context);
                other.as_mut().poll(context)
            })
            .await;
        });
    });
    let Ending::Panicked { message, .. } = ending else { panic!("it ended as {ending:?}") };
    assert!(message.contains("two points at once"), "{message}");
}
