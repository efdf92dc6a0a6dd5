//! What was expected of each verdict. A strategy holds everywhere unless its file owns up to a break; a break that it
//! owns up to must be seen, at the environment that it names and for the reason that it gives.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::explore::Tally;
use retrial_sim::registry::ScenarioInfo;
use retrial_sim::verdict::{Counterexample, Verdict};

/// How a verdict compares with what is expected.
#[derive(Clone, Debug)]
pub enum Mismatch {
    /// It holds as it should, or breaks as its file says.
    None,
    /// It broke although its file does not say so, or says so only of later environments.
    Broke,
    /// It broke as its file says, and also for another reason, which is this one.
    OtherReason(Anomaly, Box<Counterexample>),
    /// Its file says that it breaks here, and no trial broke it for the reason given.
    NotObserved,
    /// Its file says that it breaks here, and no trial was fit to show it.
    NotCovered,
}

impl Mismatch {
    /// Whether the verdict differs from what is expected.
    pub fn is_difference(&self) -> bool {
        matches!(self, Mismatch::Broke | Mismatch::OtherReason(..) | Mismatch::NotObserved)
    }
}

/// Compares what trials have shown with what the strategy's file says of that invariant, at the environment of that index.
/// `demands` is whether what the file owns up to must be seen: the smallest workload alone need not show it.
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
    // Later environments have other trouble, which may hide the break; only the one it is owned up to must show it.
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
