//! Choices and the tape that records them: the only source of nondeterminism of a trial.
//!
//! A tape keeps the choices that differ from the default (carry on with the same actor, no fault, no delay), each
//! keyed by the point it was taken at. That keeps it short, readable and valid after edits elsewhere.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::case::BLANKS;
use crate::fault::Fault;
use crate::point::{self, ActorId, LONGEST_NAME, Point};
use crate::seed::Seed;

/// An actor that could take the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub actor: ActorId,
    /// Not before this virtual time; choosing an actor that sleeps moves the clock there.
    pub not_before: Duration,
    /// Where it stands.
    pub point: Point,
}

/// What the kernel asks of a scheduler. The answer is an index into the alternatives.
#[derive(Clone, Copy, Debug)]
pub enum Ask<'a> {
    /// Who goes next; the answer indexes `among`, which has at least two entries.
    Next {
        /// The actors that can go on, in the order of the cast.
        among: &'a [Candidate],
        /// The answer that needs no entry on the tape: carry on with the same actor where that is possible.
        default: usize,
    },
    /// Whether a fault strikes; 0 means none, `n` means the fault at `n - 1`.
    Fault {
        /// The faults that the environment offers here.
        fault_rules: &'a [Fault],
        /// How many may still strike in this trial.
        left: u32,
    },
    /// Which of so many values; 0 is the default and needs no entry on the tape.
    Pick {
        /// How many there are, at least two.
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
    /// This actor went next.
    Next(ActorId),
    /// This fault struck.
    Fault(Fault),
    /// The step was delayed by this exponent.
    Delay(u32),
    /// This one of several values was taken.
    Pick(usize),
}

/// Whether order follows the virtual clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pace {
    /// Any ready actor may be delayed past another's deadline: fit for finding, no measure of time.
    Free,
    /// The actor whose time has come first goes next: fit for waits and lock holds. Timers that the kernel does not
    /// know (madsim's own) ring when the clock passes them, not before others' steps.
    Timed,
    /// As [`Pace::Free`], and no work takes any time: the clock moves when somebody who sleeps is chosen, or when
    /// nobody can go on. So two steps that have nothing to do with each other can be swapped.
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
    /// Whether order followed the clock.
    pub pace: Pace,
    /// Seeds what the trial draws outside its choices: ambient randomness, SQL's `random()`.
    pub ambient: Seed,
    /// The choices that were not the default, in the order they were taken.
    pub entries: Vec<(Point, Choice)>,
    /// The names of the cast, so that a tape can be told without its world.
    pub cast: Vec<&'static str>,
}

impl Tape {
    /// The tape with names instead of indices, as it is kept in files.
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

/// A tape as text has it: the points and actors are names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedTape {
    /// Whether order followed the clock.
    pub pace: Pace,
    /// See [`Tape::ambient`].
    pub ambient: Seed,
    /// One entry a line.
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

/// What a line of a recorded tape chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The named actor went next.
    Next(String),
    /// The fault struck.
    Fault(Fault),
    /// The step was delayed by this exponent.
    Delay(u32),
    /// This one of several values was taken.
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
