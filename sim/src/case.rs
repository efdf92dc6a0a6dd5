//! A case: everything needed to hold one trial again, as text that a person can read and edit. It names points,
//! not positions, so that it outlives edits to code it does not speak of.

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use crate::choice::{Pace, RecordedChoice, RecordedTape};
use crate::digest::Digest;
use crate::error::Error;
use crate::seed::Seed;

/// The first line of a case, with the version of the format.
const HEADING: &str = "retrial case 1";

/// A recorded trial and the verdict it had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The scenario's name.
    pub scenario: String,
    /// The strategy's name.
    pub strategy: String,
    /// The rung's name.
    pub rung: String,
    /// The engine's name.
    pub engine: String,
    /// The invariant that the verdict is about.
    pub invariant: String,
    /// What the violation shows: the anomaly, and on what kind of cell, as [`Kind`](crate::anomaly::Kind) says it. None
    /// where the invariant holds.
    pub shows: Option<String>,
    /// The digest of the trial.
    pub digest: Digest,
    /// The workload, as one line of JSON.
    pub workload: String,
    /// The choices.
    pub tape: RecordedTape,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADING}")?;
        writeln!(f, "trial     {}/{} on {} by {}", self.scenario, self.strategy, self.rung, self.engine)?;
        match &self.shows {
            Some(kind) => writeln!(f, "verdict   {} violated as {kind}", self.invariant)?,
            None => writeln!(f, "verdict   {} holds", self.invariant)?,
        }
        writeln!(f, "digest    {}", self.digest)?;
        writeln!(f, "schedule  {} {}", self.tape.pace.name(), self.tape.ambient)?;
        writeln!(f, "workload  {}", self.workload)?;
        self.tape.choices.iter().try_for_each(|choice| writeln!(f, "{choice}"))
    }
}

impl FromStr for Case {
    type Err = Error;

    /// Reads what [`Display`](fmt::Display) writes; empty lines and lines that begin with `#` are passed over.
    fn from_str(text: &str) -> Result<Case, Error> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut lines = lines.peekable();
        if lines.next() != Some(HEADING) {
            return Err(Error::unreadable(format!("not a case: its first line is not `{HEADING}`")));
        }
        let mut field = |name: &str| {
            let line = lines.next().unwrap_or_default();
            let value = line.strip_prefix(name).filter(|value| value.starts_with(' ')).map(str::trim);
            value.ok_or_else(|| {
                Error::unreadable(format!("a broken case: where `{name}` should be, it has `{line}`"))
            })
        };
        let trial = field("trial")?;
        let verdict = field("verdict")?;
        let digest = field("digest")?;
        let schedule = field("schedule")?;
        let workload = field("workload")?.to_owned();
        let words: Vec<&str> = trial.split_whitespace().collect();
        let (names, rung, engine) = match words[..] {
            [names, "on", rung, "by", engine] => (names, rung, engine),
            _ => return Err(broken("trial", trial)),
        };
        let (scenario, strategy) = names.split_once('/').ok_or_else(|| broken("trial", trial))?;
        let (invariant, outcome) = verdict.split_once(' ').ok_or_else(|| broken("verdict", verdict))?;
        let shows = match outcome.split_once(' ') {
            None if outcome == "holds" => None,
            Some(("violated", kind)) => match kind.strip_prefix("as ") {
                Some(kind) if !kind.is_empty() => Some(kind.to_owned()),
                _ => return Err(broken("verdict", verdict)),
            },
            _ => return Err(broken("verdict", verdict)),
        };
        let digest = u64::from_str_radix(digest, 16).map_err(|_| broken("digest", digest))?;
        let (pace, ambient) = schedule.split_once(' ').ok_or_else(|| broken("schedule", schedule))?;
        let pace = Pace::ALL.into_iter().find(|known| known.name() == pace);
        let pace = pace.ok_or_else(|| broken("schedule", schedule))?;
        let ambient = ambient.parse().map(Seed).map_err(|_| broken("schedule", schedule))?;
        let choices =
            lines.map(RecordedChoice::from_str).collect::<Result<_, _>>().map_err(Error::unreadable)?;
        Ok(Case {
            scenario: scenario.to_owned(),
            strategy: strategy.to_owned(),
            rung: rung.to_owned(),
            engine: engine.to_owned(),
            invariant: invariant.to_owned(),
            shows,
            digest: Digest(digest),
            workload,
            tape: RecordedTape { pace, ambient, choices },
        })
    }
}

fn broken(field: &str, value: &str) -> Error {
    let mut why = String::from("a broken case: ");
    let _ = write!(why, "its `{field}` line says `{value}`");
    Error::unreadable(why)
}
