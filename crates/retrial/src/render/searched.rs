//! How far the exhaustive search of each smallest workload got: strategies down, environments across. A search that was
//! stopped early is marked as such.

use retrial_sim::explore::Searched;

use super::columns;
use super::matrix::by_strategy;
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
