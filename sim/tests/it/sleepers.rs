//! The exhaustive search finds every time at which an actor can read the clock, whichever of several sleepers moves it.

use std::rc::Rc;
use std::time::Duration;

use retrial_sim::trial::{Run, TrialHost};
use retrial_sim::world::World;
use retrial_soundness::{Comparison, Program};

use crate::toy;

const NAMES: [&str; 2] = ["ada", "bob"];

/// Each actor sleeps for the given seconds in turn; at a 0 it reads the clock.
fn sleepers(world: &World, acts: &Rc<[Vec<u64>; 2]>) {
    for (index, name) in NAMES.into_iter().enumerate() {
        let acts = acts.clone();
        world.actor(name, move |actor| {
            let acts = acts.clone();
            async move {
                for seconds in &acts[index] {
                    if *seconds == 0 {
                        actor.step("look").await;
                        actor.note("now", actor.now().as_secs() as i64, 0);
                    } else {
                        actor.sleep("sleep", Duration::from_secs(*seconds)).await;
                    }
                }
            }
        });
    }
}

/// The times that each actor has read.
fn seen(run: &Run) -> String {
    let of = |name| run.trace.by(name).map(|(_, event)| run.trace.say(&event.kind)).collect::<Vec<_>>();
    format!("{:?}", NAMES.map(of))
}

#[test]
fn no_time_is_left_out() {
    // The last sleeps end at the same instant, and the actor that goes second finds the clock moved.
    let programs = [[vec![4, 0, 3], vec![3, 3]], [vec![4, 0, 3, 4, 0, 3], vec![3, 3]]];
    let draw = |seed: u64| {
        let acts = Rc::new(programs[seed as usize].clone());
        let about = format!("{acts:?}");
        Program { about, environment: &toy::CALM, stage: Box::new(move |world| sleepers(world, &acts)) }
    };
    let comparison = Comparison {
        draw: &draw,
        outcome: seen,
        initial_state: None,
        tables: &[],
        bound: None,
        most: 10_000,
    };
    assert_eq!(comparison.check(&mut TrialHost::without_engine(), 0..2).programs, 2);
}
