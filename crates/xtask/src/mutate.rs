//! `cargo xtask mutate`: mutation testing. Makes small edits to each strategy without known failures, one at a time,
//! and checks whether some invariant catches the mutant. The project's own files are not touched: mutants live in a
//! copy of the workspace under the target folder.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use xshell::{Shell, cmd};

use self::compile::Built;
use self::equivalent::Explanations;
use self::mutant::Target;
use self::mutation::Operator;
use self::report::Tried;
use self::trial::Fate;
use crate::tree;

mod compile;
mod equivalent;
mod mutant;
mod mutation;
mod reach;
mod report;
mod scenario;
mod source;
mod sql;
mod trial;
mod workspace;

mod ack_before_commit;
mod commit_in_two_parts;
mod drop_condition;
mod drop_guard;
mod drop_row_lock;
mod drop_statement;
mod swap_statements;

/// The operators for code that a strategy reaches.
const OPERATORS: [(&str, Operator); 6] = [
    ("drop_statement", drop_statement::mutations),
    ("drop_row_lock", drop_row_lock::mutations),
    ("drop_guard", drop_guard::mutations),
    ("drop_condition", drop_condition::mutations),
    ("swap_statements", swap_statements::mutations),
    ("commit_in_two_parts", commit_in_two_parts::mutations),
];

/// The operators that also apply to code that the scenario shares with all strategies, which takes messages and
/// acknowledges them.
const ON_LOAN: [(&str, Operator); 1] = [("ack_before_commit", ack_before_commit::mutations)];

/// Builds and runs every mutant of the named scenarios, or of all if none is named, and reports. Fails if too few are
/// caught.
pub(crate) fn run(shell: &Shell, named: &[String]) -> Result<()> {
    let files = tree::files(shell)?;
    let mut scenarios = scenario::all(&files)?;
    for name in named {
        ensure!(scenarios.iter().any(|scenario| scenario.name == *name), "there is no scenario {name}");
    }
    scenarios.retain(|scenario| named.is_empty() || named.contains(&scenario.name));
    let targets: Vec<Target> = scenarios.iter().flat_map(Target::of_scenario).collect();
    ensure!(!targets.is_empty(), "no strategy is expected to hold everywhere");
    let mutants = mutant::of_all(&scenarios, &targets);
    println!("{} mutants of {} strategies that hold", mutants.len(), targets.len());

    let home = home(shell)?;
    let Built { binary, refused } = compile::all(shell, &home, &files, &targets, &mutants)?;
    let trials = trial::Trials { shell, binary: &binary, json: &home.join("result.json") };
    for target in &targets {
        trials.baseline(target)?;
    }
    let explanations = Explanations::read()?;
    let mut tried = Vec::new();
    for mutant in &mutants {
        let fate = if refused.contains(&mutant.copy) { Fate::NotCompiled } else { trials.fate(mutant)? };
        let explanation = match fate {
            Fate::Survived(_) => explanations.of(mutant),
            _ => None,
        };
        report::progress(mutant, &fate);
        tried.push(Tried { mutant, fate, explanation });
    }
    let enough = report::all(&targets, &tried);
    // If only some scenarios are tried, an unused explanation may belong to another one.
    if named.is_empty() {
        explanations.unused(tried.iter().filter_map(|tried| tried.explanation))?;
    }
    enough
}

/// The folder of the mutants, below the target folder. It is kept from run to run.
fn home(shell: &Shell) -> Result<PathBuf> {
    let text = cmd!(shell, "cargo metadata --no-deps --format-version 1").quiet().read()?;
    let metadata: serde_json::Value = serde_json::from_str(&text)?;
    let target = metadata["target_directory"].as_str().context("cargo metadata names no target folder")?;
    let home = PathBuf::from(target).join("mutants");
    shell.create_dir(&home)?;
    Ok(home)
}
