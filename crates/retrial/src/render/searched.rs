//! How far the exhaustive search of each smallest workload got: strategies down, environments across. A search that was
//! stopped early is marked as such.

use retrial_sim::explore::Searched;
use retrial_sim::explore::verdict::Verdict;
use retrial_sim::sentence::counted;

use super::matrix::by_strategy;
use super::{columns, style};
use crate::results::{Line, Table};

/// The table; `None` if nothing was searched.
pub fn table(table: &Table) -> Option<String> {
    let searched = |line: &&Line| line.report.searched.is_some();
    table.lines.iter().find(searched)?;
    let all = &table.selection.info.environments;
    let environments: Vec<usize> = (0..all.len())
        .filter(|environment| table.lines.iter().any(|line| line.environment == *environment))
        .collect();
    let names = environments.iter().map(|environment| all[*environment].name);
    let head: Vec<&str> = std::iter::once("schedules searched").chain(names).collect();
    let row = |(strategy, lines): (&str, Vec<&Line>)| {
        let cell = |environment: &usize| {
            let line = lines.iter().find(|line| line.environment == *environment);
            line.and_then(|line| line.report.searched.as_ref()).map_or(String::new(), short)
        };
        std::iter::once(strategy.to_owned()).chain(environments.iter().map(cell)).collect()
    };
    let legend = "(* complete; + stopped early; c hit the step limit; s shared state)";
    let text = columns::fitted(&head, by_strategy(table).into_iter().map(row).collect());
    Some(format!("{text}\n{legend}"))
}

/// Prints a sentence for each strategy in each environment.
pub fn sentences(table: &Table) {
    let info = &table.selection.info;
    for line in &table.lines {
        let Some(searched) = &line.report.searched else { continue };
        let place = format!(
            "{}/{} in {}",
            info.name, info.strategies[line.strategy].name, info.environments[line.environment].name
        );
        let held = |(_, verdict, _): &&(&str, Verdict, _)| matches!(verdict, Verdict::Holds { .. });
        let holds: Vec<&str> = line.verdicts.iter().filter(held).map(|(name, ..)| *name).collect();
        let said = format!("{place}: {} hold, {}", holds.join(", "), sentence(searched));
        say!("{}", if searched.is_complete() { style::good(said) } else { style::odd(said) });
    }
}

/// The result of a search as a sentence.
fn sentence(searched: &Searched) -> String {
    let Searched { counts, bound, budget, cut, .. } = searched;
    let shares = searched.hidden_sharing.is_some();
    let preemptions = match bound {
        Some(bound) => format!("at most {}", counted(*bound, "preemption")),
        None => counted(counts.preemptions, "preemption"),
    };
    let seen =
        format!("{}, {}, {preemptions}", counted(counts.schedules, "schedule"), counted(*budget, "fault"));
    match (searched.is_finished, cut) {
        _ if shares => format!("not exhaustive: {seen}, and processes share memory outside of any part"),
        (true, 0) => format!("complete: {seen}"),
        (true, cut) => format!("not exhaustive: {seen} ({cut} hit the step limit)"),
        (false, _) => format!("not exhaustive: {seen} (stopped early)"),
    }
}

/// The number of schedules and a mark for how the search ended; see the legend below the table.
fn short(searched: &Searched) -> String {
    let mark = match (searched.is_complete(), searched.is_finished) {
        (true, _) => '*',
        (false, _) if searched.hidden_sharing.is_some() => 's',
        (false, true) => 'c',
        (false, false) => '+',
    };
    format!("{}{mark}", searched.counts.schedules)
}
