//! The mutants of each strategy without known failures: the edit, its place, and the copy of the scenario that has it.
//! No two mutants of a strategy have the same text.

use std::collections::BTreeSet;

use super::mutation::{Mutation, difference};
use super::scenario::{Module, Scenario};
use super::workspace::Copy;
use super::{ON_LOAN, OPERATORS, reach};

/// A strategy that is expected to violate no invariant.
pub(super) struct Target {
    pub(super) scenario: String,
    pub(super) strategy: String,
    /// The files in the registry that it needs.
    pub(super) needed: BTreeSet<String>,
    /// The copy of the scenario in which nothing is broken.
    pub(super) copy: String,
}

impl Target {
    /// The strategies of a scenario without known failures.
    pub(super) fn of_scenario(scenario: &Scenario) -> Vec<Target> {
        let target = |(number, strategy): (usize, &str)| Target {
            scenario: scenario.name.clone(),
            strategy: strategy.to_owned(),
            needed: scenario.needed(strategy),
            copy: format!("{}_unbroken_{number}", scenario.name),
        };
        scenario.holding().into_iter().enumerate().map(target).collect()
    }

    /// The strategy's name on the command line.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.scenario, self.strategy)
    }

    /// The copy of the scenario in which nothing is broken.
    pub(super) fn unbroken(&self) -> Copy<'_> {
        Copy { name: &self.copy, scenario: &self.scenario, needed: &self.needed, broken: None }
    }
}

/// A strategy with one edit.
pub(super) struct Mutant<'t> {
    pub(super) target: &'t Target,
    pub(super) operator: &'static str,
    /// The file that is edited; `text` is its new text.
    pub(super) path: String,
    text: String,
    pub(super) line: usize,
    pub(super) what: String,
    /// The lines that differ.
    pub(super) difference: Vec<String>,
    /// The copy of the scenario that has it.
    pub(super) copy: String,
}

impl Mutant<'_> {
    /// Its place, without the folders that follow from the strategy's name.
    pub(super) fn place(&self) -> String {
        let folder = format!("scenarios/{}/", self.target.scenario);
        format!("{}:{}", self.path.trim_start_matches(&folder), self.line)
    }

    /// The copy of the scenario that has it.
    pub(super) fn broken(&self) -> Copy<'_> {
        Copy {
            name: &self.copy,
            scenario: &self.target.scenario,
            needed: &self.target.needed,
            broken: Some((&self.path, &self.text)),
        }
    }
}

/// Every mutant of every target.
pub(super) fn of_all<'t>(scenarios: &[Scenario], targets: &'t [Target]) -> Vec<Mutant<'t>> {
    let mut mutants = Vec::new();
    for target in targets {
        for scenario in scenarios.iter().filter(|scenario| scenario.name == target.scenario) {
            add(&mut mutants, scenario, target);
        }
    }
    mutants
}

fn add<'t>(mutants: &mut Vec<Mutant<'t>>, scenario: &Scenario, target: &'t Target) {
    let reach = reach::of(scenario, &target.strategy);
    let mut seen = BTreeSet::new();
    for (module, (path, source)) in &scenario.modules {
        let parts = reach.get(module).map_or(&[][..], |parts| parts);
        let own = OPERATORS.iter().chain(&ON_LOAN).flat_map(|(operator, mutations)| {
            let there = mutations(source).into_iter().filter(|mutation| mutation.lies_in(parts));
            there.map(|mutation| (*operator, mutation))
        });
        let lent = ON_LOAN.iter().filter(|_| is_on_loan(module)).flat_map(|(operator, mutations)| {
            mutations(source).into_iter().map(|mutation| (*operator, mutation))
        });
        for (operator, mutation) in own.chain(lent).collect::<Vec<(&'static str, Mutation)>>() {
            let text = mutation.apply(&source.text);
            if text == source.text || !seen.insert((path.clone(), text.clone())) {
                continue;
            }
            let difference = difference(&source.text, &text);
            let mut number =
                fingerprint(&[&target.strategy, operator, path, &mutation.what, &difference.join("\n")]);
            while mutants.iter().any(|mutant| mutant.copy.ends_with(&format!("_m{number:08x}"))) {
                number = number.wrapping_add(1);
            }
            mutants.push(Mutant {
                target,
                operator,
                path: path.clone(),
                line: mutation.line(&source.text),
                what: mutation.what,
                difference,
                text,
                copy: format!("{}_m{number:08x}", target.scenario),
            });
        }
    }
}

/// A number (32 bits of FNV-1a) that stays the same when other mutants change, so that the mutant is neither compiled
/// again nor run with other workloads, which are drawn by name.
fn fingerprint(parts: &[&str]) -> u32 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Whether all strategies of the scenario share the module. Invariants only observe, so they do not count.
fn is_on_loan(module: &Module) -> bool {
    !module.first().is_some_and(|folder| folder == "strategies" || folder == "invariants")
}

#[cfg(test)]
mod tests {
    use super::super::scenario::testing::scenario;
    use super::{Target, of_all};

    #[test]
    fn mutants_that_read_the_same_have_names_of_their_own() {
        let twice = "impl T for S { fn f() { g(); } fn h() { g(); } }";
        let scenario = scenario(&[("mod.rs", ""), ("strategies/a.rs", twice)]);
        let targets = Target::of_scenario(&scenario);
        let mutants = of_all(&[scenario], &targets);
        assert_eq!(mutants.len(), 2);
        assert_ne!(mutants[0].copy, mutants[1].copy);
    }

    #[test]
    fn only_what_a_strategy_reaches_is_broken_and_what_is_lent_to_it() {
        let scenario = scenario(&[
            ("mod.rs", ""),
            ("consumer.rs", "async fn f() { let _ = match g().await { _ => q.ack(d).await }; h(); }"),
            ("strategies/a.rs", "use super::b::SQL;\nimpl T for S { fn f() { g(SQL); } }"),
            (
                "strategies/b.rs",
                "impl T for S { fn f() { SQL; } fn known_failures() {} }\nconst SQL: &str = \"SELECT 1 WHERE 2\";",
            ),
        ]);
        let targets = Target::of_scenario(&scenario);
        let mutants = of_all(&[scenario], &targets);
        let found: Vec<_> = mutants.iter().map(|mutant| (mutant.operator, mutant.place())).collect();
        let expected = [
            ("ack_before_commit", "consumer.rs:1".to_owned()),
            ("drop_statement", "strategies/a.rs:2".to_owned()),
            ("drop_condition", "strategies/b.rs:2".to_owned()),
        ];
        assert_eq!(found, expected);
    }
}
