//! Probabilistic concurrency testing: Burckhardt, Kothari, Musuvathi and Nagarakatte, "A Randomized Scheduler
//! with Probabilistic Guarantees of Finding Bugs", ASPLOS 2010.
//!
//! Every actor has a distinct random priority and the highest that can go on, goes. At `depth - 1` steps, drawn
//! at random from the trial's length, the actor about to go drops below all others. A bug of depth `d` among `n`
//! actors in `k` steps is met with a chance of at least `1 / (n * k^(d-1))`.
//!
//! Departures from the paper: only steps with a real alternative count towards the length, which makes the bound
//! tighter; and the length is learnt, the first trial being run without a change point, because nobody knows `k`.

use crate::choice::{Ask, Candidate};
use crate::error::Error;
use crate::point::{ActorId, Point};
use crate::scheduler::Scheduler;
use crate::scheduler::dice::Dice;
use crate::scheduler::draws::{Draws, For};
use crate::seed::{Rng, Seed};

/// Priorities with change points.
#[derive(Debug)]
pub struct Pct {
    depth: u32,
    rng: Rng,
    draws: Draws,
    dice: Dice,
    /// The actors seen so far, highest priority first; an actor new to the trial enters at a random place.
    order: Vec<ActorId>,
    /// Those that dropped, with the low priority of their change point. Below everyone in `order`.
    dropped: Vec<(ActorId, usize)>,
    /// The steps at which someone drops: entry `i` gives priority `i`, as in the paper, whatever their order.
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

    fn highest(&mut self, among: &[Candidate]) -> usize {
        for candidate in among {
            let known = self.order.contains(&candidate.actor)
                || self.dropped.iter().any(|(actor, _)| *actor == candidate.actor);
            if !known {
                let place = self.rng.below(self.order.len() as u64 + 1) as usize;
                self.order.insert(place, candidate.actor);
            }
        }
        let find = |actor: &ActorId| among.iter().position(|candidate| candidate.actor == *actor);
        let upright = self.order.iter().find_map(find);
        let dropped = || {
            let alive = self.dropped.iter().filter_map(|(actor, low)| Some((low, find(actor)?)));
            alive.max_by_key(|(low, _)| **low).map(|(_, index)| index)
        };
        upright.or_else(dropped).expect("every candidate has a priority")
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
