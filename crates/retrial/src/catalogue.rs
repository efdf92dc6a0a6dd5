//! What there is, by name; a name that is not there is answered with the nearest.

use std::env::VarError;
use std::sync::{Arc, OnceLock};

use anyhow::{Result, anyhow};
use retrial_engines::postgres::{Postgres, Server};
use retrial_scenarios::SCENARIOS;
use retrial_sim::docket::{Card, Docket};
use retrial_sim::trial::TestBed;

/// A scenario, and which of its strategies are meant.
pub struct Selection {
    /// The scenario.
    pub docket: &'static dyn Docket,
    /// What it says of itself.
    pub card: Card,
    /// Indices of strategies.
    pub strategies: Vec<usize>,
}

/// The scenario of that name.
///
/// # Errors
/// One line with the nearest name.
pub fn scenario(name: &str) -> Result<(&'static dyn Docket, Card)> {
    let cards: Vec<_> = SCENARIOS.iter().map(|docket| (*docket, docket.card())).collect();
    let names: Vec<_> = cards.iter().map(|(_, card)| card.name).collect();
    let index = position("scenario", name, &names)?;
    Ok(cards.into_iter().nth(index).expect("the position is in the list"))
}

/// What the targets of a command line mean: every scenario where there are none.
///
/// # Errors
/// One line with the nearest name.
pub fn select(targets: &[String]) -> Result<Vec<Selection>> {
    let mut selected: Vec<Selection> = Vec::new();
    let all: Vec<String> = SCENARIOS.iter().map(|docket| docket.card().name.to_owned()).collect();
    for target in if targets.is_empty() { &all } else { targets } {
        let (name, strategy) =
            target.split_once('/').map_or((&**target, None), |(name, rest)| (name, Some(rest)));
        let (docket, card) = scenario(name)?;
        let strategies = match strategy {
            Some(strategy) => vec![position("strategy", strategy, &names(&card))?],
            None => (0..card.strategies.len()).collect(),
        };
        match selected.iter_mut().find(|selection| selection.card.name == card.name) {
            Some(selection) => selection.strategies.extend(strategies),
            None => selected.push(Selection { docket, card, strategies }),
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
pub fn names(card: &Card) -> Vec<&'static str> {
    card.strategies.iter().map(|strategy| strategy.name).collect()
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
pub fn engine_name(card: &Card, asked: Option<&str>) -> Result<&'static str> {
    let Some(asked) = asked else { return Ok(card.engines[0]) };
    let known = card.engines.iter().find(|engine| **engine == asked);
    known.copied().ok_or_else(|| {
        anyhow!("{} does not run on engine `{asked}`; its engines: {}", card.name, card.engines.join(", "))
    })
}

/// A bed with the engine of that name.
///
/// # Errors
/// Where the engine cannot start.
pub fn bed(engine: &str) -> Result<TestBed> {
    use retrial_engines::sqlite::{Journal, Sqlite};
    match engine {
        // The one scenario on SQLite has a write-ahead log, as its original does.
        "sqlite" => Ok(TestBed::new(Box::new(Sqlite::new(Journal::Wal)?))),
        "model" => Ok(TestBed::new(Box::new(retrial_engines::model::Model::new()))),
        "postgres" => Ok(TestBed::new(Box::new(Postgres::new(&server()?)?))),
        // For scenarios that send no SQL.
        "none" => Ok(TestBed::without_engine()),
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
