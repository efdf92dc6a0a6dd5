//! The uniform scheduler: each actor that can go on is as likely as any other. At the timed pace the clock orders
//! the actors instead, each step delayed by a heavy-tailed amount; that measures waits and finds little.

use crate::choice::{Ask, Pace};
use crate::error::Error;
use crate::point::Point;
use crate::scheduler::Scheduler;
use crate::scheduler::dice::Dice;
use crate::seed::{Rng, Seed};

/// Uniform choice.
#[derive(Debug)]
pub struct Random {
    pace: Pace,
    rng: Rng,
    dice: Dice,
}

impl Random {
    /// A scheduler of that pace.
    pub fn new(pace: Pace) -> Random {
        Random { pace, rng: Seed(0).rng(), dice: Dice::new() }
    }
}

impl Scheduler for Random {
    fn choose(&mut self, _at: &Point, ask: Ask<'_>) -> Result<usize, Error> {
        Ok(match ask {
            Ask::Next { among, .. } => self.rng.below(among.len() as u64) as usize,
            Ask::Fault { offers, left } => self.dice.roll(&mut self.rng, offers.len(), left),
            Ask::Pick { of } => self.rng.below(of as u64) as usize,
            Ask::Delay { most } => self.rng.heads(most) as usize,
        })
    }

    fn begin(&mut self, seed: Seed) {
        self.rng = seed.rng();
        self.dice.begin();
    }

    fn pace(&self) -> Pace {
        self.pace
    }
}
