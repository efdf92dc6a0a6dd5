//! Gaps: what a run has not put to the test. Where there is one, nothing that was found is wrong and the whole is not
//! green.

use retrial_sim::explore::Report;
use retrial_sim::fault::FaultRule;
use retrial_sim::rules::{FAULTS_INJECTED, INVARIANTS_EXERCISED, is_on};

use crate::run::{Line, Table};

/// Something that a scenario's trials have not shown.
#[derive(Clone, Copy, Debug)]
pub enum Gap {
    /// The scenario has none of these, so nothing was tried or nothing was asked.
    None(&'static str),
    /// No trial of any strategy was one in which the invariant could have been broken.
    NeverExercised(&'static str),
    /// No trial of the strategy, by its index, was one in which any invariant could have been broken.
    ExercisesNothing(usize),
    /// The environment of that index offers the fault, and no trial there has met it.
    NeverInjected(usize, &'static FaultRule),
}

/// What the trials of a scenario have not shown.
pub fn gaps(table: &Table) -> Vec<Gap> {
    let info = &table.selection.info;
    let lists = [
        ("strategies", info.strategies.len()),
        ("environments", info.environments.len()),
        ("invariants", info.invariants.len()),
    ];
    let mut gaps: Vec<Gap> =
        lists.iter().filter(|(_, entries)| *entries == 0).map(|(of, _)| Gap::None(of)).collect();
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

/// Lines whose trials have run to their end; those that a failure ended are told of by that.
fn run_whole(table: &Table) -> impl Iterator<Item = &Line> {
    table.lines.iter().filter(|line| line.report.failure.is_none())
}

/// How often the situation of the invariant of that index came up.
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

/// Asked of a whole scenario only: one strategy or one environment need not bring every situation about.
fn never_exercised(table: &Table) -> impl Iterator<Item = Gap> {
    let info = &table.selection.info;
    let is_whole = run_whole(table).count() == info.strategies.len() * info.environments.len();
    let never = move |index: usize| run_whole(table).all(|line| exercised(&line.report, index) == 0);
    let names = info.invariants.iter().enumerate();
    names.filter(move |(index, _)| is_whole && never(*index)).map(|(_, (name, _))| Gap::NeverExercised(name))
}

/// What environments offer and no trial there has met, whatever the strategy.
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
