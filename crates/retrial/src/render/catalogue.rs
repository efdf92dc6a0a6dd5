//! `retrial list` and `retrial explain`: print the names and the module documentation of scenarios, strategies and
//! invariants.

use anyhow::Result;
use retrial_scenarios::SCENARIOS;
use retrial_sim::rules;

use super::{output, style};
use crate::catalogue::{names, position, scenario};
use crate::exit::Exit;

/// The column in which descriptions begin.
const NAMES: usize = 39;

/// Lists the scenarios, or the contents of one.
///
/// # Errors
/// An unknown name.
pub fn list(name: Option<&str>) -> Result<Exit> {
    let Some(name) = name else {
        for entry in SCENARIOS {
            let info = entry.info();
            let (strategies, environments) = (info.strategies.len(), info.environments.len());
            say!("{}  strategies: {strategies}, environments: {environments}", style::heading(info.name));
        }
        return Ok(Exit::AsExpected);
    };
    let (_, info) = scenario(name)?;
    say!("{}", style::heading("strategies"));
    for strategy in &info.strategies {
        described(strategy.name, &title(strategy.source));
    }
    say!("{}", style::heading("invariants"));
    for (name, source) in &info.invariants {
        described(name, &title(source));
    }
    say!("{}", style::heading("built-in rules"));
    let rules = rules::OF_A_TRIAL.iter().map(|rule| (rule.name, rule.about));
    for (name, about) in rules.chain(rules::ELSEWHERE.iter().map(|rule| (rule.name, rule.about))) {
        match info.rules_off.iter().find(|off| off.rule == name) {
            Some(off) => described(name, &format!("off: {}", off.because)),
            None => described(name, about),
        }
    }
    say!("{}", style::heading("environments"));
    for environment in info.environments {
        described(environment.name, environment.about);
    }
    say!("{}\n  {}", style::heading("engines"), info.engines.join(", "));
    Ok(Exit::AsExpected)
}

/// Prints a scenario's README, or the documentation of one of its strategies or invariants.
///
/// # Errors
/// An unknown name.
pub fn explain(target: &str) -> Result<Exit> {
    let (name, part) = target.split_once('/').map_or((target, None), |(name, part)| (name, Some(part)));
    let (_, info) = scenario(name)?;
    let Some(part) = part else {
        say!("{}", info.story.trim_end());
        return Ok(Exit::AsExpected);
    };
    if let Some((_, source)) = info.invariants.iter().find(|(name, _)| *name == part) {
        say!("{}", story(source));
        return Ok(Exit::AsExpected);
    }
    let known: Vec<_> =
        names(&info).into_iter().chain(info.invariants.iter().map(|(name, _)| *name)).collect();
    let strategy = &info.strategies[position("strategy or invariant", part, &known)?];
    say!("{}", story(strategy.source));
    if strategy.known_failures.is_empty() {
        say!("\nNo known failures.");
    }
    for known in strategy.known_failures {
        say!("\nKnown failure: {}, from {} on:", style::bad(known.invariant), known.from);
        output::wrapped(known.because, 2, 2).iter().for_each(|line| say!("{line}"));
    }
    say!("\nSource:\n");
    for line in strategy.source.lines().skip_while(|line| !line.contains("const ")) {
        say!("{line}");
    }
    Ok(Exit::AsExpected)
}

/// Prints a name and what it stands for, wrapped beside it.
fn described(name: &str, about: &str) {
    let lines = output::wrapped(about, NAMES, NAMES);
    for (index, line) in lines.iter().enumerate() {
        if index == 0 {
            say!("  {name:<width$}{}", line.trim_start(), width = NAMES - 2);
        } else {
            say!("{line}");
        }
    }
}

/// The module documentation of a file.
fn story(source: &str) -> String {
    let lines = source.lines().take_while(|line| line.starts_with("//!"));
    let lines: Vec<_> = lines.map(|line| line.trim_start_matches("//!").trim_start_matches(' ')).collect();
    lines.join("\n")
}

/// The first sentence of a file's documentation.
fn title(source: &str) -> String {
    let story = story(source);
    let paragraph = story.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    match paragraph.split_once(". ") {
        Some((sentence, _)) => format!("{sentence}."),
        None => paragraph,
    }
}
