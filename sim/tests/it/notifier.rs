//! An actor that waits at a notifier also polls by itself at its own interval, and once more after all others are idle;
//! then the trial may end.

use std::time::Duration;

use retrial_sim::choice::Pace;
use retrial_sim::trace::{Event, EventKind};
use retrial_sim::trial::Ending;
use retrial_sim::world::World;

use crate::toy;

/// One actor works until `until`; the others poll at these intervals. All times are in seconds.
fn lookers(world: &World, until: u64, intervals: &[(&'static str, u64)]) {
    for (name, interval) in intervals.iter().copied() {
        let bell = world.notifier();
        world.actor(name, move |actor| {
            let bell = bell.clone();
            async move {
                loop {
                    bell.wait(&actor, Duration::from_secs(interval)).await;
                    actor.note("looked", 0, 0);
                }
            }
        });
    }
    world.actor("worker", move |actor| async move {
        actor.sleep("work", Duration::from_secs(until)).await;
        actor.step("done").await;
    });
}

/// Which actor polled when, in seconds.
fn looks(until: u64, intervals: &'static [(&'static str, u64)]) -> Vec<(&'static str, u64)> {
    let run =
        retrial_soundness::directed(Pace::Timed, &toy::CALM, &[], |world| lookers(world, until, intervals));
    assert_eq!(run.ending, Ending::Quiescent, "{}", run.trace);
    let look = |event: &Event| {
        matches!(event.kind, EventKind::Annotated("looked", ..))
            .then(|| (run.trace.name(event.actor), event.at.as_secs()))
    };
    run.trace.events.iter().filter_map(look).collect()
}

#[test]
fn every_poller_looks_once_more_when_the_others_are_idle() {
    for (until, intervals, expected) in [
        (1, &[("often", 60)][..], &[("often", 60)][..]),
        (90, &[("often", 60)], &[("often", 60), ("often", 120)]),
        (1, &[("often", 60), ("seldom", 300)], &[("often", 60), ("seldom", 300)]),
        (1, &[("seldom", 300), ("often", 60)], &[("often", 60), ("seldom", 300)]),
        (90, &[("often", 60), ("seldom", 300)], &[("often", 60), ("often", 120), ("seldom", 300)]),
    ] {
        assert_eq!(looks(until, intervals), expected, "{until} s, {intervals:?}");
    }
}
