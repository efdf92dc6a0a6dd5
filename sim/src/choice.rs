//! Choices, and the tape that records them: the only source of nondeterminism in a trial.
//!
//! A tape keeps only the choices that differ from the default (continue with the same actor, no fault, no delay), each
//! keyed by the point at which it was made. This keeps a tape short, readable and valid after edits elsewhere.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::fault::Fault;
use crate::point::{self, ActorId, LONGEST_NAME, Point};
use crate::seed::Seed;

/// Characters that separate the words of a line.
pub(crate) const BLANKS: [char; 2] = [' ', '\t'];

/// A runnable actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunnableActor {
    /// The actor.
    pub actor: ActorId,
    /// The earliest virtual time at which it can run; choosing a sleeping actor moves the clock there.
    pub not_before: Duration,
    /// The point at which it waits.
    pub point: Point,
}

/// A question from the kernel to a scheduler. The answer is an index into the alternatives.
#[derive(Clone, Copy, Debug)]
pub enum Ask<'a> {
    /// Which actor runs next; the answer indexes `among`, which has at least two entries.
    Next {
        /// The runnable actors, in cast order.
        among: &'a [RunnableActor],
        /// The answer that needs no entry on the tape: the same actor again, if possible.
        default: usize,
    },
    /// Whether a fault is injected; 0 means none, `n` means the fault at `n - 1`.
    Fault {
        /// The faults that the environment allows here.
        fault_rules: &'a [Fault],
        /// How many more faults may be injected in this trial.
        left: u32,
    },
    /// Which of several values; 0 is the default and needs no entry on the tape.
    Pick {
        /// The number of values, at least two.
        of: usize,
    },
    /// How long the step lasts beyond its work, as an exponent up to `most` (0 means no delay).
    Delay {
        /// The largest answer.
        most: u32,
    },
}

/// A choice as a tape records it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// This actor runs next.
    Next(ActorId),
    /// This fault is injected.
    Fault(Fault),
    /// The step is delayed by this exponent.
    Delay(u32),
    /// The value at this index is picked.
    Pick(usize),
}

/// Whether scheduling follows the virtual clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pace {
    /// Any ready actor may be delayed past another's deadline. Good for finding violations; durations mean nothing.
    Free,
    /// The actor that is due first runs next, so waits and lock holds have meaningful durations. Timers unknown to the
    /// kernel (madsim's own) fire when the clock passes them, not before other actors' steps.
    Timed,
    /// As [`Pace::Free`], but work takes no time: the clock moves only when a sleeping actor is chosen or no actor can
    /// run. Independent steps can therefore be swapped.
    Logical,
}

impl Pace {
    /// Every pace.
    pub const ALL: [Pace; 3] = [Pace::Free, Pace::Timed, Pace::Logical];

    /// The pace's name in tapes.
    pub fn name(self) -> &'static str {
        match self {
            Pace::Free => "free",
            Pace::Timed => "timed",
            Pace::Logical => "logical",
        }
    }
}

/// The recorded choices of one trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tape {
    /// Whether scheduling followed the clock.
    pub pace: Pace,
    /// The seed of all randomness outside the choices: ambient randomness, SQL's `random()`.
    pub ambient: Seed,
    /// The choices that differ from the default, in the order in which they were made.
    pub entries: Vec<(Point, Choice)>,
    /// The names of the cast, so that a tape can be printed without its world.
    pub cast: Vec<&'static str>,
}

impl Tape {
    /// The tape with names instead of indices, as files store it.
    pub fn recorded(&self) -> RecordedTape {
        let name = |actor: ActorId| self.cast.get(actor.index()).copied().unwrap_or("start");
        let line = |(point, choice): &(Point, Choice)| RecordedChoice {
            at: point.display(name(point.actor)),
            what: match choice {
                Choice::Next(actor) => Recorded::Next(name(*actor).to_owned()),
                Choice::Fault(fault) => Recorded::Fault(*fault),
                Choice::Delay(exponent) => Recorded::Delay(*exponent),
                Choice::Pick(index) => Recorded::Pick(*index),
            },
        };
        RecordedTape {
            pace: self.pace,
            ambient: self.ambient,
            choices: self.entries.iter().map(line).collect(),
        }
    }
}

/// A tape as text: points and actors are names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedTape {
    /// Whether scheduling followed the clock.
    pub pace: Pace,
    /// See [`Tape::ambient`].
    pub ambient: Seed,
    /// One choice per line.
    pub choices: Vec<RecordedChoice>,
}

/// One line of a recorded tape: `consumer-1/commit#2 next consumer-2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedChoice {
    /// The point's text.
    pub at: String,
    /// What was chosen there.
    pub what: Recorded,
}

/// The choice on a line of a recorded tape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The named actor runs next.
    Next(String),
    /// The fault is injected.
    Fault(Fault),
    /// The step is delayed by this exponent.
    Delay(u32),
    /// The value at this index is picked.
    Pick(usize),
}

impl fmt::Display for RecordedChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            Recorded::Next(actor) => write!(f, "{} next {actor}", self.at),
            Recorded::Fault(fault) => write!(f, "{} fault {fault}", self.at),
            Recorded::Delay(exponent) => write!(f, "{} delay {exponent}", self.at),
            Recorded::Pick(index) => write!(f, "{} pick {index}", self.at),
        }
    }
}

impl FromStr for RecordedChoice {
    type Err = String;

    fn from_str(line: &str) -> Result<RecordedChoice, String> {
        let shown = |text: &str| text.chars().take(LONGEST_NAME).collect::<String>();
        let words: Vec<&str> = line.split(BLANKS).filter(|word| !word.is_empty()).collect();
        let [at, kind, value] = words[..] else {
            return Err(format!("`{}` is not a choice: it needs a point, a kind and a value", shown(line)));
        };
        if !Point::is_text(at) {
            return Err(format!("`{}` is not a point, for example `consumer-1/commit#2`", shown(at)));
        }
        let not_a = |kind: &str| format!("`{}` is not a {kind}", shown(value));
        let what = match kind {
            "next" if point::is_writable_name(value) => Recorded::Next(value.to_owned()),
            "next" => return Err(not_a("name")),
            "fault" => Recorded::Fault(Fault::named(value).ok_or_else(|| not_a("fault"))?),
            "delay" => Recorded::Delay(point::number(value).ok_or_else(|| not_a("delay"))?),
            "pick" => Recorded::Pick(point::number(value).ok_or_else(|| not_a("pick"))?),
            _ => {
                return Err(format!("`{}` is not a kind of choice: next, fault, delay or pick", shown(kind)));
            }
        };
        Ok(RecordedChoice { at: at.to_owned(), what })
    }
}
