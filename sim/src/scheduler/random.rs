//! The uniform scheduler: each runnable actor is as likely as any other. At the timed pace the clock orders the actors
//! instead, and each step is delayed by a heavy-tailed amount; that measures waits and finds few violations.

use crate::choice::{Ask, Pace};
use crate::error::Error;
use crate::point::Point;
use crate::scheduler::Scheduler;
use crate::scheduler::dice::Dice;
use crate::scheduler::draws::{Draws, For};
use crate::scheduler::policy::{Argument, Entry};
use crate::seed::Seed;

/// `random`, `random:free`, `random:timed`.
pub(super) const ENTRY: Entry = Entry {
    name: "random",
    argument: Argument::Word(&["free", "timed"]),
    make: |pace| Box::new(Random::new(if pace == Some(1) { Pace::Timed } else { Pace::Free })),
};

/// Uniform choice.
#[derive(Debug)]
pub struct Random {
    pace: Pace,
    draws: Draws,
    dice: Dice,
}

impl Random {
    /// A scheduler of that pace.
    pub fn new(pace: Pace) -> Random {
        Random { pace, draws: Draws::new(Seed(0)), dice: Dice::new() }
    }
}

impl Scheduler for Random {
    fn choose(&mut self, at: &Point, ask: Ask<'_>) -> Result<usize, Error> {
        Ok(match ask {
            Ask::Next { among, .. } => self.draws.highest(at, among),
            Ask::Fault { fault_rules, left } => {
                self.dice.roll(&mut self.draws.at(at, For::Fault), fault_rules.len(), left)
            }
            Ask::Pick { of } => self.draws.at(at, For::Pick).below(of as u64) as usize,
            Ask::Delay { most } => self.draws.at(at, For::Delay).heads(most) as usize,
        })
    }

    fn begin(&mut self, seed: Seed) {
        self.draws = Draws::new(seed);
        self.dice.begin(seed);
    }

    fn pace(&self) -> Pace {
        self.pace
    }
}
