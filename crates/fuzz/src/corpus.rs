//! What is broken to make inputs: what the repository has of each kind, in the order of its files' names.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use retrial::isolation;
use retrial_sim::case::Case;

/// Stands between the texts of one input that are sent one after the other.
pub(crate) const DIVIDER: &str = "\n\u{1}\n";

fn root() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", ".."].iter().collect()
}

/// The texts of a folder's files of one ending.
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
    // A token and a case take turns: the reader of tokens seals what is no token.
    let cases = cases()?.into_iter().map(|text| {
        let case: Case = text.parse()?;
        Ok([retrial::token::encode(&case), case.to_string()])
    });
    Ok(cases.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

pub(crate) fn specs() -> Result<Vec<String>> {
    texts(&root().join("crates/pgmodel/specs"), "spec")
}

/// Of each spec a whole life: what sets up, and the steps of its sessions in one; and the scenarios' schemas.
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

/// Of each case a line that says which trial it is of, and its workload.
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

/// The case that the first line of an input of workloads is about, without choices.
pub(crate) fn headed(line: &str) -> Result<Case> {
    let words: Vec<&str> = line.split(' ').collect();
    let [scenario, strategy, environment, engine, invariant] = words[..] else { anyhow::bail!("five names") };
    let text = format!(
        "retrial case 1\ntrial {scenario}/{strategy} on {environment} by {engine}\nverdict {invariant} holds\ndigest 0\n\
         schedule free 1\nworkload 0\n"
    );
    let case: Case = text.parse()?;
    Ok(case)
}

pub(crate) fn planted() -> Result<Vec<String>> {
    Ok(vec!["calm text without braces, of some length".to_owned(), "another one".to_owned()])
}
