//! Which tables a plan uses and how strongly it locks them, in the order in which the server opens them: a WITH
//! first, the target of a write, FROM from left to right, then subqueries in expressions.

use crate::ast::TableLockMode;
use crate::catalog::TableId;
use crate::plan::{Core, Expr, Query, Slot};

/// The tables of a query and the modes they are locked in, each once.
pub(crate) fn relations(query: &Query) -> Vec<(TableId, TableLockMode)> {
    let mut found = Vec::new();
    walk(query, &mut found);
    found
}

fn add(table: TableId, mode: TableLockMode, found: &mut Vec<(TableId, TableLockMode)>) {
    if !found.contains(&(table, mode)) {
        found.push((table, mode));
    }
}

fn walk(query: &Query, found: &mut Vec<(TableId, TableLockMode)>) {
    query.ctes.iter().for_each(|cte| walk(&cte.query, found));
    match &query.core {
        Core::Select(select) => {
            for (index, slot) in select.slots.iter().enumerate() {
                let locked = query.locks.iter().any(|lock| lock.slot == index);
                let mode = if locked { TableLockMode::RowShare } else { TableLockMode::AccessShare };
                in_slot(slot, mode, found);
            }
            select.output.iter().chain(&select.filter).for_each(|expr| in_expr(expr, found));
            if let Some(grouping) = &select.grouping {
                let arguments =
                    grouping.aggregates.iter().flat_map(|it| it.argument.iter().chain(&it.filter));
                let keys = grouping.keys.iter().chain(&grouping.having);
                keys.chain(arguments).for_each(|expr| in_expr(expr, found));
            }
            if let Some(join) = &select.join {
                in_join(join, found);
            }
        }
        Core::Values(rows) => rows.iter().flatten().for_each(|expr| in_expr(expr, found)),
        Core::Set { left, right, .. } => {
            walk(left, found);
            walk(right, found);
        }
        Core::Insert(insert) => {
            add(insert.table.id, TableLockMode::RowExclusive, found);
            walk(&insert.source, found);
            insert.row.iter().chain(&insert.returning).for_each(|expr| in_expr(expr, found));
            if let Some(update) = insert.on_conflict.as_ref().and_then(|it| it.update.as_ref()) {
                update
                    .set
                    .iter()
                    .map(|(_, expr)| expr)
                    .chain(&update.filter)
                    .for_each(|it| in_expr(it, found));
            }
        }
        Core::Update(update) => {
            add(update.table.id, TableLockMode::RowExclusive, found);
            update.slots.iter().skip(1).for_each(|slot| in_slot(slot, TableLockMode::AccessShare, found));
            let exprs =
                update.set.iter().map(|(_, expr)| expr).chain(&update.filter).chain(&update.returning);
            exprs.for_each(|expr| in_expr(expr, found));
            in_join(&update.join, found);
        }
        Core::Delete(delete) => {
            add(delete.table.id, TableLockMode::RowExclusive, found);
            delete.slots.iter().skip(1).for_each(|slot| in_slot(slot, TableLockMode::AccessShare, found));
            delete.filter.iter().chain(&delete.returning).for_each(|expr| in_expr(expr, found));
            in_join(&delete.join, found);
        }
    }
    query.order.iter().for_each(|key| in_expr(&key.expr, found));
    query.limit.iter().chain(&query.offset).for_each(|expr| in_expr(expr, found));
}

fn in_slot(slot: &Slot, mode: TableLockMode, found: &mut Vec<(TableId, TableLockMode)>) {
    match slot {
        Slot::Table(table) => add(table.id, mode, found),
        Slot::Query { query, .. } => walk(query, found),
        Slot::Function { args, .. } => args.iter().for_each(|expr| in_expr(expr, found)),
        Slot::Cte { .. } | Slot::Excluded => {}
    }
}

fn in_join(join: &crate::plan::Join, found: &mut Vec<(TableId, TableLockMode)>) {
    if let crate::plan::Join::Pair { left, right, on, .. } = join {
        in_join(left, found);
        in_join(right, found);
        on.iter().for_each(|expr| in_expr(expr, found));
    }
}

fn in_expr(expr: &Expr, found: &mut Vec<(TableId, TableLockMode)>) {
    if let Expr::Sub { query, .. } = expr {
        walk(query, found);
    }
    for part in crate::access::parts(expr) {
        in_expr(part, found);
    }
}
