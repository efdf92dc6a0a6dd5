//! Whether rows or index entries fit on one page: the server marks pages of tables and leaf pages of indexes, and small
//! ones are known to have a single page. Sizes are upper bounds (manual, 73.6 and 67.4), so what is said to fit does
//! fit.

use retrial_pgmodel_sql::catalog::TableDef;
use retrial_pgmodel_sql::plan::Expr;
use retrial_pgmodel_sql::value::Value;

use crate::heap::Heap;
use crate::limit::weight;

/// Bytes of a table page without its header.
const HEAP_PAGE: u64 = 8192 - 24;

/// Bytes to which the first leaf page of an index is at least filled before there is a second one.
const LEAF_PAGE: u64 = (8192 - 24 - 16) * 9 / 10;

/// Bytes of the header and line pointer of a row, and of an index entry.
const ROW: u64 = 24 + 4;
const ENTRY: u64 = 8 + 4;

/// The maximum number of rows, and of index entries, on a page.
const ROWS_MAX: u32 = 291;
const ENTRIES_MAX: u32 = 407;

/// Whether all versions of a table are on one page.
pub(super) fn heap_fits(heap: &Heap, table: &TableDef) -> bool {
    heap.len() <= ROWS_MAX && size(heap, |_| true) <= HEAP_PAGE * u64::from(table.layout.fillfactor) / 100
}

/// Whether a new version of a row goes to the page of the previous one: the table has one page, or each page has
/// reserved enough room for all updated versions so far.
pub(super) fn heap_takes(heap: &Heap, table: &TableDef, tuple: &[Value]) -> bool {
    let kept = HEAP_PAGE * u64::from(100 - table.layout.fillfactor) / 100;
    let fits = |room: u64, used: u64| used + row(tuple) <= room;
    heap.len() < ROWS_MAX && fits(HEAP_PAGE - kept, size(heap, |_| true))
        || kept > 0 && fits(kept, size(heap, |version| heap.row(version) != version))
}

fn size(heap: &Heap, counts: impl Fn(u32) -> bool) -> u64 {
    (0..heap.len()).filter(|version| counts(*version)).map(|version| row(heap.tuple(version))).sum()
}

/// Whether all entries of an index are on one leaf page.
pub(super) fn index_fits(heap: &Heap, table: &TableDef, index: usize) -> bool {
    let index = &table.indexes[index];
    let size = |tuple: &[Value]| {
        let key = |key: &Expr| match key {
            Expr::Column { column, .. } => stored(&tuple[*column]),
            // The value of an expression is not stored with the row, so its size is unknown.
            _ => LEAF_PAGE,
        };
        let keys: u64 = index.keys.iter().map(key).sum();
        let included: u64 = index.included.iter().map(|column| stored(&tuple[*column])).sum();
        ENTRY + aligned(keys + included)
    };
    !table.layout.sparse_indexes
        && heap.len() <= ENTRIES_MAX
        && (0..heap.len()).map(|version| size(heap.tuple(version))).sum::<u64>() <= LEAF_PAGE
}

fn row(tuple: &[Value]) -> u64 {
    let nulls = if tuple.contains(&Value::Null) { aligned(tuple.len() as u64 / 8 + 1) } else { 0 };
    ROW + nulls + aligned(tuple.iter().map(stored).sum())
}

fn stored(value: &Value) -> u64 {
    match value {
        Value::Null => 0,
        Value::Text(text) => text.len() as u64 + 8,
        Value::Bool(_) | Value::Int(_) | Value::Timestamptz(_) => 8,
        other => weight(other) + 16,
    }
}

fn aligned(size: u64) -> u64 {
    size.div_ceil(8) * 8
}
