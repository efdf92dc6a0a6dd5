//! A scheduler with its argument, as `--scheduler` names it: `pct:3`. Each scheduler's file has its entry.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::{ENTRIES, Scheduler};
use crate::choice::Pace;

/// An exploring scheduler, as `--scheduler` takes it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) argument: Argument,
    /// Makes one; the argument is a number, or the place of a word.
    pub(super) make: fn(Option<u32>) -> Box<dyn Scheduler>,
}

/// What follows a scheduler's name after a colon.
#[derive(Debug)]
pub(super) enum Argument {
    Nothing,
    /// One of these words; the name alone stands for all of them in turn.
    Word(&'static [&'static str]),
    Number {
        /// Its name in help.
        called: &'static str,
        /// What it is, in an error: "a depth".
        what: &'static str,
        taken: RangeInclusive<u32>,
        default: Option<u32>,
    },
}

/// A scheduler with its argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Policy {
    entry: usize,
    argument: Option<u32>,
}

impl Policy {
    /// The policies that a run without `--scheduler` rotates through, once the smallest workload has been searched.
    /// Timed trials are never the only ones, because ordering by sampled time rarely produces rare interleavings.
    pub const PORTFOLIO: [Policy; 4] =
        [Policy::POS, Policy::pct(3), Policy::random(Pace::Free), Policy::random(Pace::Timed)];

    /// [`Pos`](super::Pos).
    pub const POS: Policy = Policy::of("pos", None);

    /// [`Random`](super::Random) at a pace.
    pub const fn random(pace: Pace) -> Policy {
        Policy::of("random", Some(matches!(pace, Pace::Timed) as u32))
    }

    /// [`Pct`](super::Pct) of a depth.
    pub const fn pct(depth: u32) -> Policy {
        Policy::of("pct", Some(depth))
    }

    /// [`Exhaustive`](super::Exhaustive), with at most this many preemptions; none means no limit.
    pub const fn exhaustive(bound: Option<u32>) -> Policy {
        Policy::of("exhaustive", bound)
    }

    const fn of(name: &str, argument: Option<u32>) -> Policy {
        let mut entry = 0;
        while !is_same(ENTRIES[entry].name, name) {
            entry += 1;
        }
        Policy { entry, argument }
    }

    /// The bound on preemptions, if it is the exhaustive search.
    pub fn exhaustive_bound(self) -> Option<Option<u32>> {
        (self.entry == Policy::exhaustive(None).entry).then_some(self.argument)
    }

    /// A fresh scheduler of this policy.
    pub fn scheduler(self) -> Box<dyn Scheduler> {
        (ENTRIES[self.entry].make)(self.argument)
    }

    /// The policies that a `--scheduler` argument stands for.
    ///
    /// # Errors
    /// One line that says what is accepted.
    pub fn parse(text: &str) -> Result<Vec<Policy>, String> {
        for (entry, known) in ENTRIES.iter().enumerate() {
            if let (true, Argument::Word(words)) = (known.name == text, &known.argument) {
                let places = 0..words.len() as u32;
                return Ok(places.map(|place| Policy { entry, argument: Some(place) }).collect());
            }
        }
        text.parse().map(|policy| vec![policy])
    }

    /// The names of all, with their arguments, for help and error messages.
    pub fn names() -> String {
        let names: Vec<String> = ENTRIES.iter().flat_map(Entry::names).collect();
        let (last, others) = names.split_last().expect("there are schedulers");
        format!("{} or {last}", others.join(", "))
    }
}

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut same = one.len() == other.len();
    let mut at = 0;
    while same && at < one.len() {
        same = one[at] == other[at];
        at += 1;
    }
    same
}

impl Entry {
    fn names(&self) -> Vec<String> {
        let name = self.name;
        match &self.argument {
            Argument::Nothing => vec![name.to_owned()],
            Argument::Word(words) => {
                let each = words.iter().map(|word| format!("{name}:{word}"));
                std::iter::once(name.to_owned()).chain(each).collect()
            }
            Argument::Number { called, .. } => vec![format!("{name}[:{called}]")],
        }
    }

    /// The argument that a text after the colon means; none if it can mean nothing.
    fn read(&self, text: Option<&str>) -> Option<Result<Option<u32>, String>> {
        match (&self.argument, text) {
            (Argument::Nothing, None) => Some(Ok(None)),
            (Argument::Word(words), Some(text)) => {
                words.iter().position(|word| *word == text).map(|place| Ok(Some(place as u32)))
            }
            (Argument::Number { default, .. }, None) => Some(Ok(*default)),
            (Argument::Number { called, what, taken, .. }, Some(text)) => {
                let number = text.parse().ok().filter(|number| taken.contains(number));
                let range = match (taken.start(), taken.end()) {
                    (0, &u32::MAX) => String::new(),
                    (least, most) => format!(" takes {least} to {most}"),
                };
                let wrong = || format!("`{text}` is not {what}: {}:{called}{range}", self.name);
                Some(number.map(Some).ok_or_else(wrong))
            }
            (Argument::Nothing, Some(_)) | (Argument::Word(_), None) => None,
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { name, argument, .. } = &ENTRIES[self.entry];
        match (argument, self.argument) {
            (_, None) => f.write_str(name),
            (Argument::Word(words), Some(place)) => write!(f, "{name}:{}", words[place as usize]),
            (_, Some(number)) => write!(f, "{name}:{number}"),
        }
    }
}

impl FromStr for Policy {
    type Err = String;

    fn from_str(text: &str) -> Result<Policy, String> {
        let (name, argument) =
            text.split_once(':').map_or((text, None), |(name, argument)| (name, Some(argument)));
        let known = ENTRIES.iter().position(|known| known.name == name);
        let read = known.and_then(|entry| Some((entry, ENTRIES[entry].read(argument)?)));
        let (entry, argument) =
            read.ok_or_else(|| format!("`{text}` is not a scheduler: {}", Policy::names()))?;
        Ok(Policy { entry, argument: argument? })
    }
}
