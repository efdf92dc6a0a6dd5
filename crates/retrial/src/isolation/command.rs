//! `retrial isolation`: each spec on a database of its own, one after the other.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use retrial_engines::console::Console;
use retrial_engines::model::ModelConsole;
use retrial_engines::postgres::PostgresConsole;

use super::{Limits, Spec, read, run_within};
use crate::args::IsolationArgs;
use crate::catalogue;
use crate::exit::Exit;
use crate::render;

/// Performs the specs.
///
/// # Errors
/// One line: a file that cannot be read or is no spec, an engine that there is not, a setup that fails.
pub fn perform_specs(args: &IsolationArgs) -> Result<Exit> {
    let mut specs = Vec::new();
    for path in &args.specs {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("{file} cannot be read; give the path of an isolation spec"))?;
        specs.push((file.clone(), read(&file, &text).map_err(|error| anyhow!("{error}"))?));
    }
    let limits = Limits { step: timeout()?, ..Limits::default() };
    let mut exit = Exit::AsExpected;
    for (file, spec) in &specs {
        let mut console = console(&args.engine)?;
        exit = exit.max(perform_spec(file, spec, &limits, &mut *console)?);
    }
    Ok(exit)
}

fn perform_spec(file: &str, spec: &Spec, limits: &Limits, console: &mut dyn Console) -> Result<Exit> {
    match run_within(spec, limits, console, &mut |text| render::transcript_of_spec(text)) {
        Ok(outcome) => {
            outcome.warnings.iter().for_each(|warning| render::beside(warning));
            Ok(Exit::AsExpected)
        }
        Err(error) if error.to_string().starts_with("not modelled: ") => {
            render::beside(&format!("{file}: {error}"));
            Ok(Exit::Unknown)
        }
        Err(error) => Err(anyhow!("{file}: {error}")),
    }
}

fn console(engine: &str) -> Result<Box<dyn Console>> {
    match engine {
        "model" => Ok(Box::new(ModelConsole::new())),
        "postgres" => Ok(Box::new(PostgresConsole::new(&catalogue::server()?)?)),
        other => Err(anyhow!("isolation specs do not run on engine `{other}`; engines: model, postgres")),
    }
}

/// How long a step may take: what the original reads from the environment, in seconds.
#[expect(clippy::disallowed_methods, reason = "the command line reads the environment, nothing else does")]
fn timeout() -> Result<Duration> {
    let Ok(seconds) = std::env::var("PGISOLATIONTIMEOUT") else { return Ok(Limits::default().step) };
    let seconds =
        seconds.parse().map_err(|_| anyhow!("PGISOLATIONTIMEOUT is `{seconds}`, not a number of seconds"))?;
    Ok(Duration::from_secs(seconds))
}
