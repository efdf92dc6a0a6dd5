//! Predicts the server's plan for a table that a serializable transaction reads, as far as it decides what is marked: a
//! scan of the whole table or of an index (src/backend/optimizer/util/plancat.c and path/costsize.c). A table that was
//! empty when an index was created, and never vacuumed or analyzed, is assumed to have ten pages, so an index is used.
//! A table known to have one page is scanned as a whole. `enable_seqscan` and similar parameters override this.
//! Otherwise the plan is unknown.

use std::rc::Rc;

use retrial_pgmodel_sql::catalog::TableDef;
use retrial_pgmodel_sql::plan::{
    Access, AggregateFunction, Expr, List, Query, Select, Slot, Step, SubKind, parts,
};

use super::{Certainty, Granularity};
use crate::execution::Execution;

/// Parameters that change the costs of plans.
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

/// The number of versions from which a single row is found by an index, even if the table was counted.
const MANY: u32 = 1000;

/// The properties of a query that affect how its tables are read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reading {
    /// It may stop before it has read all rows: by LIMIT, or by `min` or `max`, which read one end of an index.
    stops: bool,
    /// The indexes that may be scanned for their order, as a bit set of their positions.
    orders: u64,
    /// Whether an index may be scanned because it contains all columns that the query needs.
    covered: bool,
    /// Whether the query is joined in a way that only the server's planner decides.
    joined: bool,
}

/// Restores the [`Reading`] of an [`Execution`] when it is dropped at the end of a query.
pub(crate) struct Reads<'r> {
    run: &'r Execution,
    before: Reading,
}

impl Drop for Reads<'_> {
    fn drop(&mut self) {
        self.run.reading.set(self.before);
    }
}

/// The way in which a table is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// By a scan of the whole table.
    Scan,
    /// By the index that the model uses: all rows under the keys, or, without `all`, only as many as are needed.
    Index { all: bool },
    /// By either of these.
    Either { all: bool },
    /// By a scan of the whole table or of any index in its order, until there are enough rows.
    Walk,
    /// By a join; possibly not at all.
    Joined,
}

impl Execution {
    /// Records that a serializable transaction starts to run a query; `None` in other transactions.
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

    /// Records that a subquery of an expression is run. The server turns those of EXISTS and IN into joins.
    pub(crate) fn reads_within(&self, expr: &Expr, query: &Rc<Query>) -> Option<Reads<'_>> {
        if !self.serializable {
            return None;
        }
        let before = self.reading.get();
        self.reading.set(Reading { joined: before.joined || is_joined(expr, query), ..before });
        Some(Reads { run: self, before })
    }

    /// How the server reads a table of a query level that has `slots` slots.
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
        // A large counted table is not scanned as a whole for a single row.
        let few = if known { fixed && rows >= MANY } else { finds_few(&step.access) };
        if !scans || few && !priced { How::Index { all } } else { How::Either { all } }
    }

    /// Whether no other index may be useful for a step.
    fn is_only(&self, table: &TableDef, step: &Step, used: usize) -> bool {
        let others = leading(table).into_iter().enumerate().filter(|(place, _)| *place != used);
        let mut usable = others.filter(|(place, first)| {
            table.indexes[*place].valid && step.filters.iter().any(|filter| mentions(filter, &[*first]))
        });
        usable.next().is_none() && self.reading.get().orders & !bit(used) == 0
    }

    /// Whether marks have key granularity, regardless of the pages that the server would mark.
    pub(super) fn is_finest(&self) -> bool {
        self.server.backend(self.session).settings.granularity() == Granularity::Key
    }

    /// Whether the session has set any parameter that affects plans.
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

/// [`Certainty::Sure`] if `sure`, else [`Certainty::Doubtful`].
pub(super) fn certainty(sure: bool) -> Certainty {
    if sure { Certainty::Sure } else { Certainty::Doubtful }
}

fn used(access: &Access) -> Option<usize> {
    match access {
        Access::Scan => None,
        Access::Key { index, .. } | Access::List { index, .. } | Access::Range { index, .. } => Some(*index),
    }
}

/// Whether an access finds at most one row.
fn is_whole(table: &TableDef, access: &Access) -> bool {
    matches!(access, Access::Key { index, whole: true, .. } if table.indexes[*index].unique)
}

/// Whether the server assumes an access to a never counted table to find few enough rows for an index.
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

/// The first column of each index; `None` if that is an expression.
fn leading(table: &TableDef) -> Vec<Option<usize>> {
    let first = |index: &Rc<retrial_pgmodel_sql::catalog::IndexDef>| match index.keys.first() {
        Some(Expr::Column { column, .. }) => Some(*column),
        _ => None,
    };
    table.indexes.iter().map(first).collect()
}

/// Whether an expression references one of the columns. `None` in `columns` matches any column.
fn mentions(expr: &Expr, columns: &[Option<usize>]) -> bool {
    match expr {
        Expr::Column { up: 0, column, .. } => columns.contains(&Some(*column)) || columns.contains(&None),
        Expr::Sub { query, kind } if query.correlated => {
            matches!(kind, SubKind::Any { operands, .. } if operands.iter().any(|it| mentions(it, columns)))
        }
        other => parts(other).into_iter().any(|part| mentions(part, columns)),
    }
}

/// Whether an expression has the same value for every row.
fn is_fixed(expr: &Expr) -> bool {
    !matches!(expr, Expr::Column { up: 0, .. }) && parts(expr).into_iter().all(is_fixed)
}

/// Whether an index may contain all columns that a query needs of a table.
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

/// Whether the subquery is part of the expression in a form that the server may join to the outer query.
fn is_joined(expr: &Expr, wanted: &Rc<Query>) -> bool {
    match expr {
        Expr::Sub { kind: SubKind::Exists, query } if Rc::ptr_eq(query, wanted) => true,
        Expr::Sub { kind: SubKind::Any { .. }, query } if Rc::ptr_eq(query, wanted) => true,
        other => parts(other).into_iter().any(|part| is_joined(part, wanted)),
    }
}
