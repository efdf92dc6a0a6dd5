//! Tables of figures that fit the page: columns without room go into another block, which repeats the row names.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

use super::page::WIDTH;

/// The gap that the table's style leaves on each side of a cell.
const GAP: usize = 2;

/// A table with a heading over each column; the first column names the rows, the others hold figures.
pub(super) fn fitted(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column)).map(String::len);
    let width = |column: usize| cells(column).chain([head[column].len()]).max().unwrap_or(0) + GAP;
    let mut blocks: Vec<Vec<usize>> = Vec::new();
    let mut used = WIDTH;
    for column in 1..head.len() {
        if used + width(column) > WIDTH {
            blocks.push(Vec::new());
            used = width(0);
        }
        used += width(column);
        blocks.last_mut().expect("a block was begun").push(column);
    }
    let block = |columns: &Vec<usize>| {
        let mut grid = grid();
        let of = |row: &dyn Fn(usize) -> String| {
            std::iter::once(0).chain(columns.iter().copied()).map(row).map(Cell::new).collect::<Vec<_>>()
        };
        grid.set_header(of(&|column| head[column].to_owned()));
        for row in &rows {
            grid.add_row(of(&|column| row.get(column).cloned().unwrap_or_default()));
        }
        for column in grid.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        grid.trim_fmt()
    };
    blocks.iter().map(block).collect::<Vec<_>>().join("\n\n")
}

fn grid() -> Table {
    let mut grid = Table::new();
    grid.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    grid
}

#[cfg(test)]
mod tests {
    use super::fitted;
    use crate::render::page::WIDTH;

    #[test]
    fn columns_without_room_go_into_a_further_block() {
        let head: Vec<String> = (0..12).map(|number| format!("environment_{number}")).collect();
        let head: Vec<&str> = head.iter().map(String::as_str).collect();
        let rows = vec![(0..12).map(|number| number.to_string()).collect::<Vec<_>>(); 2];
        let text = fitted(&head, rows);
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert_eq!(text.matches("environment_0").count(), 3, "each block has the names of the rows: {text}");
        assert!((1..12).all(|number| text.contains(&format!("environment_{number}"))), "{text}");
    }
}
