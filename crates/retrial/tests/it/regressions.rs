//! The cases under `regressions/` still have their recorded verdicts.

use std::fs;
use std::path::PathBuf;

use retrial::jobs::Hosts;
use retrial::regressions;
use retrial::results::Line;
use retrial::results::saved::{Checked, Outcome};
use retrial::scenarios::SCENARIOS;
use retrial::sim::explore::verdict::{Counterexample, Verdict};
use retrial::sim::registry::ScenarioInfo;
use retrial::sim::scenario::KnownFailure;

use crate::trials::{everything, root, run_trials};

#[test]
fn every_regression_keeps_its_verdict() {
    let saved = regressions::read(&root().join("regressions")).expect("they are cases");
    assert!(!saved.is_empty(), "there is at least one regression");
    let mut hosts = Hosts::default();
    let replayed = saved.into_iter().map(|saved| regressions::replay_one(saved, &mut hosts));
    let others = replayed.filter(|checked| checked.outcome != Outcome::AsRecorded);
    let others = others.map(|Checked { saved, outcome }| format!("{}: {outcome:?}", saved.name));
    let others: Vec<_> = others.collect();
    assert!(others.is_empty(), "{} have another verdict:\n{}", others.len(), others.join("\n"));
}

/// A known failure that is too rare for trials to show reliably has a saved counterexample.
#[test]
fn every_known_failure_that_need_not_be_observed_has_a_saved_case() {
    for (_, info) in SCENARIOS.iter().map(|entry| (entry, entry.info())) {
        for strategy in &info.strategies {
            for owned in strategy.known_failures.iter().filter(|owned| !owned.is_demanded()) {
                assert!(
                    saved(&info, strategy.name, owned).is_file(),
                    "{} {}",
                    strategy.name,
                    owned.invariant
                );
            }
        }
    }
}

/// Writes the smallest counterexample of every known failure. Run by hand when the types or labels of a scenario have
/// changed: `cargo test -p retrial --test it save_counterexamples -- --ignored`, then read the difference.
#[test]
#[ignore = "writes regressions/"]
fn save_counterexamples() {
    for table in &everything().tables {
        let info = &table.selection.info;
        for (index, strategy) in info.strategies.iter().enumerate() {
            for owned in strategy.known_failures {
                let lines = table.lines.iter().filter(|line| line.strategy == index);
                let least =
                    lines.filter_map(|line| counterexample(info, line, owned)).min_by_key(|it| it.size());
                let path = saved(info, strategy.name, owned);
                // A saved counterexample that these trials did not find again is left as it is.
                let search = || if path.exists() { None } else { search(info, strategy.name, owned) };
                let Some(counterexample) = least.cloned().or_else(search) else { continue };
                let text =
                    format!("# {}\n# {}\n{}", counterexample.sentence, owned.because, counterexample.case);
                fs::write(path, text).expect("it can be written");
            }
        }
    }
}

/// The file of the case of a known failure.
fn saved(info: &ScenarioInfo, strategy: &str, owned: &KnownFailure) -> PathBuf {
    root().join("regressions").join(format!("{}.{strategy}.{}.case", info.name, owned.invariant))
}

/// Searches for a rare known failure with many more trials than a normal run has.
fn search(info: &ScenarioInfo, strategy: &str, owned: &KnownFailure) -> Option<Counterexample> {
    let first = info.environments.iter().position(|environment| environment.name == owned.earliest())?;
    info.environments[first..].iter().find_map(|environment| {
        let target = format!("{}/{strategy}", info.name);
        let results = run_trials(&[&target, "--environment", environment.name, "--trials", "40000"]);
        match verdict(&results.tables[0].lines[0], owned) {
            Some(Verdict::Violated(counterexample)) => Some((**counterexample).clone()),
            _ => None,
        }
    })
}

/// The line's verdict on the invariant of that known failure.
fn verdict<'l>(line: &'l Line, owned: &KnownFailure) -> Option<&'l Verdict> {
    line.judgements.iter().find(|it| it.name == owned.invariant).map(|it| &it.verdict)
}

/// The line's counterexample of that known failure, if the failure is declared for the line's environment.
fn counterexample<'l>(
    info: &ScenarioInfo,
    line: &'l Line,
    owned: &KnownFailure,
) -> Option<&'l Counterexample> {
    let place = |name: &str| info.environments.iter().position(|environment| environment.name == name);
    let environments = place(owned.earliest())?..=place(owned.from)?;
    match verdict(line, owned)? {
        Verdict::Violated(counterexample) if environments.contains(&line.environment) => Some(counterexample),
        _ => None,
    }
}
