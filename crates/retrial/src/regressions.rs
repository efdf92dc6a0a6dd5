//! The witnesses kept under `regressions/`: each is held again before anything else is tried, and must show what it was
//! kept for. One whose choices no longer apply counts as nothing, never as a pass.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use retrial_sim::case::Case;
use retrial_sim::invariant::Finding;

use crate::catalogue;
use crate::jobs::Beds;

/// A kept witness.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its file's name.
    pub name: String,
    /// What it holds.
    pub case: Case,
}

/// What came of a kept witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It shows what it was kept for.
    AsRecorded,
    /// It shows this instead; nothing where the invariant holds now.
    Other(Option<String>),
    /// It no longer applies, for this reason.
    Inapplicable(String),
}

/// A kept witness that was held again.
#[derive(Clone, Debug)]
pub struct Held {
    /// Which.
    pub kept: Kept,
    /// What came of it.
    pub outcome: Outcome,
}

/// Reads the folder, in the order of names; a folder that is not there has none.
///
/// # Errors
/// A file that cannot be read, or is not a case.
pub fn read(folder: &Path) -> Result<Vec<Kept>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let cannot = || format!("cannot read {}", folder.display());
    let mut kept = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if path.extension().is_none_or(|ending| ending != "case") {
            continue;
        }
        let case = case(&path)?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        kept.push(Kept { name, case });
    }
    kept.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(kept)
}

/// Reads a case from its file.
///
/// # Errors
/// A file that cannot be read, or is not a case.
pub fn case(path: &Path) -> Result<Case> {
    let name = || path.display().to_string();
    let text = fs::read(path).with_context(|| format!("cannot read {}", name()))?;
    let text = String::from_utf8(text).ok();
    let text = text.with_context(|| format!("{} is not a case: it is not text", name()))?;
    text.parse().with_context(name)
}

/// Holds a kept witness again, on the engine that it was recorded with.
///
/// # Errors
/// Where its engine cannot start.
pub fn hold(kept: Kept, beds: &mut Beds) -> Result<Held> {
    let outcome = match outcome(&kept.case, beds)? {
        Ok(finding) => match finding {
            Finding::Unknown(why) => Outcome::Inapplicable(format!("the trial cannot tell: {why}")),
            finding => {
                let shows = finding.shows();
                if shows == kept.case.shows { Outcome::AsRecorded } else { Outcome::Other(shows) }
            }
        },
        Err(why) => Outcome::Inapplicable(why),
    };
    Ok(Held { kept, outcome })
}

/// What the trial shows, or why it cannot be held any more.
fn outcome(case: &Case, beds: &mut Beds) -> Result<Result<Finding, String>> {
    let Ok((docket, card)) = catalogue::scenario(&case.scenario) else {
        return Ok(Err(format!("there is no scenario `{}`", case.scenario)));
    };
    let bed = beds.of(catalogue::engine_name(&card, Some(&case.engine))?)?;
    Ok(docket.replay(bed, case).map(|replayed| replayed.finding).map_err(|error| error.to_string()))
}
