//! Schedulers: sources of choices, one per file. A new one needs to implement only [`Scheduler::choose`]. None depends
//! on a scenario, and replay is a scheduler like any other.

use crate::choice::{Ask, Pace};
use crate::error::Error;
use crate::footprint::Footprint;
use crate::point::{ActorId, Point};
use crate::seed::Seed;

mod dice;
mod draws;
mod guide;
mod policy;
mod reorder;
mod replay;

pub use guide::Guide;
pub use policy::Policy;
pub(crate) use reorder::Reorder;
pub use replay::Replay;

/// Declares the schedulers that explore: for each a module, its type, and its entry.
macro_rules! schedulers {
    ($($module:ident: $($scheduler:ident),+;)*) => {
        $(mod $module; pub use $module::{$($scheduler),+};)*

        /// The schedulers that `--scheduler` takes.
        static ENTRIES: &[policy::Entry] = &[$($module::ENTRY),*];
    };
}

schedulers! {
    random: Random;
    pct: Pct;
    pos: Pos;
    exhaustive: Exhaustive, Counts;
}

/// Answers the kernel's questions.
pub trait Scheduler {
    /// Picks one of the alternatives of `ask`, which the kernel reached at the point `at`; see [`Ask`] for what the
    /// number means.
    ///
    /// # Errors
    /// A recorded choice does not apply: the text of the point at which it diverged.
    fn choose(&mut self, at: &Point, ask: Ask<'_>) -> Result<usize, Error>;

    /// Begins another trial, drawn from this seed. What was learnt from earlier ones may be kept.
    fn begin(&mut self, _seed: Seed) {}

    /// The pace of this scheduler's trials.
    fn pace(&self) -> Pace {
        Pace::Free
    }

    /// Receives the names of the actors, before the first choice.
    fn cast(&mut self, _names: &[&'static str]) {}

    /// Whether [`Scheduler::stepped`] is to report what each step used, which takes time to determine.
    fn wants_footprints(&self) -> bool {
        false
    }

    /// Reports that an actor took a step from a point, and what the step used. The actor is [`ActorId::NOBODY`] if time
    /// passed because no actor could run.
    fn stepped(&mut self, _actor: ActorId, _from: &Point, _used: &Footprint) {}

    /// Ends the trial.
    ///
    /// # Errors
    /// A choice that had to be made never came up.
    fn end(&mut self) -> Result<(), Error> {
        Ok(())
    }
}
