//! What there is: scenarios, strategies and invariants by name, and the engines. The error of an unknown name suggests
//! the nearest known one.

use anyhow::{Result, anyhow};
use retrial_scenarios::SCENARIOS;
use retrial_sim::registry::{ScenarioEntry, ScenarioInfo};
use retrial_sim::scenario::StrategyInfo;

mod engines;

pub use engines::{
    ENGINES, Engine, Specs, clean_up, engine_name, engine_of_specs, host, is_live, spec_engines,
};

/// A scenario and the strategies selected from it.
pub struct Selection {
    /// The scenario.
    pub entry: &'static dyn ScenarioEntry,
    /// Its description.
    pub info: ScenarioInfo,
    /// Indices of strategies.
    pub strategies: Vec<usize>,
}

/// The scenario of that name.
///
/// # Errors
/// An unknown name; the error suggests the nearest one.
pub fn scenario(name: &str) -> Result<(&'static dyn ScenarioEntry, ScenarioInfo)> {
    let infos: Vec<_> = SCENARIOS.iter().map(|entry| (*entry, entry.info())).collect();
    let names: Vec<_> = infos.iter().map(|(_, info)| info.name).collect();
    let index = position("scenario", name, &names)?;
    Ok(infos.into_iter().nth(index).expect("the position is in the list"))
}

/// Resolves the targets of a command line; without targets, every scenario.
///
/// # Errors
/// An unknown name; the error suggests the nearest one.
pub fn select(targets: &[String]) -> Result<Vec<Selection>> {
    let mut selected: Vec<Selection> = Vec::new();
    let all: Vec<String> = SCENARIOS.iter().map(|entry| entry.info().name.to_owned()).collect();
    for target in if targets.is_empty() { &all } else { targets } {
        let (name, strategy) =
            target.split_once('/').map_or((&**target, None), |(name, rest)| (name, Some(rest)));
        let (entry, info) = scenario(name)?;
        let strategies = match strategy {
            Some(strategy) => vec![position("strategy", strategy, &names(&info))?],
            None => (0..info.strategies.len()).collect(),
        };
        match selected.iter_mut().find(|selection| selection.info.name == info.name) {
            Some(selection) => selection.strategies.extend(strategies),
            None => selected.push(Selection { entry, info, strategies }),
        }
    }
    for selection in &mut selected {
        selection.strategies.sort_unstable();
        selection.strategies.dedup();
    }
    Ok(selected)
}

/// What a target of `explain` names.
#[derive(Clone, Debug)]
pub enum Explained {
    /// A scenario.
    Scenario(ScenarioInfo),
    /// An invariant, by the text of its file.
    Invariant(&'static str),
    /// A strategy.
    Strategy(StrategyInfo),
}

/// What SCENARIO, SCENARIO/STRATEGY or SCENARIO/INVARIANT names.
///
/// # Errors
/// An unknown name; the error suggests the nearest one.
pub fn explained(target: &str) -> Result<Explained> {
    let (name, part) = target.split_once('/').map_or((target, None), |(name, part)| (name, Some(part)));
    let (_, info) = scenario(name)?;
    let Some(part) = part else { return Ok(Explained::Scenario(info)) };
    if let Some((_, source)) = info.invariants.iter().find(|(name, _)| *name == part) {
        return Ok(Explained::Invariant(source));
    }
    let known: Vec<_> =
        names(&info).into_iter().chain(info.invariants.iter().map(|(name, _)| *name)).collect();
    let index = position("strategy or invariant", part, &known)?;
    Ok(Explained::Strategy(info.strategies[index]))
}

/// So many names are listed where none is suggested.
const FEW: usize = 10;

/// A name is suggested for a misspelt one if so many edits lead to it, or a third of its length.
const FARTHEST: usize = 2;

/// The number of characters of an unknown name that are compared with the known names.
const LONGEST_NAME: usize = 100;

/// The names of a scenario's strategies.
pub fn names(info: &ScenarioInfo) -> Vec<&'static str> {
    info.strategies.iter().map(|strategy| strategy.name).collect()
}

/// The index of the name in the list.
///
/// # Errors
/// An unknown name; the error suggests the nearest one.
pub fn position(kind: &str, name: &str, names: &[&str]) -> Result<usize> {
    names.iter().position(|known| *known == name).ok_or_else(|| {
        // The distance needs memory for each pair of characters, and no known name is that long.
        let start: String = name.chars().take(LONGEST_NAME).collect();
        let nearest = names.iter().min_by_key(|known| strsim::damerau_levenshtein(known, &start));
        let is_near = |known: &&&str| {
            strsim::damerau_levenshtein(known, &start) <= FARTHEST.max(start.chars().count() / 3)
        };
        let hint = match nearest.filter(is_near) {
            Some(nearest) => format!("; did you mean `{nearest}`?"),
            None if names.len() <= FEW => format!("; there are: {}", names.join(", ")),
            None => "; see `retrial list`".to_owned(),
        };
        anyhow!("there is no {kind} `{name}`{hint}")
    })
}
