//! Whether green was earned: how often the situation of each invariant came up on each rung, over all strategies, and
//! how often each fault struck. It must never pass over a zero.

use std::collections::BTreeMap;

use comfy_table::{Cell, CellAlignment};
use retrial_sim::fault::Fault;

use super::matrix::grid;
use crate::run::{Line, Table};

/// How often each invariant's situation came up: invariants down, rungs across. In brackets, how many strategies never
/// met it there.
pub fn invariants(table: &Table) -> String {
    let (card, rungs) = (&table.selection.card, rungs(table));
    let mut grid = grid();
    grid.set_header(header(table, "entered", &rungs));
    for (index, (name, _)) in card.invariants.iter().enumerate() {
        let cell = |rung: &usize| {
            let entered = lines(table, *rung).map(|line| line.report.tallies[index].exercised);
            let (mut sum, mut never) = (0, 0);
            for times in entered {
                sum += times;
                never += u64::from(times == 0);
            }
            match (sum, never) {
                (0, _) => "-".to_owned(),
                (sum, 0) => sum.to_string(),
                (sum, never) => format!("{sum} ({never})"),
            }
        };
        grid.add_row(std::iter::once((*name).to_owned()).chain(rungs.iter().map(cell)));
    }
    right(grid)
}

/// How often each fault struck: faults down, rungs across. A dash is a fault that the rung offers and that never
/// struck.
pub fn faults(table: &Table) -> Option<String> {
    let rungs = rungs(table);
    let ladder = table.selection.card.ladder;
    let mut struck: BTreeMap<(Fault, usize), u64> = BTreeMap::new();
    for line in &table.lines {
        for offer in ladder[line.rung].offers {
            struck.entry((offer.fault, line.rung)).or_default();
        }
        for ((fault, _), times) in &line.report.strikes {
            *struck.entry((*fault, line.rung)).or_default() += times;
        }
    }
    let mut faults: Vec<Fault> = struck.keys().map(|(fault, _)| *fault).collect();
    faults.dedup();
    if faults.is_empty() {
        return None;
    }
    let mut grid = grid();
    grid.set_header(header(table, "struck", &rungs));
    for fault in faults {
        let cell = |rung: &usize| match struck.get(&(fault, *rung)) {
            None => String::new(),
            Some(0) => "-".to_owned(),
            Some(times) => times.to_string(),
        };
        grid.add_row(std::iter::once(fault.name().to_owned()).chain(rungs.iter().map(cell)));
    }
    Some(right(grid))
}

fn rungs(table: &Table) -> Vec<usize> {
    let tried = |rung: &usize| lines(table, *rung).next().is_some();
    (0..table.selection.card.ladder.len()).filter(tried).collect()
}

fn lines(table: &Table, rung: usize) -> impl Iterator<Item = &Line> {
    table.lines.iter().filter(move |line| line.rung == rung && !line.report.tallies.is_empty())
}

fn header(table: &Table, what: &str, rungs: &[usize]) -> Vec<Cell> {
    let names = rungs.iter().map(|rung| table.selection.card.ladder[*rung].name);
    std::iter::once(what).chain(names).map(Cell::new).collect()
}

fn right(mut grid: comfy_table::Table) -> String {
    for column in grid.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    grid.trim_fmt()
}
