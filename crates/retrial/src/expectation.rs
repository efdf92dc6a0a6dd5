//! What was expected of each verdict. A strategy holds everywhere unless its file owns up to a break; a break that it
//! owns up to must be seen, at the rung that it names.

use retrial_sim::docket::Card;
use retrial_sim::verdict::Verdict;

/// How a verdict compares with what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surprise {
    /// It holds as it should, or breaks as its file says.
    None,
    /// It broke although its file does not say so, or says so only of later rungs.
    Broke,
    /// Its file says that it breaks here, and no trial broke it.
    NotCaught,
    /// Its file says that it breaks here, and no trial was fit to show it.
    NotCovered,
}

/// Compares a verdict with what the strategy's file says of that invariant, at the rung of that index.
pub fn compare(card: &Card, strategy: usize, invariant: &str, rung: usize, verdict: &Verdict) -> Surprise {
    let owned = card.strategies[strategy].breaks.iter().find(|broken| broken.invariant == invariant);
    let place = |name: &str| card.ladder.iter().position(|rung| rung.name == name);
    let from = owned.filter(|broken| broken.is_demanded()).and_then(|broken| place(broken.from));
    let earliest = owned.and_then(|broken| place(broken.earliest()));
    match (verdict, from) {
        (Verdict::Violated(_), _) if earliest.is_some_and(|earliest| rung >= earliest) => Surprise::None,
        (Verdict::Violated(_), _) => Surprise::Broke,
        // Later rungs have other trouble, which may hide the break; only the one it is owned up to must show it.
        (Verdict::Holds { .. }, Some(from)) if rung == from => Surprise::NotCaught,
        (_, Some(from)) if rung == from => Surprise::NotCovered,
        _ => Surprise::None,
    }
}
