//! A guide follows a tape where it applies, exactly if all of it does, and skips the entries that do not.

use retrial_sim::choice::{Pace, Recorded, RecordedChoice, RecordedTape};
use retrial_sim::fault::Fault;
use retrial_sim::scheduler::{Guide, Policy, Replay, Scheduler};
use retrial_sim::seed::Seed;
use retrial_sim::trial::Run;
use retrial_sim::world::World;

use crate::toy::STORMY;

/// Two actors that walk and pick, twice at each point and once before the first.
fn world(world: &World) {
    for name in ["ada", "bob"] {
        world.actor(name, |actor| async move {
            for _ in 0..3 {
                for _ in 0..2 {
                    let picked = actor.pick(3).await;
                    actor.note("picked", picked as i64, 0);
                }
                actor.step("walk").await;
                actor.sleep("rest", std::time::Duration::from_millis(1)).await;
            }
        });
    }
}

fn run_trial(scheduler: &mut dyn Scheduler) -> Run {
    retrial_soundness::run_trial(scheduler, 1, &STORMY, world).expect("nothing is refused")
}

/// Choices that apply to no trial of this world.
fn nonsense() -> Vec<RecordedChoice> {
    let at = |at: &str, what| RecordedChoice { at: at.to_owned(), what };
    vec![
        at("ada/walk#1", Recorded::Next("nobody".to_owned())),
        at("ada/walk#1", Recorded::Fault(Fault::Eviction)),
        at("ada/walk#2", Recorded::Delay(u32::MAX)),
        at("bob/vanish#1", Recorded::Pick(1)),
        at("bob/walk#9~9", Recorded::Next("ada".to_owned())),
        at("", Recorded::Pick(1)),
        at("#", Recorded::Pick(1)),
        at("ada/walk#x", Recorded::Next("bob".to_owned())),
    ]
}

#[test]
fn a_guide_with_a_trials_own_tape_holds_that_trial() {
    for policy in Policy::PORTFOLIO {
        let mut scheduler = policy.scheduler();
        for seed in 0..50 {
            let run = retrial_soundness::run_trial(&mut *scheduler, seed, &STORMY, world)
                .expect("nothing is refused");
            let guided =
                retrial_soundness::run_trial(&mut Guide::new(run.tape.recorded()), seed, &STORMY, world);
            let guided = guided.expect("nothing is refused");
            assert_eq!((guided.digest, guided.tape), (run.digest, run.tape), "{policy}, seed {seed}");
        }
    }
}

#[test]
fn what_cannot_be_followed_is_as_good_as_absent() {
    let tape = |choices| RecordedTape { pace: Pace::Free, ambient: Seed(1), choices };
    let plain = run_trial(&mut Replay::new(tape(Vec::new())));
    let misled = run_trial(&mut Guide::new(tape(nonsense())));
    assert_eq!((misled.digest, misled.tape.entries.len()), (plain.digest, 0));
}

#[test]
fn the_tape_of_a_guided_trial_replays() {
    for policy in Policy::PORTFOLIO {
        let mut scheduler = policy.scheduler();
        for seed in 0..50 {
            let run = retrial_soundness::run_trial(&mut *scheduler, seed, &STORMY, world)
                .expect("nothing is refused");
            let mut tape = run.tape.recorded();
            // Half of the choices are removed, and some nonsense is added.
            let mut number = 0;
            tape.choices.retain(|_| (number += 1, number % 2 == 0).1);
            tape.choices.extend(nonsense());
            let guided = run_trial(&mut Guide::new(tape));
            let again = run_trial(&mut Replay::new(guided.tape.recorded()));
            assert_eq!(guided.digest, again.digest, "{policy}, seed {seed}");
        }
    }
}
