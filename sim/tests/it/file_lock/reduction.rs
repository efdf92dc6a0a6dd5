//! The exhaustive search skips equivalent orders. Over random programs that share a lock and the clock, crash and
//! stall, it shows the outcomes that brute force shows.

use std::time::Duration;

use retrial_sim::actor::Actor;
use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::footprint::part;
use retrial_sim::parts::file_lock::{FileLock, Held, Retries, Settings};
use retrial_sim::seed::Seed;
use retrial_sim::trace::EventKind;
use retrial_sim::trial::{Run, TrialHost};
use retrial_sim::world::World;
use retrial_soundness::{Comparison, Program, drawn};

use super::code;

/// What an actor does next.
#[derive(Clone, Copy, Debug)]
enum Act {
    Lock,
    Unlock,
    Forget,
    Look,
    Sleep(u64),
}

const NAMES: [&str; 3] = ["ada", "bob", "cyd"];

const TWO: Duration = Duration::from_secs(2);

const ONE: Duration = Duration::from_secs(1);

const ONCE: Settings = Settings {
    name: "lock",
    stale: TWO,
    update: ONE,
    retries: Retries { count: 0, factor: 2, min_timeout: ONE, max_timeout: ONE },
};

const TWICE: Settings = Settings { retries: Retries { count: 1, ..ONCE.retries }, ..ONCE };

const ENVIRONMENTS: [Environment; 4] = [
    drawn(&[], 0),
    drawn(&[FaultRule { fault: Fault::CrashBefore, actors: &["ada"], labels: &[] }], 1),
    drawn(&[FaultRule { fault: Fault::Stall, actors: &["ada"], labels: &[] }], 1),
    drawn(&[FaultRule { fault: Fault::Shutdown, actors: &["ada", "bob"], labels: &[] }], 1),
];

fn draw(seed: u64) -> Program {
    let mut rng = Seed(seed).named("program").rng();
    let environment = &ENVIRONMENTS[rng.below(4) as usize];
    let cast = if environment.budget == 0 { 2 + rng.below(2) } else { 2 };
    let settings = if rng.below(3) == 0 { TWICE } else { ONCE };
    let mut life = || {
        let act = |number| match number {
            0..3 => Act::Lock,
            3..6 => Act::Unlock,
            6 => Act::Look,
            7 => Act::Forget,
            number => Act::Sleep(number - 7),
        };
        (0..2 + rng.below(3)).map(|_| act(rng.below(12))).collect()
    };
    let acts: Vec<Vec<Act>> = (0..cast).map(|_| life()).collect();
    let about = format!("{acts:?}");
    Program { about, environment, stage: Box::new(move |world| stage(world, settings, &acts)) }
}

async fn live(actor: Actor, lock: FileLock, acts: Vec<Act>) {
    let mut held: Option<Held> = None;
    for act in acts {
        match act {
            Act::Lock => held = lock.acquire(&actor, "lock").await.ok().or(held),
            Act::Unlock => {
                if let Some(held) = held.take() {
                    let released = held.release("unlock").await;
                    actor.note("released", code(released), 0);
                }
            }
            Act::Forget => drop(held.take()),
            Act::Look => {
                actor.step("look").await;
                let told = held.as_ref().map(Held::is_compromised);
                actor.note("told", told.map_or(-1, i64::from), 0);
            }
            Act::Sleep(seconds) => actor.sleep("sleep", Duration::from_secs(seconds)).await,
        }
    }
}

fn stage(world: &World, settings: Settings, acts: &[Vec<Act>]) {
    let lock = world.file_lock(settings);
    for (acts, name) in acts.iter().zip(NAMES) {
        let (lock, acts) = (lock.clone(), acts.clone());
        world.actor(name, move |actor| live(actor, lock.clone(), acts.clone()));
    }
}

/// What each actor observed, in order, and the ending. Times are left out where the actor did not read the clock.
fn outcome(run: &Run) -> String {
    let mut told = vec![String::new(); run.trace.cast.len()];
    for event in run.trace.events.iter().filter(|event| !matches!(event.kind, EventKind::Started(_))) {
        let place = run.trace.cast.iter().position(|member| member.name == run.trace.name(event.actor));
        told[place.expect("a member of the cast")] += &format!("{}; ", run.trace.say(&event.kind));
    }
    format!("{told:?} {:?}", run.ending)
}

/// The search compared with brute force over the programs of these seeds.
#[expect(clippy::print_stderr, reason = "how much is left out is worth knowing")]
fn check(programs: std::ops::Range<u64>) {
    let compared = COMPARISON.check(&mut TrialHost::without_engine(), programs);
    eprintln!("{compared}");
}

const COMPARISON: Comparison<'static> =
    Comparison { draw: &draw, outcome, initial_state: None, tables: &[], bound: None, most: 3_000 };

#[test]
fn every_outcome_of_a_program_is_found() {
    check(0..400);
}

#[test]
fn a_lock_that_does_not_say_when_it_is_used_is_noticed() {
    let host = &mut TrialHost::without_engine();
    COMPARISON.check_canary(host, 0..400, |touch| touch.part == part("file_lock", "lock"));
    COMPARISON.check_canary(host, 0..400, |touch| touch.part == part("clock", ""));
}

#[test]
#[should_panic(expected = "show the same outcomes without these uses")]
fn a_canary_that_drops_nothing_is_not_noticed() {
    COMPARISON.check_canary(&mut TrialHost::without_engine(), 0..40, |_| false);
}

mod long {
    //! The search compared with brute force in full; `cargo xtask ci` runs it.

    use super::check;

    #[test]
    #[ignore = "long: a minute; cargo test --workspace -- --ignored long::"]
    fn every_outcome_of_many_programs_is_found() {
        check(400..10_000);
    }
}
