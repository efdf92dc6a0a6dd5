//! Time, faults and restarts as an actor observes them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use retrial_sim::choice::Pace;
use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::scheduler::{Pct, Random};
use retrial_sim::trace::EventKind;
use retrial_sim::trial::{Ending, Run};
use retrial_sim::world::World;

use crate::toy;

fn timed(stage: impl FnOnce(&World)) -> Run {
    retrial_soundness::run_trial(&mut Random::new(Pace::Timed), 3, &toy::CALM, stage)
        .expect("nothing is refused")
}

fn free(seed: u64, environment: &Environment, stage: impl FnOnce(&World)) -> Run {
    retrial_soundness::run_trial(&mut Random::new(Pace::Free), seed, environment, stage)
        .expect("nothing is refused")
}

/// Two actors that record the order in which they woke.
fn sleepers(order: &Rc<RefCell<Vec<&'static str>>>, world: &World) {
    for (name, millis) in [("late", 900), ("early", 100)] {
        let order = order.clone();
        world.actor(name, move |actor| {
            let order = order.clone();
            async move {
                actor.sleep("nap", Duration::from_millis(millis)).await;
                assert!(actor.now() >= Duration::from_millis(millis), "a timer is a lower bound");
                order.borrow_mut().push(name);
            }
        });
    }
}

#[test]
fn a_timed_trial_follows_the_clock() {
    let order = Rc::default();
    timed(|world| sleepers(&order, world));
    assert_eq!(*order.borrow(), ["early", "late"]);
}

#[test]
fn elsewhere_an_actor_may_be_delayed_past_anothers_deadline() {
    let late_first = (0..20).filter(|seed| {
        let order = Rc::default();
        free(*seed, &toy::CALM, |world| sleepers(&order, world));
        let first = order.borrow()[0];
        first == "late"
    });
    assert!(late_first.count() > 3);
}

#[test]
fn a_foreign_future_wakes_its_actor() {
    let run = timed(|world| {
        world.actor("waiter", |actor| async move {
            madsim::time::sleep(Duration::from_secs(2)).await;
            assert!(actor.now() >= Duration::from_secs(2), "the kernel's clock follows madsim's");
            actor.step("after").await;
        });
        world.actor("worker", |actor| async move { actor.sleep("nap", Duration::from_secs(5)).await });
    });
    assert_eq!(run.ending, Ending::Quiescent);
}

#[test]
fn a_future_that_nobody_wakes_is_stuck() {
    let run = timed(|world| world.actor("waiter", |_| std::future::pending()));
    assert!(matches!(run.ending, Ending::Stuck { waiting } if waiting.len() == 1));
}

const MORTAL: Environment = Environment {
    name: "mortal",
    about: "walkers die",
    fault_rules: &[FaultRule { fault: Fault::CrashBefore, actors: &["walker"], labels: &["two"] }],
    budget: 1,
};

#[test]
fn a_crash_forgets_memory_keeps_what_is_outside_and_starts_again() {
    let outside = Rc::new(Cell::new(0));
    let ones = (0..60).map(|seed| {
        outside.set(0);
        let counted = outside.clone();
        let run = free(seed, &MORTAL, move |world| {
            world.actor("walker", move |actor| {
                let counted = counted.clone();
                async move {
                    let mut inside = 0;
                    actor.step("one").await;
                    inside += 1;
                    counted.set(counted.get() + 1);
                    actor.step("two").await;
                    assert_eq!(inside, 1, "memory does not outlive the process");
                }
            });
        });
        let crashes =
            run.trace.events.iter().filter(|event| matches!(event.kind, EventKind::Crashed)).count();
        assert_eq!((run.ending, crashes + 1), (Ending::Quiescent, outside.get()));
        outside.get()
    });
    let ones: Vec<_> = ones.collect();
    assert!(ones.contains(&1) && ones.contains(&2), "some trials crash and some do not: {ones:?}");
}

const STOPPED: Environment = Environment {
    name: "stopped",
    about: "the server is asked to stop",
    fault_rules: &[FaultRule { fault: Fault::Shutdown, actors: &["server"], labels: &[] }],
    budget: 1,
};

#[test]
fn a_request_to_stop_ends_a_sleep_and_the_process_starts_again() {
    let mut runs = (0..20).map(|seed| {
        free(seed, &STOPPED, |world| {
            world.actor("server", |actor| async move {
                for _ in 0..3 {
                    if actor.sleep_unless_stopped("idle", Duration::from_secs(60)).await {
                        return;
                    }
                }
            });
        })
    });
    let stopped = runs.find(|run| run.injected == [(Fault::Shutdown, "idle")]).expect("some trial injected");
    let said = stopped.trace.to_string();
    assert!(said.contains("exited") && said.contains("start 2"), "{said}");
}

#[test]
fn faults_are_injected_within_the_budget_and_by_pct_too() {
    let mut pct = Pct::new(2);
    let injected: usize = (0..200)
        .map(|seed| {
            let run = retrial_soundness::run_trial(&mut pct, seed, &STOPPED, |world| {
                world.actor("server", |actor| async move { actor.step("work").await });
            });
            let injected = run.expect("nothing is refused").injected.len();
            assert!(injected <= 1);
            injected
        })
        .sum();
    assert!(injected > 100, "{injected} of 200");
}
