//! Single trials without random choices, each about one rule of the library.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use retrial_sim::actor::Actor;
use retrial_sim::choice::Pace;
use retrial_sim::engine::Cost;
use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::parts::file_lock::{FileLock, Held, Locked, Retries, Settings};
use retrial_sim::scheduler::Random;
use retrial_sim::seed::Seed;
use retrial_sim::trace::Event;
use retrial_sim::trial::{Run, Setup, TrialHost};
use retrial_sim::world::World;

use super::{SETTINGS, code};
use crate::toy::CALM;
use retrial_soundness::directed;

/// Settings with which a refused actor gives up at once.
pub(super) const ONCE: Settings = Settings { retries: Retries { count: 0, ..SETTINGS.retries }, ..SETTINGS };

pub(super) const FATES: Environment = Environment {
    name: "fates",
    about: "ada dies, stands still or is asked to stop",
    fault_rules: &[
        FaultRule { fault: Fault::CrashBefore, actors: &["ada"], labels: &[] },
        FaultRule { fault: Fault::Stall, actors: &["ada"], labels: &[] },
        FaultRule { fault: Fault::Shutdown, actors: &["ada"], labels: &[] },
    ],
    budget: 1,
};

pub(super) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// All events of an actor, one per line, with the time in milliseconds.
pub(super) fn told(run: &Run, name: &str) -> Vec<String> {
    let line =
        |(_, event): (usize, &Event)| format!("{} {}", event.at.as_millis(), run.trace.say(&event.kind));
    run.trace.by(name).map(line).collect()
}

/// Adds an actor that does something only in its first life. After a crash it does nothing.
pub(super) fn once<F>(world: &World, name: &'static str, life: impl Fn(Actor) -> F + 'static)
where
    F: Future<Output = ()> + 'static,
{
    let (life, born) = (Rc::new(life), Rc::new(Cell::new(false)));
    world.actor(name, move |actor| {
        let (life, again) = (life.clone(), born.replace(true));
        async move {
            if !again {
                life(actor).await;
            }
        }
    });
}

/// Acquires the lock and never releases it.
pub(super) async fn keeps(lock: &FileLock, actor: &Actor) -> Held {
    lock.acquire(actor, "lock").await.expect("the lock is free")
}

#[test]
fn a_process_that_has_the_lock_is_refused_like_any_other() {
    let run = directed(Pace::Timed, &CALM, &[], |world| {
        let lock = world.file_lock(SETTINGS);
        world.actor("ada", move |actor| {
            let lock = lock.clone();
            async move {
                let held = keeps(&lock, &actor).await;
                assert_eq!(lock.acquire(&actor, "lock").await.err(), Some(Locked));
                assert_eq!(held.release("unlock").await, Ok(()));
                assert_eq!(keeps(&lock, &actor).await.token(), 2);
            }
        });
    });
    assert_eq!(
        told(&run, "ada"),
        [
            "0 start 1",
            "0 write-lock lock found='free' token=1 own=false",
            "0 write-lock lock found='held' own=true",
            "0 waits for the file lock of ada",
            "0 backoff 1000000us",
            "1000 write-lock lock found='held' own=true",
            "1000 backoff 2000000us",
            "3000 write-lock lock found='held' own=true",
            "3000 backoff 3000000us",
            "6000 write-lock lock found='held' own=true",
            "6000 backoff 3000000us",
            "9000 write-lock lock found='held' own=true",
            "9000 gives up after 9000000us",
            "9000 write-lock unlock token=1 removed=1 compromised=false",
            "9000 held the lock for 9000000us",
            "9000 write-lock lock found='free' token=2 own=false",
            "9000 finished",
        ]
    );
}

/// What `bob` finds when he tries the lock at that time, while `ada`, with those choices, does not release it.
fn looks_at(time: Duration, choices: &[&str], settings: Settings) -> Vec<String> {
    let run = directed(Pace::Timed, &FATES, choices, |world| {
        let lock = world.file_lock(settings);
        let his = lock.clone();
        once(world, "ada", move |actor| {
            let lock = lock.clone();
            async move {
                drop(keeps(&lock, &actor).await);
                actor.sleep("work", ms(5_000)).await;
                actor.step("write").await;
            }
        });
        world.actor("bob", move |actor| {
            let lock = his.clone();
            async move {
                actor.sleep("rest", time).await;
                drop(lock.acquire(&actor, "lock").await);
            }
        });
    });
    let said = told(&run, "bob").into_iter().filter_map(|line| Some(line.split_once("found=")?.1.to_owned()));
    said.collect()
}

const MICRO: Duration = Duration::from_micros(1);

#[test]
fn a_dead_holders_lock_is_taken_over_once_it_is_stale_and_not_before() {
    // It crashes at 5 s. Its last heartbeat was at 4 s.
    let dies = ["ada/work#1 fault crash-before"];
    assert_eq!(looks_at(ms(8_000), &dies, ONCE), ["'held' own=false"]);
    let taken = ["'stale' own=false", "'free' token=2 own=false"];
    assert_eq!(looks_at(ms(8_000) + MICRO, &dies, ONCE), taken);
}

#[test]
fn a_forgotten_lock_stays_held_and_fresh_while_its_process_lives() {
    assert_eq!(looks_at(ms(100_000), &[], ONCE), ["'held' own=false"]);
    // An actor refused at 7 s tries again at 8 s and 10 s, long after the crash.
    let dies = ["ada/write#1 fault crash-before"];
    let found = ["'held' own=false", "'held' own=false", "'stale' own=false", "'free' token=2 own=false"];
    assert_eq!(looks_at(ms(7_000), &dies, SETTINGS), found);
}

#[test]
fn a_process_that_stands_still_has_no_heartbeat_until_it_goes_on() {
    // It is stalled from 5 s to 65 s.
    let stalls = ["ada/work#1 fault stall"];
    assert_eq!(looks_at(ms(8_000), &stalls, ONCE), ["'held' own=false"]);
    assert_eq!(looks_at(ms(8_001), &stalls, ONCE)[0], "'stale' own=false");
    assert_eq!(looks_at(ms(64_999), &stalls, ONCE)[0], "'stale' own=false");
    assert_eq!(looks_at(ms(65_000), &stalls, ONCE), ["'held' own=false"]);
    assert_eq!(looks_at(ms(200_000), &stalls, ONCE), ["'held' own=false"]);
}

#[test]
fn a_process_that_exits_removes_its_lock_and_one_that_is_asked_to_and_works_on_does_not() {
    let asked = ["ada/write#1 fault shutdown"];
    assert_eq!(looks_at(ms(5_001), &asked, ONCE), ["'free' token=2 own=false"]);
    // The request to stop ends its sleep at 0 s, and it exits right after that.
    let asked = ["ada/lock#1 fault shutdown"];
    assert_eq!(looks_at(ms(4_000), &asked, ONCE), ["'held' own=false"]);
    assert_eq!(looks_at(ms(5_001), &asked, ONCE), ["'free' token=2 own=false"]);
}

#[test]
fn a_holder_that_stood_still_wakes_up_and_writes_beside_the_next() {
    let run = directed(Pace::Timed, &FATES, &["ada/write#1 fault stall"], |world| {
        let lock = world.file_lock(SETTINGS);
        for (name, first, work) in [("ada", 0, 1_000), ("bob", 30_000, 40_000)] {
            let lock = lock.clone();
            world.actor(name, move |actor| {
                let lock = lock.clone();
                async move {
                    actor.sleep("rest", ms(first)).await;
                    let held = keeps(&lock, &actor).await;
                    actor.sleep("work", ms(work)).await;
                    actor.step("write").await;
                    actor.note("told", held.token(), i64::from(held.is_compromised()));
                    actor.note("released", held.token(), code(held.release("unlock").await));
                }
            });
        }
    });
    assert_eq!(
        told(&run, "ada")[4..],
        [
            "1000 ! stall",
            "61000 write",
            "61000 told 1 1",
            "61000 write-lock unlock token=1 compromised=true",
            "61000 released 1 1",
            "61000 finished",
        ]
    );
    // She has removed nothing, so the lock is still his.
    assert_eq!(
        told(&run, "bob")[5..],
        [
            "30000 work 40000000us",
            "70000 write",
            "70000 told 2 0",
            "70000 write-lock unlock token=2 removed=2 compromised=false",
            "70000 held the lock for 40000000us",
            "70000 released 2 0",
            "70000 finished",
        ]
    );
}

#[test]
fn file_system_calls_take_their_time() {
    let cost = Cost { per_statement: ms(7), ..Cost::FREE };
    let limits = retrial_soundness::LIMITS;
    let setup = Setup { environment: &CALM, cost, limits, initial_state: None, tables: &[] };
    let stage = |world: &World| {
        let lock = world.file_lock(SETTINGS);
        world.actor("ada", move |actor| {
            let lock = lock.clone();
            async move {
                let held = keeps(&lock, &actor).await;
                actor.step("write").await;
                assert_eq!(held.release("unlock").await, Ok(()));
                actor.step("write").await;
            }
        });
    };
    let mut host = TrialHost::without_engine();
    let mut timed = Random::new(Pace::Timed);
    let run = host.run(&mut timed, Seed(0), Seed(0), &setup, stage).expect("nothing is refused");
    let times =
        ["0 write-lock lock", "7 write", "7 write-lock unlock", "7 held the lock for 7000us", "14 write"];
    let told = told(&run, "ada");
    let same = told[1..].iter().zip(times).all(|(line, time)| line.starts_with(time));
    assert!(same, "{told:#?}");
}

fn refuses(settings: Settings) {
    let _ = directed(Pace::Free, &CALM, &[], |world| drop(world.file_lock(settings)));
}

#[test]
#[should_panic(expected = "the library does not take these times as they are")]
fn heartbeats_that_are_too_rare_are_refused() {
    refuses(Settings { update: SETTINGS.stale, ..SETTINGS });
}

#[test]
#[should_panic(expected = "min_timeout is greater than max_timeout")]
fn pauses_that_shrink_are_refused() {
    refuses(Settings { retries: Retries { max_timeout: ms(999), ..SETTINGS.retries }, ..SETTINGS });
}

#[test]
#[should_panic(expected = "there are two of the name `write-lock`")]
fn there_is_one_lock_of_a_name() {
    let _ = directed(Pace::Free, &CALM, &[], |world| {
        world.file_lock(SETTINGS);
        world.file_lock(SETTINGS);
    });
}
