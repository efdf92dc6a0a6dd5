//! A read-only traversal of everything in a query: the nested queries and all expressions. It covers every place where
//! an expression can occur.

use super::{ConflictUpdate, Core, Expr, Grouping, Insert, Join, OnConflict, Query, Select, Slot, parts};

/// A node of the traversal.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Met<'a> {
    /// A query, before its parts.
    Query(&'a Query),
    /// An expression, before its parts.
    Expr(&'a Expr),
}

/// The callback for each node, with its number of query levels below the start.
pub(crate) type See<'s, 'a> = dyn FnMut(Met<'a>, usize) + 's;

/// Visits a query, its nested queries and all their expressions.
pub(crate) fn query<'a>(query: &'a Query, depth: usize, see: &mut See<'_, 'a>) {
    see(Met::Query(query), depth);
    for cte in &query.ctes {
        self::query(&cte.query, depth + 1, see);
    }
    match &query.core {
        Core::Select(select) => select_core(select, depth, see),
        Core::Values(rows) => expressions(rows.iter().flatten(), depth, see),
        Core::Set { left, right, .. } => {
            self::query(left, depth + 1, see);
            self::query(right, depth + 1, see);
        }
        Core::Insert(insert) => insert_core(insert, depth, see),
        Core::Update(update) => {
            slots(&update.slots, depth, see);
            join(&update.join, depth, see);
            expressions(&update.filter, depth, see);
            expressions(update.set.iter().map(|(_, expr)| expr), depth, see);
            expressions(&update.returning, depth, see);
        }
        Core::Delete(delete) => {
            slots(&delete.slots, depth, see);
            join(&delete.join, depth, see);
            expressions(&delete.filter, depth, see);
            expressions(&delete.returning, depth, see);
        }
    }
    expressions(query.order.iter().map(|key| &key.expr), depth, see);
    expressions(&query.limit, depth, see);
    expressions(&query.offset, depth, see);
}

/// Visits an expression, its parts, and the queries of its subqueries.
pub(crate) fn expression<'a>(expr: &'a Expr, depth: usize, see: &mut See<'_, 'a>) {
    see(Met::Expr(expr), depth);
    for part in parts(expr) {
        expression(part, depth, see);
    }
    if let Expr::Sub { query, .. } = expr {
        self::query(query, depth + 1, see);
    }
}

fn expressions<'a>(exprs: impl IntoIterator<Item = &'a Expr>, depth: usize, see: &mut See<'_, 'a>) {
    for expr in exprs {
        expression(expr, depth, see);
    }
}

fn select_core<'a>(select: &'a Select, depth: usize, see: &mut See<'_, 'a>) {
    slots(&select.slots, depth, see);
    if let Some(tree) = &select.join {
        join(tree, depth, see);
    }
    expressions(&select.filter, depth, see);
    if let Some(Grouping { keys, aggregates, having }) = &select.grouping {
        expressions(keys, depth, see);
        for aggregate in aggregates {
            expressions(&aggregate.argument, depth, see);
            expressions(&aggregate.second, depth, see);
            expressions(aggregate.order.iter().map(|key| &key.expr), depth, see);
            expressions(&aggregate.filter, depth, see);
        }
        expressions(having, depth, see);
    }
    expressions(select.sets.iter().flat_map(|set| &set.args), depth, see);
    expressions(&select.output, depth, see);
}

fn insert_core<'a>(insert: &'a Insert, depth: usize, see: &mut See<'_, 'a>) {
    query(&insert.source, depth + 1, see);
    expressions(&insert.row, depth, see);
    if let Some(OnConflict { update: Some(ConflictUpdate { set, filter }), .. }) = &insert.on_conflict {
        expressions(set.iter().map(|(_, expr)| expr), depth, see);
        expressions(filter, depth, see);
    }
    expressions(&insert.returning, depth, see);
}

fn slots<'a>(slots: &'a [Slot], depth: usize, see: &mut See<'_, 'a>) {
    for slot in slots {
        self::slot(slot, depth, see);
    }
}

/// Visits an item of FROM of a level at that depth.
pub(crate) fn slot<'a>(slot: &'a Slot, depth: usize, see: &mut See<'_, 'a>) {
    match slot {
        Slot::Query { query, .. } => self::query(query, depth + 1, see),
        Slot::Function { call, .. } => expressions(&call.args, depth, see),
        Slot::Table(_) | Slot::Cte { .. } | Slot::Excluded => {}
    }
}

fn join<'a>(tree: &'a Join, depth: usize, see: &mut See<'_, 'a>) {
    let Join::Pair { left, right, on, .. } = tree else { return };
    join(left, depth, see);
    join(right, depth, see);
    expressions(on, depth, see);
}
