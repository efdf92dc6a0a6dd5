//! Whether green was earned: how often the situation of each invariant came up in each environment, over all strategies, and
//! how often each fault struck. It must never pass over a zero.

use std::collections::BTreeMap;

use comfy_table::{Cell, CellAlignment};
use retrial_sim::fault::Fault;

use super::matrix::grid;
use crate::run::{Line, Table};

/// How often each invariant's situation came up: invariants down, environments across. In brackets, how many strategies never
/// met it there.
pub fn invariants(table: &Table) -> String {
    let (info, environments) = (&table.selection.info, environments(table));
    let mut grid = grid();
    grid.set_header(header(table, "exercised", &environments));
    for (index, (name, _)) in info.invariants.iter().enumerate() {
        let cell = |environment: &usize| {
            let exercised = lines(table, *environment).map(|line| line.report.tallies[index].exercised);
            let (mut sum, mut never) = (0, 0);
            for times in exercised {
                sum += times;
                never += u64::from(times == 0);
            }
            match (sum, never) {
                (0, _) => "-".to_owned(),
                (sum, 0) => sum.to_string(),
                (sum, never) => format!("{sum} ({never})"),
            }
        };
        grid.add_row(std::iter::once((*name).to_owned()).chain(environments.iter().map(cell)));
    }
    right(grid)
}

/// How often each fault struck: faults down, environments across. A dash is a fault that the environment offers and that never
/// struck.
pub fn faults(table: &Table) -> Option<String> {
    let environments = environments(table);
    let all = table.selection.info.environments;
    let mut injected: BTreeMap<(Fault, usize), u64> = BTreeMap::new();
    for line in &table.lines {
        for fault_rule in all[line.environment].fault_rules {
            injected.entry((fault_rule.fault, line.environment)).or_default();
        }
        for ((fault, _), times) in &line.report.injected {
            *injected.entry((*fault, line.environment)).or_default() += times;
        }
    }
    let mut faults: Vec<Fault> = injected.keys().map(|(fault, _)| *fault).collect();
    faults.dedup();
    if faults.is_empty() {
        return None;
    }
    let mut grid = grid();
    grid.set_header(header(table, "injected", &environments));
    for fault in faults {
        let cell = |environment: &usize| match injected.get(&(fault, *environment)) {
            None => String::new(),
            Some(0) => "-".to_owned(),
            Some(times) => times.to_string(),
        };
        grid.add_row(std::iter::once(fault.name().to_owned()).chain(environments.iter().map(cell)));
    }
    Some(right(grid))
}

fn environments(table: &Table) -> Vec<usize> {
    let tried = |environment: &usize| lines(table, *environment).next().is_some();
    (0..table.selection.info.environments.len()).filter(tried).collect()
}

fn lines(table: &Table, environment: usize) -> impl Iterator<Item = &Line> {
    table.lines.iter().filter(move |line| line.environment == environment && !line.report.tallies.is_empty())
}

fn header(table: &Table, what: &str, environments: &[usize]) -> Vec<Cell> {
    let names = environments.iter().map(|environment| table.selection.info.environments[*environment].name);
    std::iter::once(what).chain(names).map(Cell::new).collect()
}

fn right(mut grid: comfy_table::Table) -> String {
    for column in grid.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    grid.trim_fmt()
}
