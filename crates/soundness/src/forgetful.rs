//! A canary: the exhaustive search, told less than what the steps used. If nothing is missing then either, the
//! comparison cannot see a footprint that is incomplete.

use retrial_sim::choice::{Ask, Pace};
use retrial_sim::error::Error;
use retrial_sim::footprint::{Footprint, Touch};
use retrial_sim::point::{ActorId, Point};
use retrial_sim::scheduler::{Exhaustive, Scheduler};
use retrial_sim::seed::Seed;

/// The exhaustive search without the uses that `forgets` picks.
#[derive(Debug)]
pub(crate) struct Forgetful {
    pub(crate) search: Exhaustive,
    pub(crate) forgets: fn(&Touch) -> bool,
}

impl Scheduler for Forgetful {
    fn choose(&mut self, at: &Point, ask: Ask<'_>) -> Result<usize, Error> {
        self.search.choose(at, ask)
    }

    fn begin(&mut self, seed: Seed) {
        self.search.begin(seed);
    }

    fn pace(&self) -> Pace {
        self.search.pace()
    }

    fn wants_footprints(&self) -> bool {
        self.search.wants_footprints()
    }

    fn stepped(&mut self, actor: ActorId, from: &Point, used: &Footprint) {
        let touched = used.touched.iter().copied().filter(|touch| !(self.forgets)(touch)).collect();
        self.search.stepped(actor, from, &Footprint { touched });
    }

    fn end(&mut self) -> Result<(), Error> {
        self.search.end()
    }
}
