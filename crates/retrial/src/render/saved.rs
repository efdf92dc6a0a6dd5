//! The saved counterexamples, which are replayed first. One that was not replayed is named, with the reason.

use super::{output, style};
use crate::regressions::{Held, Outcome};
use crate::run::Results;

/// Prints what came of them.
pub fn replayed(results: &Results) {
    if !results.has_folder {
        say!("no folder `regressions` here: no saved counterexamples were replayed\n");
    }
    if results.kept.is_empty() {
        return;
    }
    let as_recorded = results.kept.iter().filter(|held| held.outcome == Outcome::AsRecorded).count();
    say!("{as_recorded} of {} kept witnesses show what they were kept for", results.kept.len());
    for Held { kept, outcome } in &results.kept {
        match outcome {
            Outcome::AsRecorded => continue,
            Outcome::Other(shows) => {
                let shows = shows.as_deref().unwrap_or("nothing: the invariant holds");
                say!("{}", style::bad(format!("unexpected: {} shows {shows}", kept.name)));
            }
            Outcome::Inapplicable(why) => {
                let why = output::brief(why);
                say!("{}", style::odd(format!("not covered: {} no longer applies: {why}", kept.name)));
            }
        }
        say!("    retrial replay regressions/{}", kept.name);
    }
    say!("");
}
