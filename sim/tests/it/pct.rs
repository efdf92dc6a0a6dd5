//! PCT keeps the bound of its paper: a bug of depth d among n actors in k steps is found with a probability of at least
//! 1 / (n * k^(d-1)).

use std::cell::Cell;
use std::rc::Rc;

use retrial_sim::choice::Pace;
use retrial_sim::scheduler::{Pct, Random, Scheduler};

use crate::toy;

/// The actors that do not matter, and the number of steps that each actor takes besides those that matter.
const BYSTANDERS: [&str; 2] = ["cyd", "dot"];
const PADDING: u32 = 4;

/// Whether one trial meets the planted bug, and the number of its decisions. The bug needs ada, bob, ada, bob in strict
/// turns: three orderings that must all hold, which takes two change points and so has depth three.
fn meets(scheduler: &mut dyn Scheduler, seed: u64) -> (bool, u32) {
    let stage = Rc::new(Cell::new(0));
    let seen = stage.clone();
    let run = retrial_soundness::run_trial(scheduler, seed, &toy::CALM, move |world| {
        for (name, turns) in [("ada", [0, 2]), ("bob", [1, 3])] {
            let stage = seen.clone();
            world.actor(name, move |actor| {
                let stage = stage.clone();
                async move {
                    for _ in 0..PADDING {
                        actor.step("before").await;
                    }
                    for turn in turns {
                        actor.step("turn").await;
                        // After a step out of turn, this trial can no longer meet the bug.
                        stage.set(if stage.get() == turn { turn + 1 } else { 9 });
                    }
                    for _ in 0..PADDING {
                        actor.step("after").await;
                    }
                }
            });
        }
        for name in BYSTANDERS {
            world.actor(name, |actor| async move {
                for _ in 0..2 * PADDING {
                    actor.step("walk").await;
                }
            });
        }
    });
    (stage.get() == 4, run.expect("nothing is refused").decisions)
}

#[test]
fn pct_meets_a_bug_of_depth_three_at_no_less_than_its_theoretical_rate() {
    const TRIALS: u64 = 40_000;
    let mut pct = Pct::new(3);
    let (mut hits, mut longest) = (0_u64, 0_u64);
    for seed in 0..TRIALS {
        let (met, decisions) = meets(&mut pct, seed);
        hits += u64::from(met);
        longest = longest.max(u64::from(decisions));
    }
    let actors = 2 + BYSTANDERS.len() as u64;
    // The expected number of hits at the bound's rate. With a margin of four standard deviations, a scheduler that
    // keeps the bound fails this test once in thirty thousand runs. The squares are compared, to stay with integers.
    let expected = TRIALS / (actors * longest * longest);
    let short = expected.saturating_sub(hits);
    assert!(expected >= 5, "the test expects only {expected} hits, too few to tell");
    assert!(short * short <= 16 * expected, "{hits} hits where at least {expected} are promised");
}

#[test]
fn depth_one_cannot_meet_it() {
    // Without a change point, an actor that starts before another also ends before it. So the test above tests PCT, not
    // luck.
    let mut pct = Pct::new(1);
    assert!((0..4_000).all(|seed| !meets(&mut pct, seed).0));
}

#[test]
fn the_planted_bug_is_there_for_the_uniform_scheduler_too() {
    let mut random = Random::new(Pace::Free);
    assert!((0..20_000).any(|seed| meets(&mut random, seed).0));
}
