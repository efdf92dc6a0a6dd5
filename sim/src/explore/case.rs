//! A case: everything needed to replay one trial, as text that a person can read and edit. Choices refer to points by
//! name, not by position, so a case survives edits to unrelated code.

use std::fmt;
use std::str::FromStr;

use crate::choice::{BLANKS, Pace, RecordedChoice, RecordedTape};
use crate::digest::Digest;
use crate::error::Error;
use crate::point;
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
    /// The environment's name.
    pub environment: String,
    /// The engine's name.
    pub engine: String,
    /// The invariant that the verdict is about.
    pub invariant: String,
    /// What the violation shows, as [`Kind`](crate::anomaly::Kind) formats it: the anomaly and the column. None if the
    /// invariant holds.
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
        writeln!(
            f,
            "trial     {}/{} on {} by {}",
            self.scenario, self.strategy, self.environment, self.engine
        )?;
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

    /// Reads what [`Display`](fmt::Display) writes; skips empty lines and lines that start with `#`. Every accepted
    /// case is written back as it was read; anything else is refused.
    fn from_str(text: &str) -> Result<Case, Error> {
        let lines = (1..).zip(text.lines()).map(|(number, line)| (number, line.trim_matches(BLANKS)));
        let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).peekable();
        if lines.next().is_none_or(|(_, line)| line != HEADING) {
            return Err(Error::unreadable(format!("not a case: its first line is not `{HEADING}`")));
        }
        let mut field = |name: &'static str| {
            let (number, line) = lines.next().unwrap_or((0, "the end"));
            let value = line.strip_prefix(name).filter(|value| value.starts_with(' '));
            let value = value.map(|value| value.trim_matches(BLANKS));
            let why = || {
                Error::unreadable(format!(
                    "a broken case: where `{name}` should be, it has `{}`",
                    shown(line)
                ))
            };
            let value = value.ok_or_else(why)?;
            let field = Field { name, number, value };
            if value.contains(char::is_control) { Err(field.broken()) } else { Ok(field) }
        };
        let trial = field("trial")?;
        let verdict = field("verdict")?;
        let digest = field("digest")?;
        let schedule = field("schedule")?;
        let workload = field("workload")?.value.to_owned();
        let words: Vec<&str> = trial.value.split(BLANKS).filter(|word| !word.is_empty()).collect();
        let (names, environment, engine) = match words[..] {
            [names, "on", environment, "by", engine] => (names, environment, engine),
            _ => return Err(trial.broken()),
        };
        let (scenario, strategy) = names.split_once('/').ok_or_else(|| trial.broken())?;
        let (invariant, shows) = verdict.verdict()?;
        for name in [scenario, strategy, environment, engine] {
            trial.check_name(name)?;
        }
        verdict.check_name(invariant)?;
        let (pace, ambient) = schedule.value.split_once(' ').ok_or_else(|| schedule.broken())?;
        let pace = Pace::ALL.into_iter().find(|known| known.name() == pace);
        let mut choices = Vec::new();
        for (number, line) in lines {
            let choice = RecordedChoice::from_str(line);
            choices.push(
                choice.map_err(|why| Error::unreadable(format!("a broken case: line {number}: {why}")))?,
            );
        }
        Ok(Case {
            scenario: scenario.to_owned(),
            strategy: strategy.to_owned(),
            environment: environment.to_owned(),
            engine: engine.to_owned(),
            invariant: invariant.to_owned(),
            shows,
            digest: digest.digest()?,
            workload,
            tape: RecordedTape {
                pace: pace.ok_or_else(|| schedule.broken())?,
                ambient: point::number(ambient).map(Seed).ok_or_else(|| schedule.broken())?,
                choices,
            },
        })
    }
}

/// A line of a case: its name, its number and its value.
struct Field<'a> {
    name: &'static str,
    number: usize,
    value: &'a str,
}

impl<'a> Field<'a> {
    fn broken(&self) -> Error {
        let Field { name, number, value } = self;
        Error::unreadable(format!("a broken case: its `{name}` line, line {number}, says `{}`", shown(value)))
    }

    fn check_name(&self, name: &str) -> Result<(), Error> {
        if point::is_writable_name(name) {
            return Ok(());
        }
        let name = shown(name);
        Err(Error::unreadable(format!("a broken case: line {}: `{name}` is not a name", self.number)))
    }

    /// The invariant, and what its violation shows.
    fn verdict(&self) -> Result<(&'a str, Option<String>), Error> {
        let (invariant, outcome) = self.value.split_once(' ').ok_or_else(|| self.broken())?;
        if outcome == "holds" {
            return Ok((invariant, None));
        }
        let kind = outcome.strip_prefix("violated as ").filter(|kind| !kind.is_empty());
        kind.map(|kind| (invariant, Some(kind.to_owned()))).ok_or_else(|| self.broken())
    }

    fn digest(&self) -> Result<Digest, Error> {
        let digits = Some(self.value).filter(|value| value.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let number = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        number.map(Digest).ok_or_else(|| self.broken())
    }
}

/// The start of a text that an error quotes.
fn shown(text: &str) -> String {
    const LONGEST: usize = 120;
    let end = text.char_indices().nth(LONGEST).map(|(end, _)| end);
    end.map_or_else(|| text.to_owned(), |end| format!("{}...", &text[..end]))
}
