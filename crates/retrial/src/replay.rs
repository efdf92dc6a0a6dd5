//! `retrial replay`: reads a case, replays its trial in a new thread, prints it, and compares the verdict.

use std::path::Path;
use std::thread;

use anyhow::{Context, Result, bail};
use retrial_sim::explore::Replayed;
use retrial_sim::explore::case::Case;
use retrial_sim::explore::cross_replay::Outcome;
use retrial_sim::invariant::Finding;
use retrial_sim::registry::ScenarioEntry;

use crate::args::ReplayArgs;
use crate::exit::Exit;
use crate::{catalogue, regressions, render, token};

/// Reads the case, replays its trial, prints it, and compares the verdict.
///
/// # Errors
/// CASE is not a case, or it names something unknown.
pub fn replay(args: &ReplayArgs) -> Result<Exit> {
    let mut case = read(&args.case)?;
    let (entry, info) = catalogue::scenario(&case.scenario)?;
    if let Some(strategy) = &args.against {
        catalogue::position("strategy", strategy, &catalogue::names(&info))?;
    }
    let asked = args.engine.as_deref().unwrap_or(&case.engine);
    let engine = catalogue::engine_name(&info, Some(asked))?.to_owned();
    let recorded = std::mem::replace(&mut case.engine, engine);
    // A new thread, so that no state of this one can affect the trial.
    thread::scope(|scope| {
        let replay = || -> Result<Exit> {
            let mut host = catalogue::host(&case.engine)?;
            let finding = match &args.against {
                None => entry.replay(&mut host, &case).map(|replayed| {
                    let likeness = likeness(entry, &case, &recorded, &replayed);
                    render::transcript::replayed(&case, &replayed, likeness);
                    Some(replayed.finding)
                }),
                Some(strategy) => entry.against(&mut host, &case, strategy).map(|against| {
                    render::against::told(&Case { strategy: strategy.clone(), ..case.clone() }, &against);
                    match against.outcome {
                        Outcome::Replayed(replayed) => Some(replayed.finding),
                        Outcome::Unreachable(..) => None,
                    }
                }),
            };
            match finding {
                Ok(finding) => Ok(exit(&case, finding.as_ref())),
                Err(error) if error.is_divergence() => {
                    render::transcript::unreachable(&case, &error);
                    Ok(Exit::Unknown)
                }
                Err(error) => Err(error.into()),
            }
        };
        let replayer = thread::Builder::new().spawn_scoped(scope, replay);
        let replayer = replayer.context("cannot start the thread of the trial")?;
        replayer.join().unwrap_or_else(|_| bail!("the case cannot be replayed: its trial panicked"))
    })
}

/// Replays a case on its own engine, and returns its transcript, verdict and explanation, or why that failed.
pub fn text(case: &Case) -> String {
    let replayed = || -> Result<String> {
        let (entry, _) = catalogue::scenario(&case.scenario)?;
        let mut host = catalogue::host(&case.engine)?;
        Ok(render::transcript::text(case, &entry.replay(&mut host, case)?))
    };
    replayed().unwrap_or_else(|error| format!("the case could not be replayed: {error:#}"))
}

/// How a trial compares with the recorded one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// The digests are equal.
    Same,
    /// The verdict and the events are the same; only their costs differ.
    SameButForCosts,
    /// The trials differ.
    Other,
}

/// Compares a replayed trial with the recorded one. A case stores only the digest of its trial. So if the engine is not
/// the recorded one, the trial is replayed on the recorded engine as well, and the events of both are compared.
fn likeness(entry: &dyn ScenarioEntry, case: &Case, recorded: &str, replayed: &Replayed) -> Likeness {
    if replayed.run.digest == case.digest {
        return Likeness::Same;
    }
    if recorded == case.engine || catalogue::is_live(recorded) || replayed.finding.shows() != case.shows {
        return Likeness::Other;
    }
    let as_recorded = Case { engine: recorded.to_owned(), ..case.clone() };
    let again =
        catalogue::host(recorded).ok().and_then(|mut host| entry.replay(&mut host, &as_recorded).ok());
    let is_same = again.is_some_and(|again| {
        again.run.digest == case.digest && again.run.outline() == replayed.run.outline()
    });
    if is_same { Likeness::SameButForCosts } else { Likeness::Other }
}

/// The exit code for a verdict; `None` if the trial could not be run.
fn exit(case: &Case, finding: Option<&Finding>) -> Exit {
    match finding {
        None | Some(Finding::Unknown(_)) => Exit::Unknown,
        Some(finding) if finding.shows() == case.shows => Exit::AsExpected,
        Some(_) => Exit::Differs,
    }
}

/// Reads the CASE argument: a token or a file.
fn read(case: &str) -> Result<Case> {
    if case.starts_with(token::PREFIX) {
        return token::decode(case);
    }
    let path = Path::new(case);
    if !path.is_file() {
        bail!("`{case}` is neither a token (they begin with {}) nor a file", token::PREFIX);
    }
    regressions::case(path)
}
