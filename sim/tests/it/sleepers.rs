//! The exhaustive search finds every time at which an actor can read the clock, whichever of several sleepers moves it.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use retrial_sim::scheduler::Exhaustive;
use retrial_sim::world::World;

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

/// The times that each actor has read, in every schedule of a search.
fn seen(acts: &Rc<[Vec<u64>; 2]>, mut search: Exhaustive) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    while !search.is_done() {
        let run = toy::run_trial(&mut search, 0, &toy::CALM, |world| sleepers(world, acts));
        let run = run.expect("nothing is refused");
        let of = |name| run.trace.by(name).map(|(_, event)| run.trace.say(&event.kind)).collect::<Vec<_>>();
        seen.insert(format!("{:?}", NAMES.map(of)));
    }
    seen
}

#[test]
fn no_time_is_left_out() {
    // The last sleeps end at the same instant, and the actor that goes second finds the clock moved.
    for acts in [[vec![4, 0, 3], vec![3, 3]], [vec![4, 0, 3, 4, 0, 3], vec![3, 3]]] {
        let acts = Rc::new(acts);
        let all = seen(&acts, Exhaustive::by_brute_force(None));
        assert_eq!(seen(&acts, Exhaustive::new(None)), all, "{acts:?}");
    }
}
