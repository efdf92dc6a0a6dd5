//! Probabilistic concurrency testing: Burckhardt, Kothari, Musuvathi and Nagarakatte, "A Randomized Scheduler
//! with Probabilistic Guarantees of Finding Bugs", ASPLOS 2010.
//!
//! Every actor has a distinct random priority, and the runnable actor with the highest priority goes next. At
//! `depth - 1` steps, drawn at random from the trial's length, the actor about to go drops below all others. A bug of
//! depth `d` among `n` actors in `k` steps is found with a probability of at least `1 / (n * k^(d-1))`.
//!
//! Departures from the paper: only steps with a real alternative count towards the length, which makes the bound
//! tighter; and since `k` is not known, the length is learnt, and the first trial runs without a change point.

use crate::choice::{Ask, RunnableActor};
use crate::error::Error;
use crate::point::{ActorId, Point};
use crate::scheduler::Scheduler;
use crate::scheduler::dice::Dice;
use crate::scheduler::draws::{Draws, For};
use crate::scheduler::policy::{Argument, Entry};
use crate::seed::{Rng, Seed};

/// `pct`, `pct:DEPTH`.
pub(super) const ENTRY: Entry = Entry {
    name: "pct",
    argument: Argument::Number { called: "DEPTH", what: "a depth", taken: 1..=16, default: Some(3) },
    make: |depth| Box::new(Pct::new(depth.unwrap_or(3))),
};

/// Priorities with change points.
#[derive(Debug)]
pub struct Pct {
    depth: u32,
    rng: Rng,
    draws: Draws,
    dice: Dice,
    /// The actors seen so far, highest priority first. An actor new to the trial is inserted at a random position.
    order: Vec<ActorId>,
    /// The actors that dropped, with the low priority of their change point. They are below all actors in `order`.
    dropped: Vec<(ActorId, usize)>,
    /// The steps at which an actor drops. Entry `i` gives priority `i`, as in the paper, whatever the order of the
    /// steps.
    changes: Vec<u64>,
    /// Steps of this trial that had an alternative.
    steps: u64,
    /// The longest trial so far, in such steps.
    length: u64,
}

impl Pct {
    /// A scheduler for bugs of that depth, which is at least 1.
    pub fn new(depth: u32) -> Pct {
        Pct {
            depth,
            rng: Seed(0).rng(),
            draws: Draws::new(Seed(0)),
            dice: Dice::new(),
            order: Vec::new(),
            dropped: Vec::new(),
            changes: Vec::new(),
            steps: 0,
            length: 0,
        }
    }

    fn highest(&mut self, among: &[RunnableActor]) -> usize {
        for runnable in among {
            let known = self.order.contains(&runnable.actor)
                || self.dropped.iter().any(|(actor, _)| *actor == runnable.actor);
            if !known {
                let place = self.rng.below(self.order.len() as u64 + 1) as usize;
                self.order.insert(place, runnable.actor);
            }
        }
        let find = |actor: &ActorId| among.iter().position(|runnable| runnable.actor == *actor);
        let upright = self.order.iter().find_map(find);
        let dropped = || {
            let alive = self.dropped.iter().filter_map(|(actor, low)| Some((low, find(actor)?)));
            alive.max_by_key(|(low, _)| **low).map(|(_, index)| index)
        };
        upright.or_else(dropped).expect("every actor has a priority")
    }

    fn drop_to(&mut self, actor: ActorId, low: usize) {
        self.order.retain(|other| *other != actor);
        self.dropped.retain(|(other, _)| *other != actor);
        self.dropped.push((actor, low));
    }
}

impl Scheduler for Pct {
    fn choose(&mut self, at: &Point, ask: Ask<'_>) -> Result<usize, Error> {
        let among = match ask {
            Ask::Next { among, .. } => among,
            Ask::Fault { fault_rules, left } => {
                return Ok(self.dice.roll(&mut self.draws.at(at, For::Fault), fault_rules.len(), left));
            }
            Ask::Pick { of } => return Ok(self.draws.at(at, For::Pick).below(of as u64) as usize),
            Ask::Delay { .. } => return Ok(0),
        };
        self.steps += 1;
        let mut chosen = self.highest(among);
        if let Some(low) = self.changes.iter().position(|step| *step == self.steps) {
            self.drop_to(among[chosen].actor, low);
            chosen = self.highest(among);
        }
        Ok(chosen)
    }

    fn begin(&mut self, seed: Seed) {
        self.rng = seed.rng();
        self.draws = Draws::new(seed);
        self.dice.begin(seed);
        self.order.clear();
        self.dropped.clear();
        self.changes.clear();
        self.length = self.length.max(self.steps);
        self.steps = 0;
        let wanted = u64::from(self.depth - 1).min(self.length);
        while (self.changes.len() as u64) < wanted {
            let step = 1 + self.rng.below(self.length);
            if !self.changes.contains(&step) {
                self.changes.push(step);
            }
        }
    }
}
