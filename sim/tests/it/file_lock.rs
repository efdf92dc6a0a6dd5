//! The file lock follows the library's rules under every policy and fault, including those by which it fails to
//! exclude.

use std::time::Duration;

use retrial_sim::actor::Actor;
use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::parts::file_lock::{FileLock, Locked, Released, Retries, Settings};
use retrial_sim::trial::Run;
use retrial_sim::world::World;

mod oracle;
mod reduction;
mod stories;
mod two_holders;

/// A refused actor waits for 9 seconds in all, which is longer than it takes a lock to become stale.
const SETTINGS: Settings = Settings {
    name: "write-lock",
    stale: Duration::from_secs(4),
    update: Duration::from_secs(2),
    retries: Retries {
        count: 4,
        factor: 2,
        min_timeout: Duration::from_secs(1),
        max_timeout: Duration::from_secs(3),
    },
};

/// The results of a release, as recorded in an annotation.
const DONE: i64 = 0;
const ALREADY: i64 = 1;
const NOT_ACQUIRED: i64 = 2;

fn code(released: Result<(), Released>) -> i64 {
    match released {
        Ok(()) => DONE,
        Err(Released::Already) => ALREADY,
        Err(Released::NotAcquired) => NOT_ACQUIRED,
    }
}

/// Acquires the lock twice, each time works for some time or none, and releases the lock or forgets it.
async fn worker(lock: FileLock, actor: Actor) {
    for _ in 0..2 {
        let held = match lock.acquire(&actor, "lock").await {
            Ok(held) => held,
            Err(Locked) => {
                actor.note("locked", 0, 0);
                continue;
            }
        };
        actor.note("has", held.token(), 0);
        let work = Duration::from_secs([3, 0, 1][actor.pick(3).await]);
        for _ in 0..2 {
            actor.sleep("work", work).await;
            actor.note("compromised", held.token(), i64::from(held.is_compromised()));
        }
        let token = held.token();
        if actor.pick(8).await == 7 {
            actor.note("forgets", token, 0);
        } else {
            let released = held.release("unlock").await;
            actor.note("released", token, code(released));
        }
    }
}

/// Four workers, two of them in one process.
fn workers(world: &World) {
    let lock = world.file_lock(SETTINGS);
    for names in [&["ada"][..], &["bob"], &["cyd", "dot"]] {
        let lock = lock.clone();
        world.process(names[0], move |boot| {
            names.iter().for_each(|name| boot.actor(name, |actor| worker(lock.clone(), actor)));
        });
    }
}

const WORKERS: &[&str] = &["ada", "bob", "cyd"];

const POINTS: &[&str] = &["lock", "backoff", "remove-stale", "create", "work", "unlock"];

const CALM: Environment = Environment { name: "calm", about: "nothing fails", fault_rules: &[], budget: 0 };

const STORMY: Environment = Environment {
    name: "stormy",
    about: "processes die, stand still and are asked to stop",
    fault_rules: &[
        FaultRule { fault: Fault::CrashBefore, actors: WORKERS, labels: POINTS },
        FaultRule { fault: Fault::Stall, actors: WORKERS, labels: POINTS },
        FaultRule { fault: Fault::Shutdown, actors: WORKERS, labels: POINTS },
    ],
    budget: 4,
};

#[test]
fn the_rules_hold_in_a_storm() {
    let wanted = [
        "free",
        "held",
        "stale",
        "its own process has it",
        "a dead one's is stale",
        "a living one's is stale",
        "a stale lock is renewed",
        "another was faster",
        "gives up",
        "removes nothing",
        "removes a fresh lock that it has not looked at",
        "removes what was renewed after the look",
        "two hold it",
        "two hold it, none has stood still",
        "releases",
        "releases what is gone",
        "releases another's lock",
        "releases a later lock of its process",
        "ERELEASED, compromised",
        "ERELEASED, by another of its process",
        "an exit with a lock",
        "a request to stop within a pause",
    ];
    retrial_soundness::sweep(&STORMY, 1000, &wanted, workers, oracle::judge);
}

#[test]
fn where_nothing_fails_one_has_it_at_a_time() {
    let judge = |run: &Run, tally: &mut retrial_soundness::Tally| {
        oracle::judge(run, tally)?;
        let said = run.trace.to_string();
        retrial_soundness::ensure!(!said.contains("stale"), "it becomes stale");
        retrial_soundness::ensure!(!said.contains("compromised=true"), "it is compromised");
        Ok(())
    };
    retrial_soundness::sweep(&CALM, 300, &["free", "held", "gives up", "releases"], workers, judge);
}
