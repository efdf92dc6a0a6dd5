//! The results of replaying the saved counterexamples.

use super::{output, style};
use crate::regressions::{Checked, Outcome};
use crate::results::Results;

/// Prints how many were reproduced, and each one that was not.
pub fn replayed(results: &Results) {
    if !results.has_folder {
        say!("no folder `regressions` here, so no saved counterexamples were replayed");
    }
    if results.saved.is_empty() {
        return;
    }
    let as_recorded = results.saved.iter().filter(|checked| checked.outcome == Outcome::AsRecorded).count();
    say!("{as_recorded} of {} saved counterexamples reproduced", results.saved.len());
    for Checked { saved, outcome } in &results.saved {
        match outcome {
            Outcome::AsRecorded => continue,
            Outcome::Other(shows) => {
                let shows = shows.as_deref().unwrap_or("nothing: the invariant holds");
                say!("{}", style::bad(format!("unexpected: {} shows {shows}", saved.name)));
            }
            Outcome::Inapplicable(why) => {
                let why = output::brief(why);
                say!("{}", style::odd(format!("not covered: {} no longer applies: {why}", saved.name)));
            }
        }
        say!("    retrial replay regressions/{}", saved.name);
    }
}
