//! What is said of a verdict that is not as declared, and of trials that have none: in the console, in JUnit and in
//! GitHub's annotations.

use retrial_sim::explore::verdict::{Counterexample, Verdict};

use crate::expectation::Mismatch;
use crate::results::Line;

/// How grave it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grade {
    /// The verdict differs from the declared one.
    Unexpected,
    /// Nothing is known, because no trial could show it.
    NotCovered,
    /// Nothing is known, because a trial could not be judged.
    Unknown,
}

impl Grade {
    /// Its name, as the console and JUnit's types have it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Grade::Unexpected => "unexpected",
            Grade::NotCovered => "not covered",
            Grade::Unknown => "unknown",
        }
    }
}

/// A verdict that is not as declared.
pub(super) struct Remark<'a> {
    pub(super) grade: Grade,
    pub(super) text: String,
    /// The trial that shows it, if one does.
    pub(super) shown: Option<&'a Counterexample>,
}

/// What there is to say of a verdict; nothing where it is as declared.
pub(super) fn remark<'a>(verdict: &'a Verdict, mismatch: &'a Mismatch) -> Option<Remark<'a>> {
    let unexpected = |text: String, shown| Some(Remark { grade: Grade::Unexpected, text, shown });
    match (mismatch, verdict) {
        (Mismatch::OtherReason(anomaly, shown), _) => {
            let text =
                format!("violated with an anomaly that is not declared ({anomaly}): {}", shown.sentence);
            unexpected(text, Some(&**shown))
        }
        (Mismatch::Broke, Verdict::Violated(shown)) => {
            unexpected(format!("violated: {}", shown.sentence), Some(&**shown))
        }
        (Mismatch::Broke, _) => unexpected("violated".to_owned(), None),
        (Mismatch::NotObserved, _) => unexpected("known failure not observed".to_owned(), None),
        (Mismatch::NotCovered, _) => {
            let text = "no trial could show the known failure".to_owned();
            Some(Remark { grade: Grade::NotCovered, text, shown: None })
        }
        (Mismatch::None, Verdict::Unknown(why)) => {
            Some(Remark { grade: Grade::Unknown, text: why.clone(), shown: None })
        }
        (Mismatch::None, _) => None,
    }
}

/// Why the trials of a line could not be run or judged; nothing if they could.
pub(super) fn obstacle(line: &Line) -> Option<String> {
    let failure = line.report.failure.as_ref().map(|failure| failure.error.to_string());
    line.report.disagreement.clone().or_else(|| line.failed.clone()).or(failure)
}
