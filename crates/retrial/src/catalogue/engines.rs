//! The engines: one entry each. Nothing else on the command line names one.

use std::env::VarError;
use std::sync::{Arc, OnceLock};

use anyhow::{Result, anyhow};
use retrial_engines::console::Console;
use retrial_engines::model::{Model, ModelConsole};
use retrial_engines::postgres::{self, Postgres, PostgresConsole, Server};
use retrial_engines::sqlite::Sqlite;
use retrial_sim::registry::ScenarioInfo;
use retrial_sim::trial::TrialHost;

/// An engine.
#[derive(Clone, Copy, Debug)]
pub struct Engine {
    /// Its name, as scenarios, cases and the command line have it.
    pub name: &'static str,
    /// Whether it is a live server, which cannot be made deterministic. Plans depend on it, and they are made before an
    /// engine is started.
    pub is_live: bool,
    /// Starts it in a trial host.
    host: fn() -> Result<TrialHost>,
    /// How isolation specs are run on it; none if they cannot be.
    specs: Option<Specs>,
    /// Removes what it created outside of the process; none if it creates nothing.
    clean_up: Option<fn()>,
}

/// How isolation specs are run on an engine.
#[derive(Clone, Copy, Debug)]
pub struct Specs {
    /// Opens a database of its own.
    pub console: fn() -> Result<Box<dyn Console>>,
    /// Whether others use the server, so that a spec must not reach beyond its own database.
    pub is_shared: fn() -> Result<bool>,
}

/// All engines.
pub static ENGINES: &[Engine] = &[
    Engine {
        name: "model",
        is_live: false,
        host: || Ok(TrialHost::new(Box::new(Model::new()))),
        specs: Some(Specs { console: || Ok(Box::new(ModelConsole::new())), is_shared: || Ok(false) }),
        clean_up: None,
    },
    Engine {
        name: "postgres",
        is_live: true,
        host: || Ok(TrialHost::new(Box::new(Postgres::new(&server()?)?))),
        specs: Some(Specs {
            console: || Ok(Box::new(PostgresConsole::new(&server()?)?)),
            is_shared: || Ok(server()?.folder().is_none()),
        }),
        clean_up: Some(postgres::clean_up),
    },
    Engine {
        name: "sqlite",
        is_live: false,
        host: || Ok(TrialHost::new(Box::new(Sqlite::new()?))),
        specs: None,
        clean_up: None,
    },
    // For scenarios that send no SQL.
    Engine {
        name: "none",
        is_live: false,
        host: || Ok(TrialHost::without_engine()),
        specs: None,
        clean_up: None,
    },
];

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
    let known = find(engine).ok_or_else(|| {
        let names: Vec<_> = ENGINES.iter().map(|engine| engine.name).collect();
        anyhow!("there is no engine `{engine}`; engines: {}", names.join(", "))
    })?;
    (known.host)()
}

/// Whether the engine of that name is a live server.
pub fn is_live(engine: &str) -> bool {
    find(engine).is_some_and(|engine| engine.is_live)
}

/// How isolation specs are run on the engine of that name.
///
/// # Errors
/// They cannot be run on it; the error lists the engines.
pub fn engine_of_specs(engine: &str) -> Result<Specs> {
    find(engine).and_then(|known| known.specs).ok_or_else(|| {
        let names = spec_engines().join(", ");
        anyhow!("isolation specs do not run on engine `{engine}`; engines: {names}")
    })
}

/// The names of the engines that run isolation specs, the default first.
pub fn spec_engines() -> Vec<&'static str> {
    ENGINES.iter().filter(|engine| engine.specs.is_some()).map(|engine| engine.name).collect()
}

/// Removes what the engines of this process created outside of it.
pub fn clean_up() {
    ENGINES.iter().filter_map(|engine| engine.clean_up).for_each(|clean_up| clean_up());
}

fn find(engine: &str) -> Option<&'static Engine> {
    ENGINES.iter().find(|known| known.name == engine)
}

/// The live server of this process, found or started on the first call.
#[expect(clippy::disallowed_methods, reason = "the command line reads the environment, nothing else does")]
fn server() -> Result<Arc<Server>> {
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
