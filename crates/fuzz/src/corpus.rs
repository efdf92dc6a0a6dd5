//! The texts that inputs are mutated from: the repository's files of each kind, in the order of their names.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use retrial_isolation as isolation;
use retrial_sim::explore::case::Case;

/// Separates the texts of one input that are sent one after another.
pub(crate) const DIVIDER: &str = "\n\u{1}\n";

fn root() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", ".."].iter().collect()
}

/// The texts of a folder's files with one extension.
fn texts(folder: &Path, ending: &str) -> Result<Vec<String>> {
    let cannot = || format!("{} cannot be read", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if path.extension().is_some_and(|found| found == ending) {
            paths.push(path);
        }
    }
    paths.sort();
    ensure!(!paths.is_empty(), "{} has no .{ending} to begin with", folder.display());
    paths.iter().map(|path| fs::read_to_string(path).with_context(cannot)).collect()
}

pub(crate) fn cases() -> Result<Vec<String>> {
    texts(&root().join("regressions"), "case")
}

pub(crate) fn tokens() -> Result<Vec<String>> {
    // Tokens and cases alternate: the reader of tokens seals what is not a token.
    let cases = cases()?.into_iter().map(|text| {
        let case: Case = text.parse()?;
        Ok([retrial::token::encode(&case), case.to_string()])
    });
    Ok(cases.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

pub(crate) fn specs() -> Result<Vec<String>> {
    texts(&root().join("crates/pgmodel/specs"), "spec")
}

/// For each spec one text with its setup, the steps of its sessions and its teardown; and the scenarios' schemas.
pub(crate) fn sql() -> Result<Vec<String>> {
    let mut found = Vec::new();
    for text in specs()? {
        let spec = isolation::read("corpus", &text)?;
        let setups = spec.setups.iter();
        let sessions = spec.sessions.iter().flat_map(|session| {
            session.setup.iter().chain(session.steps.iter().map(|step| &step.sql)).chain(&session.teardown)
        });
        let texts: Vec<&str> = setups.chain(sessions).chain(&spec.teardown).map(String::as_str).collect();
        found.push(texts.join(DIVIDER));
    }
    let scenarios = root().join("scenarios");
    for entry in fs::read_dir(&scenarios)? {
        let schema = entry?.path().join("schema.sql");
        if let Ok(text) = fs::read_to_string(schema) {
            found.push(text);
        }
    }
    found.sort();
    Ok(found)
}

/// For each case a line that names its trial, and its workload.
pub(crate) fn workloads() -> Result<Vec<String>> {
    let cases = cases()?.into_iter().map(|text| {
        let case: Case = text.parse()?;
        Ok(format!(
            "{} {} {} {} {}\n{}",
            case.scenario, case.strategy, case.environment, case.engine, case.invariant, case.workload
        ))
    });
    cases.collect()
}

/// The case that the first line of a workload input names, without choices.
pub(crate) fn headed(line: &str) -> Result<Case> {
    let words: Vec<&str> = line.split(' ').collect();
    let [scenario, strategy, environment, engine, invariant] = words[..] else { anyhow::bail!("five names") };
    let text = format!(
        "retrial case 1\ntrial {scenario}/{strategy} on {environment} by {engine}\n\
         verdict {invariant} holds\ndigest 0\n\
         schedule free 1\nworkload 0\n"
    );
    let case: Case = text.parse()?;
    Ok(case)
}

pub(crate) fn planted() -> Result<Vec<String>> {
    Ok(vec!["calm text without braces, of some length".to_owned(), "another one".to_owned()])
}
