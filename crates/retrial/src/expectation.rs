//! What was expected of each verdict. A strategy holds everywhere unless its file owns up to a break; a break that it
//! owns up to must be seen, at the rung that it names and for the reason that it gives.

use retrial_sim::anomaly::Anomaly;
use retrial_sim::docket::Card;
use retrial_sim::explore::Tally;
use retrial_sim::verdict::{Verdict, Witness};

/// How a verdict compares with what is expected.
#[derive(Clone, Debug)]
pub enum Surprise {
    /// It holds as it should, or breaks as its file says.
    None,
    /// It broke although its file does not say so, or says so only of later rungs.
    Broke,
    /// It broke as its file says, and also for another reason, which is this one.
    OtherReason(Anomaly, Box<Witness>),
    /// Its file says that it breaks here, and no trial broke it for the reason given.
    NotCaught,
    /// Its file says that it breaks here, and no trial was fit to show it.
    NotCovered,
}

impl Surprise {
    /// Whether the verdict differs from what is expected.
    pub fn is_difference(&self) -> bool {
        matches!(self, Surprise::Broke | Surprise::OtherReason(..) | Surprise::NotCaught)
    }
}

/// Compares what trials have shown with what the strategy's file says of that invariant, at the rung of that index.
/// `demands` is whether what the file owns up to must be seen: the least workload alone need not show it.
pub fn compare(
    card: &Card,
    strategy: usize,
    invariant: &str,
    rung: usize,
    tally: &Tally,
    demands: bool,
) -> Surprise {
    let owned = card.strategies[strategy].breaks.iter().find(|broken| broken.invariant == invariant);
    let place = |name: &str| card.ladder.iter().position(|rung| rung.name == name);
    // Later rungs have other trouble, which may hide the break; only the one it is owned up to must show it.
    let demanded = owned.filter(|it| demands && it.is_demanded() && place(it.from) == Some(rung));
    let earliest = owned.and_then(|broken| place(broken.earliest()));
    match tally.verdict() {
        Verdict::Violated(_) => match owned {
            Some(owned) if earliest.is_some_and(|earliest| rung >= earliest) => {
                let other = tally.anomalies.iter().find(|(seen, _)| !owned.anomalies.contains(seen));
                match other {
                    Some((other, shown)) => Surprise::OtherReason(*other, Box::new(shown.witness.clone())),
                    None if demanded.is_some() && !tally.anomalies.contains_key(&owned.anomalies[0]) => {
                        Surprise::NotCaught
                    }
                    None => Surprise::None,
                }
            }
            _ => Surprise::Broke,
        },
        Verdict::Holds { .. } if demanded.is_some() => Surprise::NotCaught,
        _ if demanded.is_some() => Surprise::NotCovered,
        _ => Surprise::None,
    }
}
