//! Saved counterexamples: the cases under `regressions/`. Each is replayed before the trials and must reproduce its
//! recorded verdict. One whose choices no longer apply is not covered, never a pass.

use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::{fs, io};

use anyhow::{Context, Result};
use retrial_sim::explore::case::Case;
use retrial_sim::invariant::Finding;

use crate::args::RunArgs;
use crate::catalogue::{self, Selection};
use crate::jobs::Hosts;
use crate::results::problem::Problem;
use crate::results::saved::{Checked, Inapplicable, Outcome, Saved};
use crate::{input, interruption};

/// Reads the cases of a folder, sorted by name; a missing folder has none.
///
/// # Errors
/// A file cannot be read, or is not a case.
pub fn read(folder: &Path) -> Result<Vec<Saved>> {
    Ok(read_if_there(folder)?.unwrap_or_default())
}

fn read_if_there(folder: &Path) -> Result<Option<Vec<Saved>>> {
    let cannot = || format!("cannot read {}", folder.display());
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        entries => entries.with_context(cannot)?,
    };
    let mut saved = Vec::new();
    for entry in entries {
        let path = entry.with_context(cannot)?.path();
        if path.extension().is_none_or(|ending| ending != "case") {
            continue;
        }
        let case = case(&path)?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        saved.push(Saved { name, case });
    }
    saved.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Some(saved))
}

/// Reads a case from its file.
///
/// # Errors
/// The file cannot be read, or is not a case.
pub fn case(path: &Path) -> Result<Case> {
    let text = input::text(path, input::CASE)?;
    text.parse().with_context(|| path.display().to_string())
}

/// The saved counterexamples that belong to the selected trials; `None` if there is no folder.
///
/// # Errors
/// A file cannot be read, or is not a case.
pub fn meant(args: &RunArgs, selections: &[Selection], folder: &Path) -> Result<Option<Vec<Saved>>> {
    let saved = read_if_there(folder)?;
    Ok(saved.map(|saved| saved.into_iter().filter(|it| is_meant(&it.case, args, selections)).collect()))
}

/// Whether a case belongs to the selection. A case with an unknown name belongs to every selection that it could have
/// belonged to, so that a renamed strategy or scenario is noticed.
fn is_meant(case: &Case, args: &RunArgs, selections: &[Selection]) -> bool {
    let is_of_scenario = match selections.iter().find(|selection| selection.info.name == case.scenario) {
        Some(Selection { info, strategies, .. }) => {
            match info.strategies.iter().position(|strategy| strategy.name == case.strategy) {
                Some(known) => strategies.contains(&known),
                None => strategies.len() == info.strategies.len(),
            }
        }
        None => args.targets.is_empty(),
    };
    is_of_scenario
        && args.environment.as_ref().is_none_or(|only| *only == case.environment)
        && args.engine.as_ref().is_none_or(|only| *only == case.engine)
}

/// Replays saved counterexamples one after another, until all are done or a signal requests a stop.
pub fn replay(saved: Vec<Saved>, done: impl Fn()) -> Vec<Checked> {
    let mut hosts = Hosts::default();
    let goes_on = |_: &Saved| interruption::requested().is_none();
    let replay = |saved| {
        let checked = replay_one(saved, &mut hosts);
        done();
        checked
    };
    saved.into_iter().take_while(goes_on).map(replay).collect()
}

/// Replays a saved counterexample on the engine that it was recorded with.
pub fn replay_one(saved: Saved, hosts: &mut Hosts) -> Checked {
    let outcome = match panic::catch_unwind(AssertUnwindSafe(|| outcome(&saved.case, hosts))) {
        Ok(Ok(Finding::Unknown(why))) => Outcome::Inapplicable(Inapplicable::Unknown(why)),
        Ok(Ok(finding)) => {
            let shows = finding.shows();
            if shows == saved.case.shows { Outcome::AsRecorded } else { Outcome::Other(shows) }
        }
        Ok(Err(why)) => Outcome::Inapplicable(Inapplicable::NotReplayed(Problem::failed(&why))),
        Err(panic) => {
            *hosts = Hosts::default();
            Outcome::Inapplicable(Inapplicable::NotReplayed(Problem::panicked(&*panic)))
        }
    };
    Checked { saved, outcome }
}

/// The finding of the replayed trial; the error is why it can no longer be replayed.
fn outcome(case: &Case, hosts: &mut Hosts) -> Result<Finding> {
    let (entry, info) = catalogue::scenario(&case.scenario)?;
    let host = hosts.of(catalogue::engine_name(&info, Some(&case.engine))?)?;
    Ok(entry.replay(host, case)?.finding)
}
