//! Gaps in coverage: what a run did not test. A gap does not change a verdict, but the run does not pass.

use retrial_sim::explore::Report;
use retrial_sim::fault::FaultRule;
use retrial_sim::rules::{FAULTS_INJECTED, INVARIANTS_EXERCISED, is_on};

use super::{Line, Table};

/// Something that a scenario's trials did not cover.
#[derive(Clone, Copy, Debug)]
pub enum Gap {
    /// The scenario has none of these, so nothing was run or nothing was checked.
    None(Needed),
    /// No trial of any strategy exercised the invariant.
    NeverExercised(&'static str),
    /// No trial of the strategy, given by its index, exercised any invariant.
    ExercisesNothing(usize),
    /// The environment of that index has the fault rule, and no trial in it had the fault injected.
    NeverInjected(usize, &'static FaultRule),
}

/// What every scenario must have at least one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needed {
    /// Strategies.
    Strategies,
    /// Environments.
    Environments,
    /// Invariants.
    Invariants,
}

/// The gaps in the trials of a scenario.
pub fn gaps(table: &Table) -> Vec<Gap> {
    let info = &table.selection.info;
    let lists = [
        (Needed::Strategies, info.strategies.len()),
        (Needed::Environments, info.environments.len()),
        (Needed::Invariants, info.invariants.len()),
    ];
    let mut gaps: Vec<Gap> =
        lists.iter().filter(|(_, entries)| *entries == 0).map(|(of, _)| Gap::None(*of)).collect();
    if is_on(info.rules_off, INVARIANTS_EXERCISED.name) && !info.invariants.is_empty() {
        gaps.extend(exercises_nothing(table));
        gaps.extend(never_exercised(table));
    }
    if is_on(info.rules_off, FAULTS_INJECTED.name) {
        gaps.extend(
            never_injected(table)
                .map(|(environment, fault_rule)| Gap::NeverInjected(environment, fault_rule)),
        );
    }
    gaps
}

/// The lines whose trials ran to their end. A failure that ended the others is reported by itself.
fn run_whole(table: &Table) -> impl Iterator<Item = &Line> {
    table.lines.iter().filter(|line| line.report.failure.is_none())
}

/// How often the invariant of that index was exercised.
fn exercised(report: &Report, invariant: usize) -> u64 {
    report.tallies.get(invariant).map_or(0, |tally| tally.exercised + tally.violations)
}

fn exercises_nothing(table: &Table) -> impl Iterator<Item = Gap> {
    let invariants = table.selection.info.invariants.len();
    table.selection.strategies.iter().copied().filter_map(move |strategy| {
        let mut lines = run_whole(table).filter(|line| line.strategy == strategy).peekable();
        lines.peek()?;
        let times: u64 =
            lines.flat_map(|line| (0..invariants).map(|invariant| exercised(&line.report, invariant))).sum();
        (times == 0).then_some(Gap::ExercisesNothing(strategy))
    })
}

/// Applies only if the whole scenario was run: one strategy or environment need not exercise every invariant.
fn never_exercised(table: &Table) -> impl Iterator<Item = Gap> {
    let info = &table.selection.info;
    let is_whole = run_whole(table).count() == info.strategies.len() * info.environments.len();
    let never = move |index: usize| run_whole(table).all(|line| exercised(&line.report, index) == 0);
    let names = info.invariants.iter().enumerate();
    names.filter(move |(index, _)| is_whole && never(*index)).map(|(_, (name, _))| Gap::NeverExercised(name))
}

/// The fault rules of environments whose fault was injected in no trial there, whatever the strategy.
fn never_injected(table: &Table) -> impl Iterator<Item = (usize, &'static FaultRule)> {
    table.selection.info.environments.iter().enumerate().flat_map(|(environment, of)| {
        let lines =
            table.lines.iter().filter(move |line| line.environment == environment && line.report.trials > 0);
        let injected = move || lines.clone().flat_map(|line| line.report.injected.keys());
        let tried = table.lines.iter().any(|line| line.environment == environment && line.report.trials > 0);
        let injected = move |fault_rule: &&FaultRule| {
            injected().any(|(fault, label)| {
                *fault == fault_rule.fault
                    && (fault_rule.labels.is_empty() || fault_rule.labels.contains(label))
            })
        };
        of.fault_rules
            .iter()
            .filter(move |fault_rule| tried && !injected(fault_rule))
            .map(move |fault_rule| (environment, fault_rule))
    })
}
