//! The details of a run (`retrial run --verbose`): costs, coverage, searches, and every violation with the command
//! that replays it.

use std::collections::BTreeSet;
use std::time::Duration;

use retrial_sim::explore::costs::{Costs, Samples};

use super::matrix::{by_strategy, first_violation};
use super::{columns, coverage, searched, style};
use crate::results::{Line, Results, Table};

/// The details of one scenario, after its matrix.
pub fn table(results: &Results, table: &Table) -> String {
    let parts = [
        Some(costs(table)),
        work(table),
        Some(effort(table)),
        Some(coverage::invariants(table)),
        coverage::faults(table),
        searched::table(table),
    ];
    let mut text = String::new();
    parts.iter().flatten().for_each(|part| say!(text, "{part}\n"));
    text + &violations(results, table)
}

/// The costs of each strategy, in virtual time.
pub fn costs(table: &Table) -> String {
    let head = [
        "costs (times in ms)",
        "lock max",
        "lock p99",
        "wait max",
        "wait p99",
        "finish p99",
        "statements/trial",
        "retries",
    ];
    let row = |(strategy, lines): (&str, Vec<&Line>)| {
        let costs = summed(&lines);
        let longest = |samples: &Samples| ms(samples.longest());
        let p99 = |samples: &Samples| ms(samples.percentile(99));
        let statements = costs.statements / costs.finishes.count().max(1);
        vec![
            strategy.to_owned(),
            longest(&costs.lock_holds),
            p99(&costs.lock_holds),
            longest(&costs.waits),
            p99(&costs.waits),
            p99(&costs.finishes),
            statements.to_string(),
            costs.retries.to_string(),
        ]
    };
    columns::fitted(&head, by_strategy(table).into_iter().map(row).collect())
}

/// The most work of a single statement, by label; `None` if the scenario watches no labels.
pub fn work(table: &Table) -> Option<String> {
    let watched = table.lines.iter().flat_map(|line| line.report.costs.watched.keys());
    let watched: BTreeSet<&str> = watched.copied().collect();
    if watched.is_empty() {
        return None;
    }
    let labels = watched.iter().flat_map(|label| [format!("{label} max"), format!("{label} in scans")]);
    let head: Vec<String> = std::iter::once("work per statement (steps)".to_owned()).chain(labels).collect();
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let row = |(strategy, lines): (&str, Vec<&Line>)| {
        let costs = summed(&lines);
        let figures = watched.iter().flat_map(|label| {
            let most = costs.watched.get(label).copied().unwrap_or_default();
            [most.steps.to_string(), most.full_scan_steps.to_string()]
        });
        std::iter::once(strategy.to_owned()).chain(figures).collect()
    };
    Some(columns::fitted(&head, by_strategy(table).into_iter().map(row).collect()))
}

/// How much was run of each strategy, and in which trial the last new behaviour was seen.
fn effort(table: &Table) -> String {
    let head = ["trials", "run", "last new behaviour at", "re-run and compared"];
    let row = |(strategy, lines): (&str, Vec<&Line>)| {
        let sum = |of: fn(&Line) -> u64| lines.iter().map(|line| of(line)).sum::<u64>();
        let last = lines.iter().map(|line| line.report.last_new_behaviour()).max().unwrap_or(0);
        vec![
            strategy.to_owned(),
            sum(|line| line.report.trials).to_string(),
            last.to_string(),
            sum(|line| line.report.audited).to_string(),
        ]
    };
    columns::fitted(&head, by_strategy(table).into_iter().map(row).collect())
}

fn summed(lines: &[&Line]) -> Costs {
    let mut costs = Costs::default();
    lines.iter().for_each(|line| costs.absorb(line.report.costs.clone()));
    costs
}

/// Each violation in its first environment: what went wrong, and how to replay it.
fn violations(results: &Results, table: &Table) -> String {
    let mut text = String::new();
    let info = &table.selection.info;
    for (strategy, lines) in by_strategy(table) {
        for invariant in info.judged() {
            let Some((environment, counterexample)) = first_violation(&lines, invariant) else { continue };
            let found = found(&lines, environment, invariant);
            let environment = info.environments[environment].name;
            let sentence = &counterexample.sentence;
            let (strategy, invariant) = (style::heading(strategy), style::bad(invariant));
            say!(text, "{strategy} violates {invariant}, first in {environment}, {found}: {sentence}");
            say!(text, "    retrial replay {}\n", results.replayable(&counterexample.case));
        }
    }
    text
}

/// Which scheduling policy found the violation first in that environment, and in which trial.
fn found(lines: &[&Line], environment: usize, invariant: &str) -> String {
    let line = lines.iter().find(|line| line.environment == environment);
    let first = line.and_then(|line| {
        let place = line.judgements.iter().position(|it| it.name == invariant)?;
        line.report.tallies[place].first_violation
    });
    first.map_or(String::new(), |(trial, policy)| format!("found by {policy} in trial {trial}"))
}

fn ms(time: Option<Duration>) -> String {
    time.map_or("-".to_owned(), |time| time.as_millis().to_string())
}
