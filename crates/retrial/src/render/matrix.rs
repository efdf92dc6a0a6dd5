//! The matrix: strategies down, invariants across; beside it the costs, how sure it is, and each break with the
//! command that replays it.

use std::collections::BTreeSet;
use std::time::Duration;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table as Grid, presets};
use retrial_sim::costs::{Costs, Samples};
use retrial_sim::fault::FaultRule;
use retrial_sim::verdict::{Counterexample, Verdict};

use super::{conclusion, coverage, saved, searched, style};
use crate::expectation::Mismatch;
use crate::gaps::{Gap, gaps};
use crate::run::{Line, Results, Table};
use crate::token;

/// Prints everything that was found.
pub fn results(results: &Results) {
    saved::replayed(results);
    let mut trials = 0;
    for table in &results.tables {
        let info = &table.selection.info;
        say!("{}", style::heading(info.name));
        say!("{}\n", paint(table, verdicts(table)));
        say!("{}\n", costs(table));
        say!("{}\n", coverage::invariants(table));
        if let Some(text) = coverage::faults(table) {
            say!("{text}\n");
        }
        if let Some(text) = searched::table(table) {
            say!("{text}\n");
        }
        if table.lines.iter().all(|line| line.is_searched_only) {
            searched::sentences(table);
        }
        known_failures(table);
        if results.interrupted.is_none() {
            not_covered(table);
        }
        trials += table.lines.iter().map(|line| line.report.trials).sum::<u64>();
    }
    let rate = u128::from(trials) * 1000 / results.elapsed.as_millis().max(1);
    let (seed, seconds) = (results.seed, results.elapsed.as_secs());
    say!("{trials} trials in {seconds} s ({rate}/s), seed {seed}");
    conclusion::conclusion(results);
}

/// The text of the matrix proper.
pub fn verdicts(table: &Table) -> String {
    let info = &table.selection.info;
    let mut grid = grid();
    let mut shown: Vec<_> = info.invariants.iter().map(|(name, _)| *name).collect();
    // What holds everywhere anyway is shown where it does not.
    let is_broken = |rule: &str| table.lines.iter().any(|line| first_break(&[line], rule).is_some());
    shown.extend(info.rules.iter().map(|rule| rule.name).filter(|rule| is_broken(rule)));
    let words = |name: &str| Cell::new(name.replace('_', "\n"));
    grid.set_header(std::iter::once(Cell::new("")).chain(shown.iter().map(|name| words(name))));
    for (strategy, lines) in by_strategy(table) {
        let cells = shown.iter().map(|invariant| verdict(table, &lines, invariant));
        grid.add_row(std::iter::once(Cell::new(strategy)).chain(cells));
    }
    grid.trim_fmt()
}

/// Colours what the cells say; the grid itself knows no colours.
fn paint(table: &Table, text: String) -> String {
    let mut text =
        text.replace("holds", &style::good("holds")).replace("exercised", &style::odd("exercised"));
    for environment in table.selection.info.environments {
        let broken = format!("x {}", environment.name);
        text = text.replace(&broken, &style::bad(&broken));
    }
    text.replace("unknown", &style::odd("unknown"))
}

/// The first environment that breaks the invariant, or what else is known of it over all environments tried.
fn verdict(table: &Table, lines: &[&Line], invariant: &str) -> Cell {
    let mut mismatched = false;
    let mut unknown = false;
    let mut exercised = 0;
    for line in lines {
        let found = line.verdicts.iter().find(|(name, _, _)| *name == invariant);
        if let Some((_, verdict, mismatch)) = found {
            mismatched |= !matches!(mismatch, Mismatch::None);
            unknown |= matches!(verdict, Verdict::Unknown(_));
            exercised += if let Verdict::Holds { exercised } = verdict { *exercised } else { 0 };
        }
        unknown |= line.report.failure.is_some();
    }
    let mark = if mismatched { " !" } else { "" };
    match first_break(lines, invariant) {
        Some((environment, _)) => {
            let environment = table.selection.info.environments[environment].name;
            Cell::new(format!("x {environment}{mark}"))
        }
        None if unknown => Cell::new("unknown"),
        None if exercised == 0 => Cell::new(format!("not\nexercised{mark}")),
        None => Cell::new(format!("holds{mark}")),
    }
}

/// The costs and how sure the line is.
pub fn costs(table: &Table) -> String {
    let mut grid = grid();
    let watched: BTreeSet<&str> =
        table.lines.iter().flat_map(|line| line.report.costs.watched.keys()).copied().collect();
    let header = [
        "",
        "lock hold\nmax / p99",
        "wait\nmax / p99",
        "finish\np99",
        "statements\nper trial",
        "retries",
        "trials",
        "last new behaviour\nat trial",
        "held twice",
    ];
    let work = watched.iter().map(|label| format!("work of a {label}\nmax / in full scans"));
    grid.set_header(header.into_iter().map(str::to_owned).chain(work));
    for (strategy, lines) in by_strategy(table) {
        let mut costs = Costs::default();
        let (mut trials, mut audited, mut last) = (0, 0, 0);
        for line in lines {
            costs.absorb(line.report.costs.clone());
            last = last.max(line.report.last_new_behaviour());
            trials += line.report.trials;
            audited += line.report.audited;
        }
        let both = |samples: &Samples| format!("{} / {}", ms(samples.longest()), ms(samples.percentile(99)));
        let timed = costs.finishes.count().max(1);
        let work = watched.iter().map(|label| {
            let most = costs.watched.get(label).copied().unwrap_or_default();
            format!("{} / {}", most.steps, most.full_scan_steps)
        });
        let figures = [
            strategy.to_owned(),
            both(&costs.lock_holds),
            both(&costs.waits),
            ms(costs.finishes.percentile(99)),
            (costs.statements / timed).to_string(),
            costs.retries.to_string(),
            trials.to_string(),
            last.to_string(),
            audited.to_string(),
        ];
        grid.add_row(figures.into_iter().chain(work));
    }
    for column in grid.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    grid.trim_fmt()
}

/// Each break at its first environment: the sentence, and how to see it.
fn known_failures(table: &Table) {
    let info = &table.selection.info;
    for (strategy, lines) in by_strategy(table) {
        for invariant in info.judged() {
            let Some((environment, counterexample)) = first_break(&lines, invariant) else { continue };
            let found = found(&lines, environment, invariant);
            let environment = info.environments[environment].name;
            say!(
                "{} {} from {environment} on, {found}: {}",
                style::heading(strategy),
                style::bad(invariant),
                counterexample.sentence
            );
            say!("    retrial replay {}\n", token::encode(&counterexample.case));
        }
    }
}

/// What has not been put to the test says so.
fn not_covered(table: &Table) {
    let info = &table.selection.info;
    for gap in gaps(table) {
        let what = match gap {
            Gap::None(of) => format!("{} has no {of}: there is nothing that could have passed", info.name),
            Gap::NeverExercised(invariant) => {
                format!("{}: {invariant} was not exercised by any strategy", info.name)
            }
            Gap::ExercisesNothing(strategy) => {
                format!(
                    "{}/{} exercised no invariant in any trial",
                    info.name, info.strategies[strategy].name
                )
            }
            Gap::NeverInjected(environment, fault_rule) => {
                format!(
                    "{} on {}: {}{} never injected",
                    info.name,
                    info.environments[environment].name,
                    fault_rule.fault,
                    at(fault_rule)
                )
            }
        };
        say!("{}", style::odd(format!("not covered: {what}")));
    }
}

fn at(fault_rule: &FaultRule) -> String {
    if fault_rule.labels.is_empty() { String::new() } else { format!(" at {}", fault_rule.labels.join(", ")) }
}

pub(super) fn by_strategy(table: &Table) -> Vec<(&'static str, Vec<&Line>)> {
    let mut groups: Vec<(&'static str, Vec<&Line>)> = Vec::new();
    for line in &table.lines {
        let name = table.selection.info.strategies[line.strategy].name;
        match groups.last_mut() {
            Some((last, lines)) if *last == name => lines.push(line),
            _ => groups.push((name, vec![line])),
        }
    }
    groups
}

/// Which policy met the break first at that environment, and at which trial.
fn found(lines: &[&Line], environment: usize, invariant: &str) -> String {
    let line = lines.iter().find(|line| line.environment == environment);
    let first = line.and_then(|line| {
        let place = line.verdicts.iter().position(|(name, ..)| *name == invariant)?;
        line.report.tallies[place].first_violation
    });
    first.map_or(String::new(), |(trial, policy)| format!("found by {policy} in trial {trial}"))
}

fn first_break<'a>(lines: &[&'a Line], invariant: &str) -> Option<(usize, &'a Counterexample)> {
    lines.iter().find_map(|line| {
        line.verdicts.iter().find_map(|(name, verdict, _)| match verdict {
            Verdict::Violated(counterexample) if *name == invariant => {
                Some((line.environment, &**counterexample))
            }
            _ => None,
        })
    })
}

fn ms(time: Option<Duration>) -> String {
    time.map_or("-".to_owned(), |time| format!("{} ms", time.as_millis()))
}

pub(super) fn grid() -> Grid {
    let mut grid = Grid::new();
    grid.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    grid
}
