//! `retrial isolation`: each spec on a database of its own, one after the other. A spec that fails keeps none of the
//! others from being performed.

use std::env::VarError;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use retrial_engines::console::Console;
use retrial_engines::model::ModelConsole;
use retrial_engines::postgres::PostgresConsole;

use super::{Limits, Outcome, Said, Spec, reach, read, run_within};
use crate::args::IsolationArgs;
use crate::exit::Exit;
use crate::{catalogue, input, render};

/// The longest that a step may be given, in seconds.
const LONGEST_S: u64 = 24 * 60 * 60;

/// Performs the specs.
///
/// # Errors
/// One line: a file that cannot be read or is no spec, an engine that there is not.
pub fn perform_specs(args: &IsolationArgs) -> Result<Exit> {
    let mut specs = Vec::new();
    for path in &args.specs {
        let file = path.display().to_string();
        let text = input::text(path, input::SPEC)?;
        let mut spec = read(&file, &text).map_err(|error| anyhow!("{error}"))?;
        if let Some(name) = application() {
            spec.application = name;
        }
        specs.push((file, spec));
    }
    let limits = Limits { step: timeout()?, ..Limits::default() };
    refuse_reach(args, &specs)?;
    let mut exit = Exit::AsExpected;
    for (file, spec) in &specs {
        let mut console = console(&args.engine)?;
        exit = exit.max(perform_spec(file, spec, &limits, &mut *console));
    }
    Ok(exit)
}

fn perform_spec(file: &str, spec: &Spec, limits: &Limits, console: &mut dyn Console) -> Exit {
    let performed = run_within(spec, limits, console, &mut |said| match said {
        Said::Transcript(text) => render::transcript_of_spec(&text),
        Said::Beside(line) => render::beside(&line),
    });
    match performed {
        Ok(Outcome { cut: 0, not_tried: 0, .. }) => Exit::AsExpected,
        Ok(_) => Exit::Unknown,
        Err(error) => {
            render::bad_input(&anyhow!("{file}: {error}"));
            Exit::BadInput
        }
    }
}

/// Refuses what reaches beyond a spec's own database, on a server that is not ours.
fn refuse_reach(args: &IsolationArgs, specs: &[(String, Spec)]) -> Result<()> {
    if args.engine != "postgres" || args.allow_server_programs || catalogue::server()?.folder().is_some() {
        return Ok(());
    }
    for (file, spec) in specs {
        if let Some(found) = reach::beyond_database(spec) {
            bail!(
                "{file}: {found}; this server is not a throwaway one, so say --allow-server-programs if it may"
            );
        }
    }
    Ok(())
}

fn console(engine: &str) -> Result<Box<dyn Console>> {
    match engine {
        "model" => Ok(Box::new(ModelConsole::new())),
        "postgres" => Ok(Box::new(PostgresConsole::new(&catalogue::server()?)?)),
        other => Err(anyhow!("isolation specs do not run on engine `{other}`; engines: model, postgres")),
    }
}

/// What the sessions are called before their names, where the environment says so: libpq reads it there.
#[expect(clippy::disallowed_methods, reason = "the command line reads the environment, nothing else does")]
fn application() -> Option<String> {
    std::env::var("PGAPPNAME").ok()
}

/// How long a step may take: what the original reads from the environment, in seconds.
#[expect(clippy::disallowed_methods, reason = "the command line reads the environment, nothing else does")]
fn timeout() -> Result<Duration> {
    let said = match std::env::var("PGISOLATIONTIMEOUT") {
        Ok(said) => said,
        Err(VarError::NotPresent) => return Ok(Limits::default().step),
        Err(VarError::NotUnicode(said)) => said.to_string_lossy().into_owned(),
    };
    match said.parse() {
        Ok(seconds) if seconds <= LONGEST_S => Ok(Duration::from_secs(seconds)),
        _ => bail!("PGISOLATIONTIMEOUT is `{said}`, not a number of seconds from 0 to {LONGEST_S}"),
    }
}
