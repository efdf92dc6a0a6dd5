//! `retrial isolation`: runs each spec in its own database, one after the other. After a failing spec the others are
//! still run.

use std::env::VarError;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use retrial_engines::console::Console;
use retrial_isolation::{Limits, Outcome, Output, Spec, beyond_database, read, run_within};

use crate::args::IsolationArgs;
use crate::catalogue::{self, Specs};
use crate::exit::Exit;
use crate::input;

/// The longest time limit of a step, in seconds.
const LONGEST_S: u64 = 24 * 60 * 60;

/// What is said while a spec is run.
#[derive(Debug)]
pub enum Said<'a> {
    /// A piece of its output.
    Output(&'a Output),
    /// Its setup or the server failed.
    Failed(&'a anyhow::Error),
}

/// Runs the specs. `said` gets what they say, in order.
///
/// # Errors
/// A file cannot be read or is not a spec, or the engine is unknown.
pub fn perform_specs(args: &IsolationArgs, said: &mut dyn FnMut(Said<'_>)) -> Result<Exit> {
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
    let engine = catalogue::engine_of_specs(&args.engine)?;
    refuse_reach(args, engine, &specs)?;
    let mut exit = Exit::AsExpected;
    for (file, spec) in &specs {
        let mut console = (engine.console)()?;
        exit = exit.max(perform_spec(file, spec, &limits, &mut *console, said));
    }
    Ok(exit)
}

fn perform_spec(
    file: &str,
    spec: &Spec,
    limits: &Limits,
    console: &mut dyn Console,
    said: &mut dyn FnMut(Said<'_>),
) -> Exit {
    let performed = run_within(spec, limits, console, &mut |output| said(Said::Output(&output)));
    match performed {
        Ok(Outcome { cut: 0, not_tried: 0, .. }) => Exit::AsExpected,
        Ok(_) => Exit::Unknown,
        Err(error) => {
            said(Said::Failed(&anyhow!("{file}: {error}")));
            Exit::BadInput
        }
    }
}

/// Refuses specs that reach beyond their own database, if others use the server.
fn refuse_reach(args: &IsolationArgs, engine: Specs, specs: &[(String, Spec)]) -> Result<()> {
    if args.allow_server_programs || !(engine.is_shared)()? {
        return Ok(());
    }
    for (file, spec) in specs {
        if let Some(found) = beyond_database(spec) {
            bail!(
                "{file}: {found}; this server is not a throwaway one; pass --allow-server-programs to allow it"
            );
        }
    }
    Ok(())
}

/// The prefix of the sessions' application names, if the environment sets one, as libpq reads it.
#[expect(clippy::disallowed_methods, reason = "the command line reads the environment, nothing else does")]
fn application() -> Option<String> {
    std::env::var("PGAPPNAME").ok()
}

/// The time limit of a step, in seconds, from the variable that the original tester reads.
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
