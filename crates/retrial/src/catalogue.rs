//! What there is, by name; a name that is not there is answered with the nearest.

use std::env::VarError;
use std::sync::{Arc, OnceLock};

use anyhow::{Result, anyhow};
use retrial_engines::postgres::{Postgres, Server};
use retrial_scenarios::SCENARIOS;
use retrial_sim::registry::{ScenarioEntry, ScenarioInfo};
use retrial_sim::trial::TrialHost;

/// A scenario, and which of its strategies are meant.
pub struct Selection {
    /// The scenario.
    pub entry: &'static dyn ScenarioEntry,
    /// What it says of itself.
    pub info: ScenarioInfo,
    /// Indices of strategies.
    pub strategies: Vec<usize>,
}

/// The scenario of that name.
///
/// # Errors
/// One line with the nearest name.
pub fn scenario(name: &str) -> Result<(&'static dyn ScenarioEntry, ScenarioInfo)> {
    let infos: Vec<_> = SCENARIOS.iter().map(|entry| (*entry, entry.info())).collect();
    let names: Vec<_> = infos.iter().map(|(_, info)| info.name).collect();
    let index = position("scenario", name, &names)?;
    Ok(infos.into_iter().nth(index).expect("the position is in the list"))
}

/// What the targets of a command line mean: every scenario where there are none.
///
/// # Errors
/// One line with the nearest name.
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

/// So much of a name that is not there is compared with those that are.
const LONGEST_NAME: usize = 100;

/// The names of a scenario's strategies.
pub fn names(info: &ScenarioInfo) -> Vec<&'static str> {
    info.strategies.iter().map(|strategy| strategy.name).collect()
}

/// Where in the list the name is.
///
/// # Errors
/// One line with the nearest name.
pub fn position(kind: &str, name: &str, names: &[&str]) -> Result<usize> {
    names.iter().position(|known| *known == name).ok_or_else(|| {
        // The distance takes room for each pair of letters, and no name is that long.
        let start: String = name.chars().take(LONGEST_NAME).collect();
        let nearest = names.iter().min_by_key(|known| strsim::damerau_levenshtein(known, &start));
        let hint = nearest.map_or(String::new(), |nearest| format!("; did you mean `{nearest}`?"));
        anyhow!("there is no {kind} `{name}`{hint}")
    })
}

/// The name of the engine to use with a scenario: the one asked for, or its first.
///
/// # Errors
/// One line that says which there are.
pub fn engine_name(info: &ScenarioInfo, asked: Option<&str>) -> Result<&'static str> {
    let Some(asked) = asked else { return Ok(info.engines[0]) };
    let known = info.engines.iter().find(|engine| **engine == asked);
    known.copied().ok_or_else(|| {
        anyhow!("{} does not run on engine `{asked}`; its engines: {}", info.name, info.engines.join(", "))
    })
}

/// A bed with the engine of that name.
///
/// # Errors
/// Where the engine cannot start.
pub fn host(engine: &str) -> Result<TrialHost> {
    use retrial_engines::sqlite::{Journal, Sqlite};
    match engine {
        // The one scenario on SQLite has a write-ahead log, as its original does.
        "sqlite" => Ok(TrialHost::new(Box::new(Sqlite::new(Journal::Wal)?))),
        "model" => Ok(TrialHost::new(Box::new(retrial_engines::model::Model::new()))),
        "postgres" => Ok(TrialHost::new(Box::new(Postgres::new(&server()?)?))),
        // For scenarios that send no SQL.
        "none" => Ok(TrialHost::without_engine()),
        other => Err(anyhow!("there is no engine `{other}`; engines: model, postgres, sqlite, none")),
    }
}

/// Whether the engine of that name is a server of its own, which nobody here can make deterministic.
pub fn is_live(engine: &str) -> bool {
    engine == "postgres"
}

/// The live server that this process uses: found, or started, once.
///
/// # Errors
/// One line that says how to get one.
#[expect(clippy::disallowed_methods, reason = "the command line reads the environment, nothing else does")]
pub fn server() -> Result<Arc<Server>> {
    static SERVER: OnceLock<Arc<Server>> = OnceLock::new();
    if let Some(server) = SERVER.get() {
        return Ok(server.clone());
    }
    let url = match std::env::var("RETRIAL_POSTGRES_URL") {
        Ok(url) => Some(url),
        Err(VarError::NotPresent) => None,
        // Nobody who names a server means a throwaway one.
        Err(VarError::NotUnicode(_)) => return Err(anyhow!("RETRIAL_POSTGRES_URL is not text")),
    };
    let server = Server::find(url.as_deref())?;
    Ok(SERVER.get_or_init(|| server).clone())
}
