//! Schedulers: sources of choices, one per file. A new one needs to implement only [`Scheduler::choose`]. None depends
//! on a scenario, and replay is a scheduler like any other.

use std::fmt;
use std::str::FromStr;

use crate::choice::{Ask, Pace};
use crate::error::Error;
use crate::footprint::Footprint;
use crate::point::{ActorId, Point};
use crate::seed::Seed;

mod dice;
mod draws;
mod exhaustive;
mod guide;
mod pct;
mod pos;
mod random;
mod reorder;
mod replay;

pub use exhaustive::{Counts, Exhaustive};
pub use guide::Guide;
pub use pct::Pct;
pub use pos::Pos;
pub use random::Random;
pub(crate) use reorder::Reorder;
pub use replay::Replay;

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

/// The exploring schedulers, by the names that `--scheduler` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    /// [`Random`] at a pace.
    Random(Pace),
    /// [`Pct`] of a depth.
    Pct(u32),
    /// [`Pos`].
    Pos,
    /// [`Exhaustive`], with at most this many preemptions; none means no limit.
    Exhaustive(Option<u32>),
}

impl Policy {
    /// The policies that a run without `--scheduler` rotates through, once the smallest workload has been searched.
    /// Timed trials are never the only ones, because ordering by sampled time rarely produces rare interleavings.
    pub const PORTFOLIO: [Policy; 4] =
        [Policy::Pos, Policy::Pct(3), Policy::Random(Pace::Free), Policy::Random(Pace::Timed)];

    /// The names, for error messages and help.
    pub const NAMES: &str = "random, random:free, random:timed, pct[:DEPTH], pos or exhaustive[:PREEMPTIONS]";

    /// A fresh scheduler of this policy.
    pub fn scheduler(self) -> Box<dyn Scheduler> {
        match self {
            Policy::Random(pace) => Box::new(Random::new(pace)),
            Policy::Pct(depth) => Box::new(Pct::new(depth)),
            Policy::Pos => Box::new(Pos::new()),
            Policy::Exhaustive(bound) => Box::new(Exhaustive::new(bound)),
        }
    }

    /// The policies that a `--scheduler` argument stands for.
    ///
    /// # Errors
    /// One line that says what is accepted.
    pub fn parse(text: &str) -> Result<Vec<Policy>, String> {
        if text == "random" {
            return Ok(vec![Policy::Random(Pace::Free), Policy::Random(Pace::Timed)]);
        }
        text.parse().map(|policy| vec![policy])
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Policy::Random(pace) => write!(f, "random:{}", pace.name()),
            Policy::Pct(depth) => write!(f, "pct:{depth}"),
            Policy::Pos => f.write_str("pos"),
            Policy::Exhaustive(None) => f.write_str("exhaustive"),
            Policy::Exhaustive(Some(bound)) => write!(f, "exhaustive:{bound}"),
        }
    }
}

impl FromStr for Policy {
    type Err = String;

    fn from_str(text: &str) -> Result<Policy, String> {
        let (name, argument) =
            text.split_once(':').map_or((text, None), |(name, argument)| (name, Some(argument)));
        match (name, argument) {
            ("random", Some("free")) => Ok(Policy::Random(Pace::Free)),
            ("random", Some("timed")) => Ok(Policy::Random(Pace::Timed)),
            ("pct", None) => Ok(Policy::Pct(3)),
            ("pct", Some(depth)) => match depth.parse() {
                Ok(depth @ 1..=16) => Ok(Policy::Pct(depth)),
                _ => Err(format!("`{depth}` is not a depth: pct:DEPTH takes 1 to 16")),
            },
            ("pos", None) => Ok(Policy::Pos),
            ("exhaustive", None) => Ok(Policy::Exhaustive(None)),
            ("exhaustive", Some(bound)) => match bound.parse() {
                Ok(bound) => Ok(Policy::Exhaustive(Some(bound))),
                Err(_) => Err(format!("`{bound}` is not a number of preemptions: exhaustive:PREEMPTIONS")),
            },
            _ => Err(format!("`{text}` is not a scheduler: {}", Policy::NAMES)),
        }
    }
}
