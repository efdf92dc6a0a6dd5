//! Saved counterexamples: the text of a case file, and what replaying the saved ones showed.

use retrial_sim::explore::case::Case;

use super::problem::problem;
use super::{page, style};
use crate::results::saved::{Checked, Inapplicable, Outcome};
use crate::results::{Reported, Results};

/// The text of a case file: the case, under a comment that says why it is reported.
pub(crate) fn case_file(why: Reported<'_>, case: &Case) -> String {
    let why = match why {
        Reported::Failed => "the trial that could not be run",
        Reported::Violates(sentence) => sentence,
    };
    format!("# {}\n{case}", why.replace('\n', " "))
}

/// How many saved counterexamples were reproduced, and each one that was not.
pub fn replayed(results: &Results) -> String {
    let mut text = String::new();
    if !results.has_folder {
        say!(text, "no folder `regressions` here, so no saved counterexamples were replayed");
    }
    if results.saved.is_empty() {
        return text;
    }
    let as_recorded = results.saved.iter().filter(|checked| checked.outcome == Outcome::AsRecorded).count();
    say!(text, "{as_recorded} of {} saved counterexamples reproduced", results.saved.len());
    for Checked { saved, outcome } in &results.saved {
        match outcome {
            Outcome::AsRecorded => continue,
            Outcome::Other(shows) => {
                let shows = shows.as_deref().unwrap_or("nothing: the invariant holds");
                say!(text, "{}", style::bad(format!("unexpected: {} shows {shows}", saved.name)));
            }
            Outcome::Inapplicable(why) => {
                let why = page::brief(&inapplicable(why));
                say!(text, "{}", style::odd(format!("not covered: {} no longer applies: {why}", saved.name)));
            }
        }
        say!(text, "    retrial replay regressions/{}", saved.name);
    }
    text
}

/// Why a saved counterexample can no longer be replayed.
pub(super) fn inapplicable(why: &Inapplicable) -> String {
    match why {
        Inapplicable::NotReplayed(why) => problem(why, "its trial"),
        Inapplicable::Unknown(why) => format!("the verdict is unknown: {why}"),
    }
}
