//! Random draws that are keyed by their points. Two strategies whose trials have a point in common draw the same there,
//! whatever happened before it, so that they meet the same faults and orders as far as their points allow.

use crate::choice::RunnableActor;
use crate::digest::Digest;
use crate::point::Point;
use crate::seed::{Rng, Seed, mix};

/// What a draw decides. Different decisions at one point must not see the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum For {
    /// Which actor goes next.
    Next,
    /// Whether a fault is injected.
    Fault,
    /// Which value is taken.
    Pick,
    /// How long a step is delayed.
    Delay,
}

/// The draws of a trial.
#[derive(Debug)]
pub(super) struct Draws {
    seed: Seed,
    last: Option<(Point, For)>,
    /// How many draws for the same decision have been made at this point in a row.
    repeated: u64,
}

impl Draws {
    pub(super) fn new(seed: Seed) -> Draws {
        Draws { seed, last: None, repeated: 0 }
    }

    /// A generator for one decision at that point.
    pub(super) fn at(&mut self, at: &Point, what: For) -> Rng {
        self.seed_at(at, what).rng()
    }

    /// Which actor goes next, each as likely as any other. The highest draw wins, so that of two actors that are
    /// runnable in two trials the same one is ahead in both.
    pub(super) fn highest(&mut self, at: &Point, among: &[RunnableActor]) -> usize {
        let seed = self.seed_at(at, For::Next);
        let drawn = |index: &usize| mix(seed.0 ^ mix(u64::from(among[*index].actor.0)));
        (0..among.len()).max_by_key(drawn).unwrap_or_default()
    }

    /// A priority for the step that is pending at that point, in its `times`-th draw.
    pub(super) fn priority(&mut self, at: &Point, times: u64) -> u64 {
        self.last = None;
        mix(self.seed_at(at, For::Next).0 ^ mix(times))
    }

    fn seed_at(&mut self, at: &Point, what: For) -> Seed {
        let key = Some((*at, what));
        self.repeated = if self.last == key { self.repeated + 1 } else { 0 };
        self.last = key;
        let mut digest = Digest(self.seed.0);
        digest.text(at.label);
        digest.word(u64::from(at.nth) << 32 | u64::from(at.again));
        digest.word(u64::from(at.actor.0) << 32 | what as u64);
        digest.word(self.repeated);
        Seed(digest.0)
    }
}
