//! What is said of an invariant under one strategy in one environment: the verdict, and how it compares with the
//! declared one. A strategy is expected to satisfy every invariant in every environment, except for its declared known
//! failures. A known failure must be observed in the environment and with the anomaly that it declares.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::explore::Tally;
use retrial_sim::explore::verdict::{Counterexample, Verdict};
use retrial_sim::registry::ScenarioInfo;

/// The verdict on an invariant or a built-in rule, and how it compares with the declared one.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The name of the invariant or rule.
    pub name: &'static str,
    /// The verdict.
    pub verdict: Verdict,
    /// How it differs from the declared one.
    pub mismatch: Mismatch,
}

/// How a verdict differs from the declared one.
#[derive(Clone, Debug)]
pub enum Mismatch {
    /// None: the invariant holds, or its known failure was observed.
    None,
    /// The invariant was violated, and that is not declared, or only for later environments.
    Broke,
    /// The known failure was observed, and the invariant was also violated with this other anomaly.
    OtherReason(Anomaly, Box<Counterexample>),
    /// The known failure must be observed here, and no trial showed it with the declared anomaly.
    NotObserved,
    /// The known failure must be observed here, and no trial could have shown it.
    NotCovered,
}

/// How grave it is that a judgement is not as declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// The verdict differs from the declared one.
    Unexpected,
    /// Nothing is known, because no trial could show it.
    NotCovered,
    /// Nothing is known, because a trial could not be judged.
    Unknown,
}

impl Judgement {
    /// How grave it is; none if the verdict is as declared.
    pub fn grade(&self) -> Option<Grade> {
        match (&self.mismatch, &self.verdict) {
            (Mismatch::Broke | Mismatch::OtherReason(..) | Mismatch::NotObserved, _) => {
                Some(Grade::Unexpected)
            }
            (Mismatch::NotCovered, _) => Some(Grade::NotCovered),
            (Mismatch::None, Verdict::Unknown(_)) => Some(Grade::Unknown),
            (Mismatch::None, _) => None,
        }
    }

    /// The trial that shows the mismatch, if one does.
    pub fn shown(&self) -> Option<&Counterexample> {
        match (&self.mismatch, &self.verdict) {
            (Mismatch::OtherReason(_, other), _) => Some(other),
            (Mismatch::Broke, Verdict::Violated(counterexample)) => Some(counterexample),
            _ => None,
        }
    }
}

/// What a strategy's trials in an environment can be expected to show of its known failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Whether known failures must be observed: a search of the smallest workload alone need not show them.
    pub is_demanded: bool,
    /// Whether all trials that could have shown them were run.
    pub is_tried: bool,
}

/// Judges every invariant and rule of a scenario by its tally, for the strategy and environment of these indices.
pub fn judge(
    info: &ScenarioInfo,
    strategy: usize,
    environment: usize,
    tallies: &[Tally],
    expected: Expected,
) -> Vec<Judgement> {
    let judged = info.judged().zip(tallies).map(|(name, tally)| {
        let verdict = tally.verdict();
        let mismatch = match compare(info, strategy, name, environment, (tally, &verdict), expected) {
            // Not all of the trials that could have shown it were run.
            Mismatch::NotObserved if !expected.is_tried => Mismatch::NotCovered,
            mismatch => mismatch,
        };
        Judgement { name, verdict, mismatch }
    });
    judged.collect()
}

/// Compares a verdict with what the strategy declares for it.
fn compare(
    info: &ScenarioInfo,
    strategy: usize,
    invariant: &str,
    environment: usize,
    (tally, verdict): (&Tally, &Verdict),
    expected: Expected,
) -> Mismatch {
    let known = info.strategies[strategy].known_failures.iter().find(|known| known.invariant == invariant);
    let place = |name: &str| info.environments.iter().position(|environment| environment.name == name);
    // The other faults of later environments may hide the failure, so only the declared environment must show it.
    let is_due = |from: &str| expected.is_demanded && place(from) == Some(environment);
    let demanded = known.filter(|known| known.is_demanded() && is_due(known.from));
    let earliest = known.and_then(|known| place(known.earliest()));
    match verdict {
        Verdict::Violated(_) => match known {
            Some(known) if earliest.is_some_and(|earliest| environment >= earliest) => {
                let other = tally.anomalies.iter().find(|(seen, _)| !known.anomalies.contains(seen));
                match other {
                    Some((other, shown)) => {
                        Mismatch::OtherReason(*other, Box::new(shown.counterexample.clone()))
                    }
                    None if demanded.is_some() && !tally.anomalies.contains_key(&known.anomalies[0]) => {
                        Mismatch::NotObserved
                    }
                    None => Mismatch::None,
                }
            }
            _ => Mismatch::Broke,
        },
        Verdict::Holds { .. } if demanded.is_some() => Mismatch::NotObserved,
        _ if demanded.is_some() => Mismatch::NotCovered,
        _ => Mismatch::None,
    }
}
