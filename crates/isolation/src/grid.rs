//! Formats tables as libpq's printer does. As there, widths are counted in bytes, and a value counts as a number if it
//! looks like one; a difference would show in every transcript.

use retrial_engines::console::Grid;

/// The table with its row count and an empty line; an empty text if it has no columns.
pub(super) fn table(grid: &Grid) -> String {
    if grid.columns.is_empty() {
        return String::new();
    }
    let columns: Vec<Column> = (0..grid.columns.len()).map(|index| Column::of(grid, index)).collect();
    let rule: Vec<String> = columns.iter().map(|column| "-".repeat(column.width)).collect();
    let mut text = line(&columns, grid.columns.iter().map(String::as_str));
    text.push_str(&rule.join("+"));
    text.push('\n');
    for row in &grid.rows {
        text.push_str(&line(&columns, row.iter().map(|value| value.as_deref().unwrap_or_default())));
    }
    let count = grid.rows.len();
    text.push_str(&format!("({count} row{})\n\n", if count == 1 { "" } else { "s" }));
    text
}

struct Column {
    width: usize,
    /// Right-aligned, because every non-null value looks like a number.
    right: bool,
}

impl Column {
    fn of(grid: &Grid, index: usize) -> Column {
        let values = || grid.rows.iter().filter_map(|row| row.get(index)?.as_deref());
        let widest = values().map(str::len).max().unwrap_or(0);
        Column { width: widest.max(grid.columns[index].len()), right: values().all(looks_numeric) }
    }
}

/// Whether the value looks like a number: only digits, points, exponents, blanks and minus signs, no exponent at the
/// beginning and a digit at the end. An empty value does, too.
fn looks_numeric(value: &str) -> bool {
    let bytes = value.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return true };
    bytes.iter().all(|byte| byte.is_ascii_digit() || b".eE -".contains(byte))
        && !b"eE".contains(first)
        && last.is_ascii_digit()
}

fn line<'a>(columns: &[Column], values: impl Iterator<Item = &'a str>) -> String {
    let cells: Vec<String> = columns.iter().zip(values).map(|(column, value)| cell(column, value)).collect();
    format!("{}\n", cells.join("|"))
}

fn cell(column: &Column, value: &str) -> String {
    let pad = " ".repeat(column.width.saturating_sub(value.len()));
    if column.right { format!("{pad}{value}") } else { format!("{value}{pad}") }
}

#[cfg(test)]
mod tests {
    use retrial_engines::console::Grid;

    use super::table;

    fn grid(columns: &[&str], rows: &[&[Option<&str>]]) -> Grid {
        Grid {
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            types: vec![25; columns.len()],
            rows: rows.iter().map(|row| row.iter().map(|value| value.map(str::to_owned)).collect()).collect(),
        }
    }

    #[test]
    fn numbers_go_to_the_right_and_nulls_are_blank() {
        let rows: [&[Option<&str>]; 3] = [
            &[Some("1"), Some("x"), Some("1.5")],
            &[Some("3"), Some(""), Some("4.5")],
            &[Some("22"), None, Some("33.0")],
        ];
        let expected = " a|b|   n\n--+-+----\n 1|x| 1.5\n 3| | 4.5\n22| |33.0\n(3 rows)\n\n";
        assert_eq!(table(&grid(&["a", "b", "n"], &rows)), expected);
    }

    #[test]
    fn what_only_looks_a_little_like_a_number_goes_to_the_left() {
        let row: [&[Option<&str>]; 1] = [&[Some("1e"), Some("e1"), Some("-"), Some("+1"), Some("1 2")]];
        let expected = "e |f |g|h |  i\n--+--+-+--+---\n1e|e1|-|+1|1 2\n(1 row)\n\n";
        assert_eq!(table(&grid(&["e", "f", "g", "h", "i"], &row)), expected);
    }

    #[test]
    fn widths_are_bytes() {
        assert_eq!(
            table(&grid(&["é", "x"], &[&[Some("é"), Some("abc")]])),
            "é|x  \n--+---\né|abc\n(1 row)\n\n"
        );
    }

    #[test]
    fn without_rows_there_is_a_header_and_without_columns_nothing() {
        assert_eq!(table(&grid(&["a"], &[])), "a\n-\n(0 rows)\n\n");
        assert_eq!(table(&grid(&[], &[&[]])), "");
    }
}
