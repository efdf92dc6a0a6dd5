//! Runs a mutant's trials in all environments, as for any strategy, and reads from the results whether an invariant
//! caught it. Only an invariant counts: neither an engine's refusal nor a program that never ends is a catch.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use xshell::{Shell, cmd};

use super::mutant::{Mutant, Target};

/// How long a mutant may take, in seconds of wall-clock time. An unmodified strategy takes one or two.
const AT_MOST_S: &str = "120";

/// The trials in each environment that a mutant gets before all that the scenario sets.
const FEW: &str = "24";

/// The most schedules of each cell's smallest workload that are enumerated for a survivor. That is all schedules of
/// most cells; where there are too many, an unbounded search would take minutes.
const SCHEDULES: &str = "3000";

/// The result of trying a mutant.
#[derive(Debug)]
pub(super) enum Fate {
    /// It does not compile.
    NotCompiled,
    /// It violates invariants: the name of each, with the first environment that shows it.
    Caught(Vec<String>),
    /// The engine refused something in it, so nothing is known.
    Refused(String),
    /// It gave no results, and why.
    NoResults(String),
    /// All invariants hold.
    Survived(Exhaustive),
}

/// The result of the exhaustive search for a survivor.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Exhaustive {
    /// All enumerated schedules hold; how far the enumeration got.
    Holds(String),
    /// Nothing can be concluded, and why.
    Undecided(String),
    /// This build has no such scheduler.
    Missing(String),
}

/// The results of one run of the command line.
struct Results {
    broken: Vec<String>,
    /// Why a cell is inconclusive, if one is.
    silent: Option<String>,
    /// How far an enumeration got: the environments that were enumerated completely, and those that were not.
    whole: Vec<String>,
    partly: Vec<String>,
}

impl Results {
    fn how_far(&self) -> String {
        let whole = format!("all schedules on {}", self.whole.join(", "));
        if self.partly.is_empty() { whole } else { format!("{whole}; {}", self.partly.join(", ")) }
    }
}

/// What is needed to run trials.
pub(super) struct Trials<'s> {
    pub(super) shell: &'s Shell,
    pub(super) binary: &'s Path,
    /// The file for the results.
    pub(super) json: &'s Path,
}

impl Trials<'_> {
    /// Makes sure that the unmodified strategy violates no invariant.
    pub(super) fn baseline(&self, target: &Target) -> Result<()> {
        let results = self.run(&target.copy, &target.strategy, &[])?;
        let results = results.map_err(anyhow::Error::msg).with_context(|| target.name())?;
        ensure!(results.broken.is_empty(), "{} does not hold: {}", target.name(), results.broken.join(", "));
        let silent = results.silent.map_or(Ok(()), |why| Err(anyhow::Error::msg(why)));
        silent.with_context(|| target.name())
    }

    /// Runs a mutant that compiles and returns its fate.
    pub(super) fn fate(&self, mutant: &Mutant) -> Result<Fate> {
        // Most mutants are caught by a few trials, and one that never ends takes too long for many.
        let few = self.run(&mutant.copy, &mutant.target.strategy, &["--trials", FEW])?;
        if let Ok(Results { broken, .. }) = few
            && !broken.is_empty()
        {
            return Ok(Fate::Caught(broken));
        }
        let results = match self.run(&mutant.copy, &mutant.target.strategy, &[])? {
            Ok(results) => results,
            Err(why) => return Ok(Fate::NoResults(why)),
        };
        if !results.broken.is_empty() {
            return Ok(Fate::Caught(results.broken));
        }
        if let Some(why) = results.silent {
            return Ok(Fate::Refused(why));
        }
        let search = ["--scheduler", "exhaustive", "--trials", SCHEDULES];
        let enumerated = self.run(&mutant.copy, &mutant.target.strategy, &search)?;
        Ok(match enumerated {
            // A command line that does not know the scheduler names it in its error.
            Err(why) if why.contains("exhaustive") => Fate::Survived(Exhaustive::Missing(why)),
            Err(why) => Fate::Survived(Exhaustive::Undecided(why)),
            Ok(Results { broken, .. }) if !broken.is_empty() => Fate::Caught(broken),
            Ok(Results { silent: Some(why), .. }) => Fate::Survived(Exhaustive::Undecided(why)),
            Ok(Results { whole, .. }) if whole.is_empty() => {
                Fate::Survived(Exhaustive::Undecided("no environment was enumerated whole".to_owned()))
            }
            Ok(results) => Fate::Survived(Exhaustive::Holds(results.how_far())),
        })
    }

    /// The results of a copy's strategy, or why there are none.
    fn run(&self, copy: &str, strategy: &str, more: &[&str]) -> Result<Result<Results, String>> {
        let Trials { shell, binary, json } = self;
        shell.remove_path(json)?;
        // Not in the project's folder: its saved counterexamples are not the copy's.
        let _there = shell.push_dir(json.parent().context("the results go into no folder")?);
        let target = format!("{copy}/{strategy}");
        let run =
            cmd!(shell, "timeout --signal=KILL {AT_MOST_S} {binary} run {target} --json {json} {more...}");
        let output = run.quiet().ignore_status().output()?;
        let text = shell.read_file(json).unwrap_or_default();
        if text.is_empty() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said =
                said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it was killed, or said nothing");
            return Ok(Err(said.to_owned()));
        }
        Ok(Ok(read(&serde_json::from_str(&text)?)))
    }
}

/// Reads the results. An unknown verdict is inconclusive, like an engine's refusal.
fn read(document: &Value) -> Results {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (mut broken, mut silent) = (Vec::new(), None);
    let (mut whole, mut partly) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for cell in list(&document["results"]) {
        for invariant in list(&cell["invariants"]) {
            let name = text(&invariant["name"]);
            if invariant["verdict"] == "violated" && seen.insert(name.clone()) {
                broken.push(format!("{name} from {}", text(&cell["environment"])));
            }
            if invariant["verdict"] == "unknown" {
                silent.get_or_insert(format!("{name} is unknown: {}", text(&invariant["unknown"])));
            }
        }
        // The search belongs to the cell, so each of its invariants has the same one.
        let search = &cell["invariants"][0]["confidence"]["exhaustive"];
        match search["complete"].as_bool() {
            Some(true) => whole.push(text(&cell["environment"])),
            Some(false) => partly.push(format!("{} on {}", search["schedules"], text(&cell["environment"]))),
            None => {}
        }
        for field in ["refused", "failed", "disagreement"] {
            silent = silent.or_else(|| cell[field].as_str().map(|why| format!("{field}: {why}")));
        }
    }
    Results { broken, silent, whole, partly }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::read;

    #[test]
    fn a_violation_is_reported_once_with_its_first_environment() {
        let cell = |environment: &str, verdict: &str| {
            let invariants =
                [json!({ "name": "a", "verdict": verdict }), json!({ "name": "b", "verdict": "holds" })];
            json!({ "environment": environment, "refused": null, "invariants": invariants })
        };
        let document =
            json!({ "results": [cell("calm", "holds"), cell("retry", "violated"), cell("all", "violated")] });
        let results = read(&document);
        assert_eq!((results.broken, results.silent), (vec!["a from retry".to_owned()], None));
    }

    #[test]
    fn how_far_a_search_got_is_reported_by_environment() {
        let cell = |environment: &str, complete: bool, schedules: u32| {
            let exhaustive = json!({ "complete": complete, "schedules": schedules });
            let invariant =
                json!({ "name": "a", "verdict": "holds", "confidence": { "exhaustive": exhaustive } });
            json!({ "environment": environment, "refused": null, "invariants": [invariant] })
        };
        let cells = [cell("calm", true, 1), cell("readers", false, 3_000), cell("all", true, 9)];
        let results = read(&json!({ "results": cells }));
        assert_eq!(results.how_far(), "all schedules on calm, all; 3000 on readers");
    }

    #[test]
    fn a_refusal_is_no_verdict() {
        let results =
            read(&json!({ "results": [{ "environment": "calm", "refused": "x", "invariants": [] }] }));
        assert_eq!((results.broken.len(), results.silent.as_deref()), (0, Some("refused: x")));
        // A mutant whose run fails is inconclusive, too.
        let results =
            read(&json!({ "results": [{ "environment": "calm", "failed": "y", "invariants": [] }] }));
        assert_eq!(results.silent.as_deref(), Some("failed: y"));
    }
}
