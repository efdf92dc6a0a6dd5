//! The exhaustive search skips equivalent orders. Over random programs that share a lock and the clock, crash and
//! stall, it shows every outcome that a search without reduction shows.

use std::collections::BTreeSet;
use std::time::Duration;

use retrial_sim::actor::Actor;
use retrial_sim::fault::{Environment, Fault, FaultRule};
use retrial_sim::parts::file_lock::{FileLock, Held, Retries, Settings};
use retrial_sim::scheduler::{Counts, Exhaustive};
use retrial_sim::seed::Seed;
use retrial_sim::trace::EventKind;
use retrial_sim::trial::Run;
use retrial_sim::world::World;

use super::code;
use crate::toy;

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
    environment(&[], 0),
    environment(&[FaultRule { fault: Fault::CrashBefore, actors: &["ada"], labels: &[] }], 1),
    environment(&[FaultRule { fault: Fault::Stall, actors: &["ada"], labels: &[] }], 1),
    environment(&[FaultRule { fault: Fault::Shutdown, actors: &["ada", "bob"], labels: &[] }], 1),
];

const fn environment(fault_rules: &'static [FaultRule], budget: u32) -> Environment {
    Environment { name: "drawn", about: "faults of a drawn program", fault_rules, budget }
}

struct Program {
    settings: Settings,
    acts: Vec<Vec<Act>>,
    environment: &'static Environment,
}

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
    Program { settings, acts: (0..cast).map(|_| life()).collect(), environment }
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

fn stage(world: &World, program: &Program) {
    let lock = world.file_lock(program.settings);
    for (acts, name) in program.acts.iter().zip(NAMES) {
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

/// The outcomes that a search shows; `None` if there are more than `most` schedules.
fn search(program: &Program, mut scheduler: Exhaustive, most: u64) -> Option<(BTreeSet<String>, Counts)> {
    let mut outcomes = BTreeSet::new();
    while !scheduler.is_done() {
        if scheduler.counts().schedules >= most {
            return None;
        }
        let run = toy::run_trial(&mut scheduler, 0, program.environment, |world| stage(world, program));
        let run = run.unwrap_or_else(|error| panic!("{error}: {:?}", program.acts));
        outcomes.insert(outcome(&run));
    }
    Some((outcomes, scheduler.counts()))
}

/// Programs with more schedules than this, without reduction, are too large for a test.
const MOST: u64 = 3_000;

#[expect(clippy::print_stderr, reason = "how much is left out is worth knowing")]
fn check(programs: std::ops::Range<u64>) {
    let (mut all, mut held, mut compared) = (0, 0, 0);
    for seed in programs {
        let program = draw(seed);
        let Some((expected, brute)) = search(&program, Exhaustive::by_brute_force(None), MOST) else {
            continue;
        };
        let (found, counts) = search(&program, Exhaustive::new(None), MOST).expect("no more than all");
        let missing: Vec<_> = expected.difference(&found).take(2).collect();
        assert!(
            missing.is_empty(),
            "program {seed} {:?} on {:?}: {} of {} outcomes in {} of {} schedules; missing {missing:#?}",
            program.acts,
            program.environment.fault_rules,
            found.len(),
            expected.len(),
            counts.schedules,
            brute.schedules,
        );
        all += brute.schedules;
        held += counts.schedules;
        compared += 1;
    }
    assert!(compared > 0, "every program was too large");
    assert!(held < all, "{held} of {all} schedules: nothing was left out");
    eprintln!("{compared} programs: {held} of {all} schedules");
}

#[test]
fn every_outcome_of_a_program_is_found() {
    check(0..400);
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
