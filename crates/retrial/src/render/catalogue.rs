//! `retrial list` and `retrial explain`: the names and the module documentation of scenarios, strategies and
//! invariants.

use retrial_sim::registry::ScenarioInfo;
use retrial_sim::rules;
use retrial_sim::scenario::StrategyInfo;

use super::{page, style};

/// The column in which descriptions begin.
const NAMES: usize = 39;

/// The scenarios, a line each.
pub fn scenarios(infos: impl Iterator<Item = ScenarioInfo>) -> String {
    let mut text = String::new();
    for info in infos {
        let (strategies, environments) = (info.strategies.len(), info.environments.len());
        let name = style::heading(info.name);
        say!(text, "{name}  strategies: {strategies}, environments: {environments}");
    }
    text
}

/// The contents of a scenario.
pub fn contents(info: &ScenarioInfo) -> String {
    let mut text = String::new();
    say!(text, "{}", style::heading("strategies"));
    for strategy in &info.strategies {
        describe(&mut text, strategy.name, &title(strategy.source));
    }
    say!(text, "{}", style::heading("invariants"));
    for (name, source) in &info.invariants {
        describe(&mut text, name, &title(source));
    }
    say!(text, "{}", style::heading("built-in rules"));
    let rules = rules::OF_A_TRIAL.iter().map(|rule| (rule.name, rule.about));
    for (name, about) in rules.chain(rules::ELSEWHERE.iter().map(|rule| (rule.name, rule.about))) {
        match info.rules_off.iter().find(|off| off.rule == name) {
            Some(off) => describe(&mut text, name, &format!("off: {}", off.because)),
            None => describe(&mut text, name, about),
        }
    }
    say!(text, "{}", style::heading("environments"));
    for environment in &info.environments {
        describe(&mut text, environment.name, environment.about);
    }
    say!(text, "{}\n  {}", style::heading("engines"), info.engines.join(", "));
    text
}

/// A scenario's README.
pub fn scenario(info: &ScenarioInfo) -> String {
    format!("{}\n", info.story.trim_end())
}

/// The documentation of an invariant, by the text of its file.
pub fn invariant(source: &str) -> String {
    format!("{}\n", story(source))
}

/// The documentation of a strategy, its known failures, and its source.
pub fn strategy(strategy: &StrategyInfo) -> String {
    let mut text = String::new();
    say!(text, "{}", story(strategy.source));
    if strategy.known_failures.is_empty() {
        say!(text, "\nNo known failures.");
    }
    for known in strategy.known_failures {
        say!(text, "\nKnown failure: {}, from {} on:", style::bad(known.invariant), known.from);
        page::wrapped(known.because, 2, 2).iter().for_each(|line| say!(text, "{line}"));
    }
    say!(text, "\nSource:\n");
    for line in strategy.source.lines().skip_while(|line| !line.contains("const ")) {
        say!(text, "{line}");
    }
    text
}

/// A name and what it stands for, wrapped beside it.
fn describe(text: &mut String, name: &str, about: &str) {
    let lines = page::wrapped(about, NAMES, NAMES);
    for (index, line) in lines.iter().enumerate() {
        if index == 0 {
            say!(text, "  {name:<width$}{}", line.trim_start(), width = NAMES - 2);
        } else {
            say!(text, "{line}");
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
