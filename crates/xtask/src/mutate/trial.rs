//! Puts a mutant on trial as any strategy is, in every environment of its environments, and reads from the results whether an
//! invariant saw what was done to it. Only an invariant counts: neither an engine's refusal nor a program that never
//! ends must be taken for a catch.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use xshell::{Shell, cmd};

use super::mutant::{Mutant, Target};

/// How long a mutant may take, in seconds of the wall clock; what holds takes one or two.
const AT_MOST_S: &str = "120";

/// The most schedules of each cell's smallest workload that are enumerated for a survivor: all of most cells. Left to
/// itself a search goes on for minutes where there are too many.
const SCHEDULES: &str = "3000";

/// What became of a mutant.
#[derive(Debug)]
pub(super) enum Fate {
    /// It is no valid program.
    NotCompiled,
    /// Invariants that the strategy keeps are broken: each with its environment, the easiest first.
    Caught(Vec<String>),
    /// The engine refuses something in it, so nothing is known.
    Refused(String),
    /// It gave no results.
    NoResults(String),
    /// Everything holds.
    Survived(Exhaustive),
}

/// What the exhaustive scheduler says of a survivor.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Exhaustive {
    /// It holds in all that was enumerated, which got so far.
    Holds(String),
    /// It says less than that, and why.
    Undecided(String),
    /// There is no such scheduler in this build.
    Missing(String),
}

/// What one run of the command line gave.
struct Results {
    broken: Vec<String>,
    /// A cell that says nothing, and why.
    silent: Option<String>,
    /// How far an enumeration got: the environments that were enumerated whole, and those that were not.
    whole: Vec<String>,
    partly: Vec<String>,
}

impl Results {
    fn how_far(&self) -> String {
        let whole = format!("all schedules on {}", self.whole.join(", "));
        if self.partly.is_empty() { whole } else { format!("{whole}; {}", self.partly.join(", ")) }
    }
}

/// What it takes to hold trials.
pub(super) struct Trials<'s> {
    pub(super) shell: &'s Shell,
    pub(super) binary: &'s Path,
    /// Where the results go.
    pub(super) json: &'s Path,
}

impl Trials<'_> {
    /// Makes sure that the strategy holds as long as nothing is broken.
    pub(super) fn baseline(&self, target: &Target) -> Result<()> {
        let results = self.run(&target.copy, &target.strategy, &[])?;
        let results = results.map_err(anyhow::Error::msg).with_context(|| target.name())?;
        ensure!(results.broken.is_empty(), "{} does not hold: {}", target.name(), results.broken.join(", "));
        let silent = results.silent.map_or(Ok(()), |why| Err(anyhow::Error::msg(why)));
        silent.with_context(|| target.name())
    }

    /// Finds out what becomes of a mutant that compiles.
    pub(super) fn fate(&self, mutant: &Mutant) -> Result<Fate> {
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
            // A command line that does not know the scheduler says so by its name.
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
        // Away from the counterexamples that the project keeps, which are none of a copy's.
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

/// What the results say: a verdict that is there but unknown says nothing, like an engine's refusal.
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
        // The search is the cell's, so each of its invariants tells the same.
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
    fn a_violation_is_told_once_with_its_first_rung() {
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
    fn how_far_a_search_got_is_told_by_rung() {
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
        // A mutant whose run fails has shown nothing either.
        let results =
            read(&json!({ "results": [{ "environment": "calm", "failed": "y", "invariants": [] }] }));
        assert_eq!(results.silent.as_deref(), Some("failed: y"));
    }
}
