//! How two actors come to hold the lock at the same time although neither was stalled, and what that leads to.

use retrial_sim::choice::Pace;
use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::scheduler::Exhaustive;
use retrial_sim::trace::{Event, EventKind};
use retrial_sim::trial::{Ending, Run};
use retrial_sim::world::World;

use super::stories::{FATES, ONCE, keeps, ms, once, told};
use super::{DONE, NOT_ACQUIRED, code};
use retrial_soundness::directed;

const EXITS: Environment = Environment {
    name: "exits",
    about: "ada dies, and cyd is asked to stop",
    fault_rules: &[
        FaultRule { fault: Fault::CrashBefore, actors: &["ada"], labels: &[] },
        FaultRule { fault: Fault::Shutdown, actors: &["cyd"], labels: &[] },
    ],
    budget: 2,
};

/// The annotations with that key: the actor of each, and its numbers.
fn noted(run: &Run, name: &str) -> Vec<(&'static str, i64, i64)> {
    let note = |event: &Event| match event.kind {
        EventKind::Annotated(key, one, other) if key == name => {
            Some((run.trace.name(event.actor), one, other))
        }
        _ => None,
    };
    run.trace.events.iter().filter_map(note).collect()
}

/// `ada` crashes with the lock; `bob` and `cyd` try it when it is stale, and each works for the given time. With a
/// `friend`, another actor in `cyd`'s process waits for that time, and then acquires and releases the lock.
fn two_see_it_stale(world: &World, work: [u64; 2], friend: Option<u64>) {
    let lock = world.file_lock(ONCE);
    let hers = lock.clone();
    once(world, "ada", move |actor| {
        let lock = hers.clone();
        async move {
            if let Ok(held) = lock.acquire(&actor, "lock").await {
                drop(held);
                actor.step("write").await;
            }
        }
    });
    for (name, work) in ["bob", "cyd"].into_iter().zip(work) {
        let lock = lock.clone();
        world.process(name, move |boot| {
            boot.actor(name, |actor| {
                let lock = lock.clone();
                async move {
                    actor.sleep("rest", ms(10_000)).await;
                    let Ok(held) = lock.acquire(&actor, "lock").await else { return };
                    actor.note("has", held.token(), 0);
                    actor.sleep("work", ms(work)).await;
                    actor.note("told", held.token(), i64::from(held.is_compromised()));
                    actor.note("released", held.token(), code(held.release("unlock").await));
                }
            });
            if let Some(comes) = friend.filter(|_| name == "cyd") {
                boot.actor("dot", |actor| {
                    let lock = lock.clone();
                    async move {
                        actor.sleep("rest", ms(comes)).await;
                        let held = keeps(&lock, &actor).await;
                        actor.note("released", held.token(), code(held.release("unlock").await));
                    }
                });
            }
        });
    }
}

/// `bob` and `cyd` look at the lock of the crashed `ada`, and `cyd` removes and recreates it before `bob` does.
const RACE: [&str; 2] = ["ada/write#1 fault crash-before", "bob/lock#1 next cyd"];

#[test]
fn a_search_finds_two_that_hold_it_because_both_saw_it_stale() {
    let mut search = Exhaustive::new(None);
    let (mut both, mut all) = (0, 0);
    while !search.is_done() {
        let run = retrial_soundness::run_trial(&mut search, 0, &FATES, |world| {
            two_see_it_stale(world, [1_000, 1_000], None)
        });
        let run = run.expect("nothing is refused");
        assert_eq!(run.ending, Ending::Quiescent, "{}", run.trace);
        all += 1;
        // A holder annotates that it has the lock, and later what it was told. So the annotations of two actors that
        // have the lock one after the other do not interleave.
        let notes = |event: &Event| match event.kind {
            EventKind::Annotated(key @ ("has" | "told"), ..) => Some(key),
            _ => None,
        };
        let notes: Vec<_> = run.trace.events.iter().filter_map(notes).collect();
        if notes.starts_with(&["has", "has"]) {
            let stale =
                run.trace.events.iter().filter(|event| run.trace.say(&event.kind).contains("'stale'"));
            assert_eq!((stale.count(), run.injected.len()), (2, 1), "{}", run.trace);
            both += 1;
        }
    }
    assert!(both > 0 && both < all, "{both} of {all} schedules have two holders");
}

#[test]
fn of_two_holders_the_first_to_release_removes_the_others_lock_and_frees_the_way_for_a_third() {
    let run = directed(Pace::Timed, &FATES, &RACE, |world| two_see_it_stale(world, [1_000, 500], None));
    let removed: Vec<_> = told(&run, "bob").into_iter().filter(|line| line.contains("removed")).collect();
    assert_eq!(removed, ["10000 write-lock remove-stale removed=2"]);
    assert_eq!(noted(&run, "has"), [("cyd", 2, 0), ("bob", 3, 0)]);
    assert_eq!(noted(&run, "told"), [("cyd", 2, 0), ("bob", 3, 0)], "no heartbeat has looked yet");
    assert_eq!(noted(&run, "released"), [("cyd", 2, 0), ("bob", 3, 0)]);
    let unlocks: Vec<_> = ["cyd", "bob"].into_iter().flat_map(|name| told(&run, name)).collect();
    assert!(unlocks.contains(&"10500 write-lock unlock token=2 removed=3 compromised=false".to_owned()));
    assert!(unlocks.contains(&"11000 write-lock unlock token=3 compromised=false".to_owned()));
}

#[test]
fn a_holder_is_told_by_its_next_heartbeat_and_not_before() {
    for (work, told, released) in [(1_999, 0, 0), (2_000, 1, 1)] {
        let stage = |world: &World| two_see_it_stale(world, [9_000, work], None);
        let run = directed(Pace::Timed, &FATES, &RACE, stage);
        assert_eq!(noted(&run, "told")[0], ("cyd", 2, told), "{work}: {}", run.trace);
        assert_eq!(noted(&run, "released")[0], ("cyd", 2, released), "{work}: {}", run.trace);
    }
}

#[test]
fn a_process_has_one_entry_for_its_locks() {
    // `bob` takes the lock from `cyd` and releases it. Before her next heartbeat, `dot` in her process acquires and
    // releases it, so the process no longer knows of hers.
    let stage = |world: &World| two_see_it_stale(world, [500, 1_500], Some(11_000));
    let run = directed(Pace::Timed, &FATES, &RACE, stage);
    let released = [("bob", 3, DONE), ("dot", 4, DONE), ("cyd", 2, NOT_ACQUIRED)];
    assert_eq!(noted(&run, "released"), released, "{}", run.trace);
}

const LATE: Environment = Environment {
    name: "late",
    about: "ada and cyd die, and bob stands still",
    fault_rules: &[
        FaultRule { fault: Fault::CrashBefore, actors: &["ada", "cyd"], labels: &[] },
        FaultRule { fault: Fault::Stall, actors: &["bob"], labels: &[] },
    ],
    budget: 3,
};

#[test]
fn whoever_has_removed_a_stale_lock_does_not_look_at_the_time_of_the_next() {
    // While `bob` is stalled between the two calls, `cyd` creates the directory and crashes at 61 s; at 70 s it is
    // stale.
    let choices =
        ["ada/write#1 fault crash-before", "bob/create#1 fault stall", "cyd/work#1 fault crash-before"];
    let stage = |world: &World| two_see_it_stale(world, [0, 51_000], None);
    let run = directed(Pace::Timed, &LATE, &choices, stage);
    assert_eq!(noted(&run, "has")[0], ("cyd", 2, 0), "{}", run.trace);
    let made = told(&run, "bob").into_iter().find(|line| line.contains("create"));
    assert_eq!(made.as_deref(), Some("70000 write-lock create found='held' own=false"), "{}", run.trace);
}

#[test]
fn an_exit_removes_whatever_directory_is_there() {
    let choices = ["ada/write#1 fault crash-before", "bob/lock#1 next cyd", "cyd/work#1 fault shutdown"];
    let run = directed(Pace::Timed, &EXITS, &choices, |world| {
        let lock = world.file_lock(ONCE);
        for (name, rest) in [("ada", 0), ("bob", 10_000), ("cyd", 10_000)] {
            let lock = lock.clone();
            once(world, name, move |actor| {
                let lock = lock.clone();
                async move {
                    actor.sleep("rest", ms(rest)).await;
                    drop(keeps(&lock, &actor).await);
                    actor.step("write").await;
                    actor.sleep("work", ms(1_000)).await;
                }
            });
        }
    });
    let exit = "11000 write-lock exit token=2 removed=3 compromised=false".to_owned();
    assert!(told(&run, "cyd").contains(&exit), "{}", run.trace);
}
