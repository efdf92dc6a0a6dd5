//! Reports the results: for each strategy the share of mutants that an invariant caught, and every mutant that none
//! did. Mutants without a result count in the share as not caught.

use anyhow::{Result, bail};

use super::equivalent::Explanation;
use super::mutant::{Mutant, Target};
use super::trial::{Exhaustive, Fate};

/// The smallest share that has to be caught, in percent.
const LEAST: usize = 90;

/// A mutant, its fate and, if it survived, the explanation of why it is equivalent.
pub(super) struct Tried<'m> {
    pub(super) mutant: &'m Mutant<'m>,
    pub(super) fate: Fate,
    pub(super) explanation: Option<&'m Explanation>,
}

impl Tried<'_> {
    /// Whether it counts as equivalent: there is an explanation, and the exhaustive search, complete in at least one
    /// environment, found no violation.
    fn is_equivalent(&self) -> bool {
        self.explanation.is_some() && matches!(self.fate, Fate::Survived(Exhaustive::Holds(_)))
    }
}

/// The number of mutants by fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    mutants: usize,
    not_compiled: usize,
    equivalent: usize,
    caught: usize,
}

impl Count {
    fn of<'t>(tried: impl Iterator<Item = &'t Tried<'t>>) -> Count {
        let mut count = Count::default();
        for one in tried {
            count.mutants += 1;
            count.not_compiled += usize::from(matches!(one.fate, Fate::NotCompiled));
            count.caught += usize::from(matches!(one.fate, Fate::Caught(_)));
            count.equivalent += usize::from(one.is_equivalent());
        }
        count
    }

    /// The mutants that have to be caught.
    fn due(self) -> usize {
        self.mutants - self.not_compiled - self.equivalent
    }

    fn is_enough(self) -> bool {
        self.due() > 0 && self.caught * 100 >= LEAST * self.due()
    }

    fn words(self) -> String {
        let Count { mutants, not_compiled, equivalent, caught } = self;
        let share = caught * 100 / self.due().max(1);
        format!(
            "{mutants} mutants, {not_compiled} not compiled, {equivalent} equivalent, {caught} caught of {}: {share} %",
            self.due()
        )
    }
}

/// Prints one line for a mutant as soon as its fate is known.
pub(super) fn progress(mutant: &Mutant, fate: &Fate) {
    let became = match fate {
        Fate::NotCompiled => "not compiled".to_owned(),
        Fate::Caught(by) => format!("caught: {}", by.join(", ")),
        Fate::Refused(why) => format!("REFUSED: {why}"),
        Fate::NoResults(why) => format!("NO RESULTS: {why}"),
        Fate::Survived(_) => "SURVIVED".to_owned(),
    };
    println!("{} {} {} {}: {became}", mutant.copy, mutant.place(), mutant.operator, mutant.what);
}

/// Prints the whole report. Fails if too few mutants of a strategy are caught.
pub(super) fn all(targets: &[Target], tried: &[Tried]) -> Result<()> {
    let mut short = Vec::new();
    for target in targets {
        let own = || tried.iter().filter(|tried| tried.mutant.target.copy == target.copy);
        let count = Count::of(own());
        println!("\n{}: {}", target.name(), count.words());
        by_operator(own());
        own().for_each(left);
        short.extend((!count.is_enough()).then(|| target.name()));
    }
    let missing = tried.iter().find_map(|tried| match &tried.fate {
        Fate::Survived(Exhaustive::Missing(why)) => Some(why),
        _ => None,
    });
    missing
        .into_iter()
        .for_each(|why| println!("\nnothing is enumerated, `--scheduler exhaustive` says: {why}"));
    println!("\nall: {}", Count::of(tried.iter()).words());
    if short.is_empty() {
        return Ok(());
    }
    bail!("fewer than {LEAST} % of the mutants are caught: {}", short.join(", "))
}

fn by_operator<'t>(tried: impl Iterator<Item = &'t Tried<'t>> + Clone) {
    for (operator, _) in super::OPERATORS.iter().chain(&super::ON_LOAN) {
        let count = Count::of(tried.clone().filter(|tried| tried.mutant.operator == *operator));
        let words = if count.mutants == 0 { "nothing to break".to_owned() } else { count.words() };
        println!("  {operator:<20} {words}");
    }
}

/// Prints a mutant that no invariant caught: its place, its change, and what is known about it.
fn left(tried: &Tried) {
    let Tried { mutant, fate, explanation } = tried;
    let known = match fate {
        Fate::NotCompiled | Fate::Caught(_) => return,
        Fate::Refused(why) => format!("the engine says nothing of it: {why}"),
        Fate::NoResults(why) => format!("it gave no results: {why}"),
        Fate::Survived(Exhaustive::Holds(how_far)) => {
            format!("it holds in all that the exhaustive scheduler has held: {how_far}")
        }
        Fate::Survived(Exhaustive::Undecided(why)) => {
            format!("the exhaustive scheduler does not decide: {why}")
        }
        Fate::Survived(Exhaustive::Missing(_)) => "not enumerated, see below".to_owned(),
    };
    println!("  survivor {}:{} {}: {}", mutant.path, mutant.line, mutant.operator, mutant.what);
    mutant.difference.iter().for_each(|line| println!("      {line}"));
    println!("    {known}");
    match explanation {
        Some(explanation) => explanation.why.iter().for_each(|line| println!("    {line}")),
        None => println!("    not explained"),
    }
}

#[cfg(test)]
mod tests {
    use super::Count;

    #[test]
    fn the_share_is_of_what_has_to_be_caught() {
        let check = |count: Count, words: &str, enough: bool| {
            assert_eq!((&*count.words(), count.is_enough()), (words, enough));
        };
        check(
            Count { mutants: 14, not_compiled: 3, equivalent: 1, caught: 9 },
            "14 mutants, 3 not compiled, 1 equivalent, 9 caught of 10: 90 %",
            true,
        );
        check(
            Count { mutants: 9, caught: 8, ..Count::default() },
            "9 mutants, 0 not compiled, 0 equivalent, 8 caught of 9: 88 %",
            false,
        );
        check(Count::default(), "0 mutants, 0 not compiled, 0 equivalent, 0 caught of 0: 0 %", false);
    }
}
