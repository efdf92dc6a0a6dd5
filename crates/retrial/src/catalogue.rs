//! Looks up scenarios, strategies and engines by name. The error of an unknown name suggests the nearest known one.

use std::env::VarError;
use std::sync::{Arc, OnceLock};

use anyhow::{Result, anyhow};
use retrial_engines::postgres::{Postgres, Server};
use retrial_scenarios::SCENARIOS;
use retrial_sim::registry::{ScenarioEntry, ScenarioInfo};
use retrial_sim::trial::TrialHost;

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

/// The name of the engine to use with a scenario: the requested one, or its first.
///
/// # Errors
/// The scenario does not run on the requested engine; the error lists its engines.
pub fn engine_name(info: &ScenarioInfo, asked: Option<&str>) -> Result<&'static str> {
    let Some(asked) = asked else { return Ok(info.engines[0]) };
    let known = info.engines.iter().find(|engine| **engine == asked);
    known.copied().ok_or_else(|| {
        anyhow!("{} does not run on engine `{asked}`; its engines: {}", info.name, info.engines.join(", "))
    })
}

/// A trial host with the engine of that name.
///
/// # Errors
/// The name is unknown, or the engine cannot start.
pub fn host(engine: &str) -> Result<TrialHost> {
    use retrial_engines::sqlite::Sqlite;
    match engine {
        // The only scenario on SQLite uses a write-ahead log, as its original does.
        "sqlite" => Ok(TrialHost::new(Box::new(Sqlite::new()?))),
        "model" => Ok(TrialHost::new(Box::new(retrial_engines::model::Model::new()))),
        "postgres" => Ok(TrialHost::new(Box::new(Postgres::new(&server()?)?))),
        // For scenarios that send no SQL.
        "none" => Ok(TrialHost::without_engine()),
        other => Err(anyhow!("there is no engine `{other}`; engines: model, postgres, sqlite, none")),
    }
}

/// Whether the engine of that name is a live server, which cannot be made deterministic.
pub fn is_live(engine: &str) -> bool {
    engine == "postgres"
}

/// The live server of this process, found or started on the first call.
///
/// # Errors
/// There is no server; the error says how to get one.
#[expect(clippy::disallowed_methods, reason = "the command line reads the environment, nothing else does")]
pub fn server() -> Result<Arc<Server>> {
    static SERVER: OnceLock<Arc<Server>> = OnceLock::new();
    if let Some(server) = SERVER.get() {
        return Ok(server.clone());
    }
    let url = match std::env::var("RETRIAL_POSTGRES_URL") {
        Ok(url) => Some(url),
        Err(VarError::NotPresent) => None,
        // A server was named, so a throwaway one is not what the user wants.
        Err(VarError::NotUnicode(_)) => return Err(anyhow!("RETRIAL_POSTGRES_URL is not text")),
    };
    let server = Server::find(url.as_deref())?;
    Ok(SERVER.get_or_init(|| server).clone())
}
