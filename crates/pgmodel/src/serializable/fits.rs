//! What fits one page: the server marks pages of a table and leaf pages of an index, and those of small ones are known
//! to be one. Sizes are bounds from above (manual, 73.6 and 67.4), so what is said to fit does.

use crate::catalog::TableDef;
use crate::heap::Heap;
use crate::limit::weight;
use crate::plan::Expr;
use crate::value::Value;

/// What a page of a table has room for, its header left out.
const HEAP_PAGE: u64 = 8192 - 24;

/// What the first leaf page of an index is filled with at least before there is a second.
const LEAF_PAGE: u64 = (8192 - 24 - 16) * 9 / 10;

/// A row's header and its pointer, and an index entry's.
const ROW: u64 = 24 + 4;
const ENTRY: u64 = 8 + 4;

/// As many rows, or entries, as a page can have at the most.
const ROWS_MAX: u32 = 291;
const ENTRIES_MAX: u32 = 407;

/// Whether all versions of a table are in one page.
pub(super) fn heap_fits(heap: &Heap, table: &TableDef) -> bool {
    heap.len() <= ROWS_MAX && size(heap, |_| true) <= HEAP_PAGE * u64::from(table.layout.fillfactor) / 100
}

/// Whether a version that replaces another goes to the page of that: there is one page, or each page has kept enough
/// room for all the versions that ever replaced others.
pub(super) fn heap_takes(heap: &Heap, table: &TableDef, tuple: &[Value]) -> bool {
    let kept = HEAP_PAGE * u64::from(100 - table.layout.fillfactor) / 100;
    let fits = |room: u64, used: u64| used + row(tuple) <= room;
    heap.len() < ROWS_MAX && fits(HEAP_PAGE - kept, size(heap, |_| true))
        || kept > 0 && fits(kept, size(heap, |version| heap.row(version) != version))
}

fn size(heap: &Heap, counts: impl Fn(u32) -> bool) -> u64 {
    (0..heap.len()).filter(|version| counts(*version)).map(|version| row(heap.tuple(version))).sum()
}

/// Whether all entries of an index are in one leaf page.
pub(super) fn index_fits(heap: &Heap, table: &TableDef, index: usize) -> bool {
    let index = &table.indexes[index];
    let size = |tuple: &[Value]| {
        let key = |key: &Expr| match key {
            Expr::Column { column, .. } => stored(&tuple[*column]),
            // What an expression makes is not kept with the row.
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
