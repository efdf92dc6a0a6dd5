//! Compares verdicts with the declared ones. A strategy is expected to satisfy every invariant in every environment,
//! except for its declared known failures. A known failure must be observed in the environment and with the anomaly
//! that it declares.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::explore::Tally;
use retrial_sim::explore::verdict::{Counterexample, Verdict};
use retrial_sim::registry::ScenarioInfo;

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

impl Mismatch {
    /// Whether the verdict differs from the declared one.
    pub fn is_difference(&self) -> bool {
        matches!(self, Mismatch::Broke | Mismatch::OtherReason(..) | Mismatch::NotObserved)
    }
}

/// Compares the tally of an invariant with what the strategy declares for it in the environment of that index.
/// `demands` is whether known failures must be observed: a search of the smallest workload alone need not show them.
pub fn compare(
    info: &ScenarioInfo,
    strategy: usize,
    invariant: &str,
    environment: usize,
    tally: &Tally,
    demands: bool,
) -> Mismatch {
    let owned = info.strategies[strategy].known_failures.iter().find(|broken| broken.invariant == invariant);
    let place = |name: &str| info.environments.iter().position(|environment| environment.name == name);
    // The other faults of later environments may hide the failure, so only the declared environment must show it.
    let demanded = owned.filter(|it| demands && it.is_demanded() && place(it.from) == Some(environment));
    let earliest = owned.and_then(|broken| place(broken.earliest()));
    match tally.verdict() {
        Verdict::Violated(_) => match owned {
            Some(owned) if earliest.is_some_and(|earliest| environment >= earliest) => {
                let other = tally.anomalies.iter().find(|(seen, _)| !owned.anomalies.contains(seen));
                match other {
                    Some((other, shown)) => {
                        Mismatch::OtherReason(*other, Box::new(shown.counterexample.clone()))
                    }
                    None if demanded.is_some() && !tally.anomalies.contains_key(&owned.anomalies[0]) => {
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
