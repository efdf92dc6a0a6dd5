//! A tape replays its trial to the same digest, and a tape that no longer fits reports where it stopped fitting.

use retrial_sim::choice::{Pace, Recorded};
use retrial_sim::scheduler::{Pct, Random, Replay, Scheduler};
use retrial_sim::seed::Seed;
use retrial_sim::trial::Run;

use crate::toy::{self, STORMY};

fn again(run: &Run) -> Run {
    let mut replay = Replay::new(run.tape.recorded());
    retrial_soundness::run_trial(&mut replay, run.tape.ambient.0, &STORMY, toy::three_walkers)
        .expect("its own tape fits")
}

#[test]
fn a_tape_replays_to_the_same_digest() {
    let mut injected = 0;
    let schedulers: [Box<dyn Scheduler>; 3] =
        [Box::new(Random::new(Pace::Free)), Box::new(Random::new(Pace::Timed)), Box::new(Pct::new(2))];
    for mut scheduler in schedulers {
        for seed in 0..50 {
            let run = retrial_soundness::run_trial(&mut *scheduler, seed, &STORMY, toy::three_walkers)
                .expect("nothing is refused");
            let again = again(&run);
            assert_eq!((run.digest, run.steps), (again.digest, again.steps), "seed {seed}");
            assert_eq!(run.trace.to_string(), again.trace.to_string(), "seed {seed}");
            injected += run.injected.len();
        }
    }
    assert!(injected > 100, "only {injected} faults injected in 150 trials");
}

/// Replays an edited tape and returns the error.
fn complaint(edit: impl FnOnce(&mut Vec<retrial_sim::choice::RecordedChoice>)) -> String {
    let run = retrial_soundness::run_trial(&mut Random::new(Pace::Free), 1, &toy::CALM, toy::three_walkers)
        .expect("nothing is refused");
    let mut tape = run.tape.recorded();
    edit(&mut tape.choices);
    let error =
        retrial_soundness::run_trial(&mut Replay::new(tape), Seed(1).0, &toy::CALM, toy::three_walkers);
    let error = error.expect_err("the edited tape does not fit");
    assert!(error.is_divergence());
    error.to_string()
}

#[test]
fn a_tape_that_names_a_point_that_never_comes_says_so() {
    let said = complaint(|choices| choices[0].at = "ada/vanish#1".to_owned());
    assert!(said.starts_with("diverged at ada/vanish#1: the trial never came to it"), "{said}");
}

#[test]
fn a_tape_that_chooses_an_actor_that_cannot_go_on_says_where() {
    let mut at = String::new();
    let said = complaint(|choices| {
        let last = choices.last_mut().expect("a random trial has choices");
        at.clone_from(&last.at);
        last.what = Recorded::Next("nobody-of-that-name".to_owned());
    });
    assert!(said.starts_with(&format!("diverged at {at}: that actor cannot go on here")), "{said}");
}
