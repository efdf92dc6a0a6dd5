//! What is said of a verdict that is not as declared: in the console, in JUnit and in GitHub's annotations.

use retrial_sim::explore::verdict::Verdict;

use crate::results::judgement::{Grade, Judgement, Mismatch};

/// The name of a grade, as the console and JUnit's types have it.
pub(super) fn grade(grade: Grade) -> &'static str {
    match grade {
        Grade::Unexpected => "unexpected",
        Grade::NotCovered => "not covered",
        Grade::Unknown => "unknown",
    }
}

/// What there is to say of a judgement, and how grave it is; nothing where it is as declared.
pub(super) fn remark(judgement: &Judgement) -> Option<(Grade, String)> {
    let grade = judgement.grade()?;
    let text = match (&judgement.mismatch, &judgement.verdict) {
        (Mismatch::OtherReason(anomaly, shown), _) => {
            format!("violated with an anomaly that is not declared ({anomaly}): {}", shown.sentence)
        }
        (Mismatch::Broke, Verdict::Violated(shown)) => format!("violated: {}", shown.sentence),
        (Mismatch::Broke, _) => "violated".to_owned(),
        (Mismatch::NotObserved, _) => "known failure not observed".to_owned(),
        (Mismatch::NotCovered, _) => "no trial could show the known failure".to_owned(),
        (Mismatch::None, Verdict::Unknown(why)) => why.clone(),
        (Mismatch::None, _) => return None,
    };
    Some((grade, text))
}
