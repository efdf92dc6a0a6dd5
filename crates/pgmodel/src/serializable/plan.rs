//! Which plan the server has for a table that a serializable transaction reads, as far as it decides what is marked: a
//! scan of the whole table, or of an index (src/backend/optimizer/util/plancat.c and path/costsize.c). A table without
//! rows when an index was made on it, and never vacuumed or analyzed, is taken for one of ten pages, so that an index
//! is used; one that is known to have one page is read as a whole. `enable_seqscan` and its kin say otherwise. Where
//! none of this decides, the plan is not known.

use std::rc::Rc;

use super::{Certainty, Granularity};
use crate::access::{Access, List, Step, parts};
use crate::catalog::TableDef;
use crate::execution::Execution;
use crate::plan::{AggregateFunction, Expr, Query, Select, Slot, SubKind};

/// Parameters that change what plans cost.
pub(crate) const PRICES: &[&str] = &[
    "cpu_index_tuple_cost",
    "cpu_operator_cost",
    "cpu_tuple_cost",
    "max_parallel_workers_per_gather",
    "min_parallel_index_scan_size",
    "min_parallel_table_scan_size",
    "parallel_setup_cost",
    "parallel_tuple_cost",
    "random_page_cost",
    "seq_page_cost",
];

/// Versions of a table from which on one of them is found by an index, even if they are known to be as many.
const MANY: u32 = 1000;

/// What a query makes of the tables that it reads.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reading {
    /// It may stop before it has all rows: LIMIT, or `min` and `max`, which look at an end of an index.
    stops: bool,
    /// The indexes, by their places, that may be walked for their order.
    orders: u64,
    /// An index may be walked because it has all columns that are wanted.
    covered: bool,
    /// It is joined to others in a way that only the server's planner knows.
    joined: bool,
}

/// The state of a [`Execution`]'s [`Reading`] until it is dropped, which is where the query ends.
pub(crate) struct Reads<'r> {
    run: &'r Execution,
    before: Reading,
}

impl Drop for Reads<'_> {
    fn drop(&mut self) {
        self.run.reading.set(self.before);
    }
}

/// How a table is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// As a whole.
    Scan,
    /// By the index that the model uses, all rows under the keys, or as many as are wanted.
    Index { all: bool },
    /// One or the other.
    Either { all: bool },
    /// As a whole, or by any index in its order, as far as rows are wanted.
    Walk,
    /// Perhaps not at all.
    Joined,
}

impl Execution {
    /// Says that a query is run, where a serializable transaction runs it.
    pub(crate) fn reads(&self, query: &Query, select: &Select) -> Option<Reads<'_>> {
        if !self.serializable {
            return None;
        }
        let before = self.reading.get();
        let ends = |function| matches!(function, AggregateFunction::Min | AggregateFunction::Max);
        let grouping = select.grouping.as_ref();
        let aggregates = grouping.map_or(&[][..], |grouping| &grouping.aggregates);
        let by_end = aggregates.iter().any(|aggregate| ends(aggregate.function));
        let table = match &select.slots[..] {
            [Slot::Table(table)] => Some(table),
            _ => None,
        };
        let keys = query.order.iter().map(|key| match key.expr {
            Expr::Output(index) => &select.output[index],
            _ => &key.expr,
        });
        let keys = keys.chain(grouping.iter().flat_map(|grouping| &grouping.keys));
        let arguments = aggregates.iter().filter_map(|aggregate| aggregate.argument.as_ref());
        let distinct = select.output.iter().filter(|_| select.distinct);
        let ordered: Vec<&Expr> = keys.chain(arguments).chain(distinct).collect();
        let leading = table.map(|table| leading(table)).unwrap_or_default();
        let orders = leading
            .iter()
            .enumerate()
            .filter(|(_, first)| ordered.iter().any(|expr| mentions(expr, std::slice::from_ref(*first))));
        self.reading.set(Reading {
            stops: before.stops || query.limit.is_some() || by_end,
            orders: orders.fold(0, |all, (place, _)| all | bit(place)),
            covered: table.is_some_and(|table| is_covered(table, query, select)),
            joined: before.joined,
        });
        Some(Reads { run: self, before })
    }

    /// Says that a subquery of an expression is run: one of EXISTS or IN is a join to the server.
    pub(crate) fn reads_within(&self, expr: &Expr, query: &Rc<Query>) -> Option<Reads<'_>> {
        if !self.serializable {
            return None;
        }
        let before = self.reading.get();
        self.reading.set(Reading { joined: before.joined || is_joined(expr, query), ..before });
        Some(Reads { run: self, before })
    }

    /// How the server reads a table of a level that has `slots` of them.
    pub(super) fn how(&self, table: &TableDef, step: &Step, slots: usize, one_page: bool) -> How {
        let reading = self.reading.get();
        let whole = is_whole(table, &step.access);
        let all = !reading.stops || whole;
        if self.is_finest() {
            return if matches!(step.access, Access::Scan) { How::Scan } else { How::Index { all: true } };
        }
        let (known, rows) = {
            let heap = self.server.heap(table.id);
            (heap.is_counted(), heap.len())
        };
        let small = known && one_page;
        let priced = PRICES.iter().any(|name| self.is_set(name));
        let scans = self.is_on("enable_seqscan");
        let indexes = self.is_on("enable_indexscan") || self.is_on("enable_bitmapscan");
        let fixed = whole && matches!(&step.access, Access::Key { key, .. } if key.iter().all(is_fixed));
        if slots > 1 && (!fixed || small || priced) || reading.joined {
            return How::Joined;
        }
        let Some(used) = used(&step.access) else {
            let indexed = table.indexes.iter().any(|index| index.valid);
            let is_partial = table.indexes.iter().any(|index| index.filter.is_some());
            let named = || step.filters.iter().any(|filter| mentions(filter, &leading(table)));
            let walks = reading.orders != 0 || is_partial || named() || (priced || !scans) && reading.covered;
            return if indexed && walks && !(small && scans && !priced) { How::Walk } else { How::Scan };
        };
        if !indexes || small && scans && !priced {
            return How::Scan;
        }
        if !(fixed || self.is_only(table, step, used)) {
            return How::Walk;
        }
        // A table of many rows that were counted is not read as a whole for one of them.
        let few = if known { fixed && rows >= MANY } else { finds_few(&step.access) };
        if !scans || few && !priced { How::Index { all } } else { How::Either { all } }
    }

    /// Whether no other index may be of use to a step.
    fn is_only(&self, table: &TableDef, step: &Step, used: usize) -> bool {
        let others = leading(table).into_iter().enumerate().filter(|(place, _)| *place != used);
        let mut usable = others.filter(|(place, first)| {
            table.indexes[*place].valid && step.filters.iter().any(|filter| mentions(filter, &[*first]))
        });
        usable.next().is_none() && self.reading.get().orders & !bit(used) == 0
    }

    /// Whether marks are as fine as keys, whatever pages the server would mark.
    pub(super) fn is_finest(&self) -> bool {
        self.server.backend(self.session).settings.granularity() == Granularity::Key
    }

    /// Whether the session has said anything of its plans.
    pub(super) fn plans_are_set(&self) -> bool {
        let backend = self.server.backend(self.session);
        let mut names = backend.settings.others.keys();
        names.any(|name| name.starts_with("enable_") || PRICES.contains(&name.as_str()))
    }

    fn is_set(&self, name: &str) -> bool {
        self.server.backend(self.session).settings.others.contains_key(name)
    }

    fn is_on(&self, name: &str) -> bool {
        let backend = self.server.backend(self.session);
        backend
            .settings
            .others
            .get(name)
            .is_none_or(|value| crate::settings::truth(name, value).unwrap_or(true))
    }
}

/// The certainty of what is so if `sure`.
pub(super) fn certainty(sure: bool) -> Certainty {
    if sure { Certainty::Sure } else { Certainty::Doubtful }
}

fn used(access: &Access) -> Option<usize> {
    match access {
        Access::Scan => None,
        Access::Key { index, .. } | Access::List { index, .. } | Access::Range { index, .. } => Some(*index),
    }
}

/// Whether an access finds one row at the most.
fn is_whole(table: &TableDef, access: &Access) -> bool {
    matches!(access, Access::Key { index, whole: true, .. } if table.indexes[*index].unique)
}

/// Whether a table that was never counted is taken to have few enough rows like that for an index.
fn finds_few(access: &Access) -> bool {
    match access {
        Access::Scan => false,
        Access::Key { .. } => true,
        Access::List { list, .. } => matches!(list, List::Each(list) if list.len() <= 10),
        Access::Range { prefix, bounds, .. } => !prefix.is_empty() || bounds.len() > 1,
    }
}

fn bit(place: usize) -> u64 {
    1 << place.min(63)
}

/// The first column of each index; none where that is an expression.
fn leading(table: &TableDef) -> Vec<Option<usize>> {
    let first = |index: &Rc<crate::catalog::IndexDef>| match index.keys.first() {
        Some(Expr::Column { column, .. }) => Some(*column),
        _ => None,
    };
    table.indexes.iter().map(first).collect()
}

/// Whether an expression names one of the columns, or might be one of the expressions.
fn mentions(expr: &Expr, columns: &[Option<usize>]) -> bool {
    match expr {
        Expr::Column { up: 0, column, .. } => columns.contains(&Some(*column)) || columns.contains(&None),
        Expr::Sub { query, kind } if query.correlated => {
            matches!(kind, SubKind::Any { operands, .. } if operands.iter().any(|it| mentions(it, columns)))
        }
        other => parts(other).into_iter().any(|part| mentions(part, columns)),
    }
}

/// Whether an expression is the same for every row.
fn is_fixed(expr: &Expr) -> bool {
    !matches!(expr, Expr::Column { up: 0, .. }) && parts(expr).into_iter().all(is_fixed)
}

/// Whether an index may have all columns that a query wants of a table.
fn is_covered(table: &TableDef, query: &Query, select: &Select) -> bool {
    let grouping = select.grouping.as_ref();
    let aggregates = grouping.iter().flat_map(|grouping| &grouping.aggregates);
    let of = aggregates.flat_map(|it| {
        it.argument.iter().chain(&it.filter).chain(&it.second).chain(it.order.iter().map(|key| &key.expr))
    });
    let exprs = select.output.iter().chain(&select.filter).chain(query.order.iter().map(|key| &key.expr));
    let keys = grouping.iter().flat_map(|grouping| grouping.keys.iter().chain(&grouping.having));
    let wanted: Vec<&Expr> = exprs.chain(keys).chain(of).collect();
    table.indexes.iter().any(|index| {
        let columns = index.plain_columns().chain(index.included.iter().copied()).collect::<Vec<_>>();
        wanted.iter().all(|expr| names_only(expr, &columns))
    })
}

fn names_only(expr: &Expr, columns: &[usize]) -> bool {
    match expr {
        Expr::Column { up: 0, column, .. } => columns.contains(column),
        other => parts(other).into_iter().all(|part| names_only(part, columns)),
    }
}

/// Whether a subquery of the expression is one that the server may join to the query around it.
fn is_joined(expr: &Expr, wanted: &Rc<Query>) -> bool {
    match expr {
        Expr::Sub { kind: SubKind::Exists, query } if Rc::ptr_eq(query, wanted) => true,
        Expr::Sub { kind: SubKind::Any { .. }, query } if Rc::ptr_eq(query, wanted) => true,
        other => parts(other).into_iter().any(|part| is_joined(part, wanted)),
    }
}
