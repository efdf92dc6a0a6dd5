//! `retrial replay`: reads a case, replays its trial in a new thread, and compares the verdict.

use std::path::Path;
use std::thread;

use anyhow::{Context, Result, bail};
use retrial_sim::explore::Replayed;
use retrial_sim::explore::case::Case;
use retrial_sim::registry::ScenarioEntry;

use crate::args::ReplayArgs;
use crate::exit::Exit;
use crate::results::replayed::{Likeness, Outcome, Replay};
use crate::{catalogue, regressions, token};

/// Reads the case, replays its trial, and compares the verdict. `told` gets what came of it, in the trial's thread,
/// which a trace cannot leave.
///
/// # Errors
/// CASE is not a case, or it names something unknown.
pub fn replay(args: &ReplayArgs, told: &(dyn Fn(&Replay) + Sync)) -> Result<Exit> {
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
            let replay = replayed(entry, case, &recorded, args.against.as_deref())?;
            told(&replay);
            Ok(replay.exit())
        };
        let replayer = thread::Builder::new().spawn_scoped(scope, replay);
        let replayer = replayer.context("cannot start the thread of the trial")?;
        replayer.join().unwrap_or_else(|_| bail!("the case cannot be replayed: its trial panicked"))
    })
}

/// Replays the case, alone or against another strategy. `recorded` is the engine that it was recorded on.
fn replayed(entry: &dyn ScenarioEntry, case: Case, recorded: &str, against: Option<&str>) -> Result<Replay> {
    let mut host = catalogue::host(&case.engine)?;
    let outcome = match against {
        None => entry.replay(&mut host, &case).map(|replayed| {
            let likeness = likeness(entry, &case, recorded, &replayed);
            Outcome::Alone(replayed, likeness)
        }),
        Some(strategy) => entry.against(&mut host, &case, strategy).map(Outcome::Against),
    };
    match outcome {
        Ok(outcome) => {
            let strategy = match (&outcome, against) {
                (Outcome::Against(_), Some(strategy)) => strategy.to_owned(),
                _ => case.strategy.clone(),
            };
            Ok(Replay { case: Case { strategy, ..case }, outcome })
        }
        Err(error) if error.is_divergence() => Ok(Replay { case, outcome: Outcome::Unreachable(error) }),
        Err(error) => Err(error.into()),
    }
}

/// Replays a case on its own engine.
///
/// # Errors
/// The case names something unknown, its engine cannot start, or its choices no longer apply.
pub fn again(case: &Case) -> Result<Replayed> {
    let (entry, _) = catalogue::scenario(&case.scenario)?;
    let mut host = catalogue::host(&case.engine)?;
    Ok(entry.replay(&mut host, case)?)
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

/// Reads the CASE argument: a token or a file.
fn read(case: &str) -> Result<Case> {
    if token::is_one(case) {
        return token::decode(case);
    }
    let path = Path::new(case);
    if !path.is_file() {
        bail!("`{case}` is neither a token (they begin with {}) nor a file", token::PREFIX);
    }
    regressions::case(path)
}
