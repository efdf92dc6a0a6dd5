//! Random injection of faults, at opportunities spread evenly over a trial. The number of opportunities is learnt from
//! the trials before; the first trial guesses it.

use crate::seed::{Ratio, Rng, Seed};

/// The number of opportunities assumed before one has been counted.
const FIRST_GUESS: u64 = 16;

#[derive(Debug)]
pub(super) struct Dice {
    /// The most opportunities counted in a trial so far; `None` before the first has ended.
    counted: Option<u64>,
    met: u64,
    /// Decides how many faults are planned for the trial.
    seed: Seed,
    /// How many of them are left; drawn at the first opportunity.
    planned: Option<u64>,
}

impl Dice {
    pub(super) fn new() -> Dice {
        Dice { counted: None, met: 0, seed: Seed(0), planned: None }
    }

    pub(super) fn begin(&mut self, seed: Seed) {
        self.seed = seed;
        if self.met > 0 {
            self.counted = self.counted.max(Some(self.met));
        }
        self.met = 0;
        self.planned = None;
    }

    /// 0 for no fault, or one more than the index of the fault to inject.
    pub(super) fn roll(&mut self, rng: &mut Rng, fault_rules: usize, left: u32) -> usize {
        self.met += 1;
        let seed = self.seed;
        let plan = || 1 + seed.named("faults").rng().below(u64::from(left));
        let planned = *self.planned.get_or_insert_with(plan);
        let expected = self.counted.unwrap_or(FIRST_GUESS);
        let denominator = expected.saturating_sub(self.met - 1).max(1);
        let hit = planned > 0 && rng.hits(Ratio { numerator: planned, denominator });
        if !hit {
            return 0;
        }
        self.planned = Some(planned - 1);
        1 + rng.below(fault_rules as u64) as usize
    }
}
