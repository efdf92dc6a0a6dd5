//! How far the exhaustive search of each smallest workload got: strategies down, environments across. It must never let a search
//! that was stopped look like one that has seen everything.

use comfy_table::Cell;
use retrial_sim::explore::Searched;
use retrial_sim::verdict::Verdict;

use super::matrix::{by_strategy, grid};
use super::style;
use crate::run::{Line, Table};

/// The table; none where nothing was searched.
pub fn table(table: &Table) -> Option<String> {
    let searched = |line: &&Line| line.report.searched.is_some();
    table.lines.iter().find(searched)?;
    let all = table.selection.info.environments;
    let environments: Vec<usize> = (0..all.len())
        .filter(|environment| table.lines.iter().any(|line| line.environment == *environment))
        .collect();
    let mut grid = grid();
    let head = Cell::new("schedules of the\nleast workload");
    grid.set_header(
        std::iter::once(head).chain(environments.iter().map(|environment| Cell::new(all[*environment].name))),
    );
    for (strategy, lines) in by_strategy(table) {
        let cell = |environment: &usize| {
            let line = lines.iter().find(|line| line.environment == *environment);
            Cell::new(line.and_then(|line| line.report.searched.as_ref()).map_or(String::new(), short))
        };
        grid.add_row(std::iter::once(Cell::new(strategy)).chain(environments.iter().map(cell)));
    }
    Some(grid.trim_fmt())
}

/// Prints a sentence for each strategy in each environment.
pub fn sentences(table: &Table) {
    let info = &table.selection.info;
    for line in &table.lines {
        let Some(searched) = &line.report.searched else { continue };
        let place = format!(
            "{}/{} on {}",
            info.name, info.strategies[line.strategy].name, info.environments[line.environment].name
        );
        let held = |(_, verdict, _): &&(&str, Verdict, _)| matches!(verdict, Verdict::Holds { .. });
        let holds: Vec<&str> = line.verdicts.iter().filter(held).map(|(name, ..)| *name).collect();
        let said = format!("{place}: {} holds, {}", holds.join(", "), sentence(searched));
        say!("{}", if searched.is_complete() { style::good(said) } else { style::odd(said) });
    }
}

/// How sure a search makes.
fn sentence(searched: &Searched) -> String {
    let Searched { counts, bound, budget, cut, .. } = searched;
    let shares = searched.hidden_sharing.is_some();
    let preemptions = match bound {
        Some(bound) => format!("at most {bound} preemptions"),
        None => format!("{} preemptions", counts.preemptions),
    };
    let seen = format!("{} schedules, {budget} faults, {preemptions}", counts.schedules);
    match (searched.is_finished, cut) {
        _ if shares => format!("not exhaustively: {seen}, and processes share what no part knows of"),
        (true, 0) => format!("exhaustively: {seen}"),
        (true, cut) => {
            format!("not exhaustively: {seen}, of which {cut} ran into the end of the safety phase")
        }
        (false, _) => format!("not exhaustively: stopped after {seen}"),
    }
}

fn short(searched: &Searched) -> String {
    let schedules = searched.counts.schedules;
    match (searched.is_complete(), searched.is_finished) {
        (true, _) => format!("all {schedules}"),
        (false, _) if searched.hidden_sharing.is_some() => format!("{schedules}, shared state"),
        (false, true) => format!("{schedules}, {} cut", searched.cut),
        (false, false) => format!("{schedules} of more"),
    }
}
