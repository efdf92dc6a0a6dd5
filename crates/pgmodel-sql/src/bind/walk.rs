//! Traversals of planned expressions: children, columns, subqueries, equality. They visit every place where an
//! expression can occur.

use std::rc::Rc;

use crate::error::{Failure, Result};
use crate::plan::{
    Apply, ConflictUpdate, Core, Expr, Grouping, Insert, Join, OnConflict, Query, Select, Slot, SubKind,
};

/// The callback of a traversal: gets an expression and how many query levels below the start it is.
pub(super) type Visit<'a> = dyn FnMut(&mut Expr, usize) -> Result<()> + 'a;

/// Visits the direct children of an expression, but not the queries of subqueries.
pub(super) fn children(expr: &mut Expr, visit: &mut dyn FnMut(&mut Expr) -> Result<()>) -> Result<()> {
    match expr {
        Expr::Const(_)
        | Expr::Param(_)
        | Expr::Column { .. }
        | Expr::Group { .. }
        | Expr::Aggregate { .. }
        | Expr::Set(_)
        | Expr::Output(_) => Ok(()),
        Expr::Apply { args, .. }
        | Expr::Extreme { args, .. }
        | Expr::And(args)
        | Expr::Or(args)
        | Expr::Coalesce(args)
        | Expr::Array(args)
        | Expr::System { args, .. }
        | Expr::Routine { args, .. } => args.iter_mut().try_for_each(visit),
        Expr::Elements { array, .. } => visit(array),
        Expr::Not(operand) | Expr::IsNull(operand) | Expr::IsBool(operand, _) => visit(operand),
        Expr::Compare { left, right, .. } => {
            visit(left)?;
            visit(right)
        }
        Expr::Same(left, right) => {
            visit(left)?;
            visit(right)
        }
        Expr::Case { arms, otherwise } => {
            for (condition, result) in arms {
                visit(condition)?;
                visit(result)?;
            }
            visit(otherwise)
        }
        Expr::InList { operand, list } => {
            visit(operand)?;
            list.iter_mut().try_for_each(visit)
        }
        Expr::AnyArray { operand, array, .. } => {
            visit(operand)?;
            visit(array)
        }
        Expr::Sub { kind, .. } => match kind {
            SubKind::Any { operands, .. } => operands.iter_mut().try_for_each(visit),
            SubKind::Scalar | SubKind::ScalarColumn(_) | SubKind::Exists | SubKind::Array => Ok(()),
        },
    }
}

/// Visits the expressions of a query and of the queries in its FROM, WITH and set operation. The visitor itself
/// descends into expression subqueries, with [`subquery`].
pub(super) fn query(query: &mut Query, depth: usize, visit: &mut Visit<'_>) -> Result<()> {
    for cte in &mut query.ctes {
        shared(&mut cte.query, depth + 1, visit)?;
    }
    match &mut query.core {
        Core::Select(select) => select_core(select, depth, visit)?,
        Core::Values(rows) => rows.iter_mut().flatten().try_for_each(|expr| visit(expr, depth))?,
        Core::Set { left, right, .. } => {
            shared(left, depth + 1, visit)?;
            shared(right, depth + 1, visit)?;
        }
        Core::Insert(insert) => insert_core(insert, depth, visit)?,
        Core::Update(update) => {
            slots(&mut update.slots, depth, visit)?;
            join(&mut update.join, depth, visit)?;
            update.filter.iter_mut().try_for_each(|expr| visit(expr, depth))?;
            update.set.iter_mut().try_for_each(|(_, expr)| visit(expr, depth))?;
            update.returning.iter_mut().try_for_each(|expr| visit(expr, depth))?;
        }
        Core::Delete(delete) => {
            slots(&mut delete.slots, depth, visit)?;
            join(&mut delete.join, depth, visit)?;
            delete.filter.iter_mut().try_for_each(|expr| visit(expr, depth))?;
            delete.returning.iter_mut().try_for_each(|expr| visit(expr, depth))?;
        }
    }
    query.order.iter_mut().try_for_each(|key| visit(&mut key.expr, depth))?;
    query.limit.iter_mut().try_for_each(|expr| visit(expr, depth))?;
    query.offset.iter_mut().try_for_each(|expr| visit(expr, depth))
}

/// Visits the query of a subquery at `depth`.
pub(super) fn subquery(inner: &mut Rc<Query>, depth: usize, visit: &mut Visit<'_>) -> Result<()> {
    shared(inner, depth + 1, visit)
}

fn shared(inner: &mut Rc<Query>, depth: usize, visit: &mut Visit<'_>) -> Result<()> {
    match Rc::get_mut(inner) {
        Some(inner) => query(inner, depth, visit),
        None => Err(Failure::not_modelled("a subquery that the statement uses twice, in a grouped query")),
    }
}

fn select_core(select: &mut Select, depth: usize, visit: &mut Visit<'_>) -> Result<()> {
    slots(&mut select.slots, depth, visit)?;
    select.join.iter_mut().try_for_each(|tree| join(tree, depth, visit))?;
    select.filter.iter_mut().try_for_each(|expr| visit(expr, depth))?;
    if let Some(Grouping { keys, aggregates, having }) = &mut select.grouping {
        keys.iter_mut().try_for_each(|expr| visit(expr, depth))?;
        for aggregate in aggregates {
            let parts = [&mut aggregate.argument, &mut aggregate.second, &mut aggregate.filter];
            let keys = aggregate.order.iter_mut().map(|key| &mut key.expr);
            parts.into_iter().flatten().chain(keys).try_for_each(|expr| visit(expr, depth))?;
        }
        having.iter_mut().try_for_each(|expr| visit(expr, depth))?;
    }
    for call in &mut select.sets {
        call.args.iter_mut().try_for_each(|expr| visit(expr, depth))?;
    }
    select.output.iter_mut().try_for_each(|expr| visit(expr, depth))
}

fn insert_core(insert: &mut Insert, depth: usize, visit: &mut Visit<'_>) -> Result<()> {
    shared(&mut insert.source, depth + 1, visit)?;
    insert.row.iter_mut().try_for_each(|expr| visit(expr, depth))?;
    if let Some(OnConflict { update: Some(ConflictUpdate { set, filter }), .. }) = &mut insert.on_conflict {
        set.iter_mut().try_for_each(|(_, expr)| visit(expr, depth))?;
        filter.iter_mut().try_for_each(|expr| visit(expr, depth))?;
    }
    insert.returning.iter_mut().try_for_each(|expr| visit(expr, depth))
}

fn slots(slots: &mut [Slot], depth: usize, visit: &mut Visit<'_>) -> Result<()> {
    for slot in slots {
        match slot {
            Slot::Query { query, .. } => shared(query, depth + 1, visit)?,
            Slot::Function { call, .. } => call.args.iter_mut().try_for_each(|expr| visit(expr, depth))?,
            Slot::Table(_) | Slot::Cte { .. } | Slot::Excluded => {}
        }
    }
    Ok(())
}

fn join(tree: &mut Join, depth: usize, visit: &mut Visit<'_>) -> Result<()> {
    match tree {
        Join::Slot(_) => Ok(()),
        Join::Pair { left, right, on, .. } => {
            join(left, depth, visit)?;
            join(right, depth, visit)?;
            on.iter_mut().try_for_each(|expr| visit(expr, depth))
        }
    }
}

/// Visits the columns of an expression, with their level as a mutable number and their slot. Does not descend into
/// subqueries.
pub(super) fn columns(expr: &mut Expr, change: &mut dyn FnMut(&mut usize, usize)) {
    if let Expr::Column { up, slot, .. } = expr {
        change(up, *slot);
        return;
    }
    // The visitor cannot fail.
    let _ = children(expr, &mut |child| {
        columns(child, change);
        Ok(())
    });
}

/// The number of nodes of an expression; a subquery is shared and counts as one.
pub(super) fn size(expr: &Expr) -> usize {
    1 + crate::plan::parts(expr).into_iter().map(size).sum::<usize>()
}

/// Whether an expression contains an aggregate of its own level.
pub(super) fn has_aggregate(expr: &Expr) -> bool {
    let mut copy = expr.clone();
    let mut found = false;
    fn look(expr: &mut Expr, found: &mut bool) -> Result<()> {
        if matches!(expr, Expr::Aggregate { up: 0, .. }) {
            *found = true;
        }
        children(expr, &mut |child| look(child, found))
    }
    // The visitor cannot fail.
    let _ = look(&mut copy, &mut found);
    found
}

fn same_apply(left: Apply, right: Apply) -> bool {
    std::ptr::fn_addr_eq(left, right)
}

fn all_same(left: &[Expr], right: &[Expr]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
}

/// Whether two expressions are the same after name resolution. A subquery equals only itself; a call that depends on
/// the session equals one with the same arguments.
pub(super) fn same(left: &Expr, right: &Expr) -> bool {
    match (left, right) {
        (Expr::Const(a), Expr::Const(b)) => a == b,
        (Expr::Param(a), Expr::Param(b))
        | (Expr::Output(a), Expr::Output(b))
        | (Expr::Set(a), Expr::Set(b)) => a == b,
        (
            Expr::Column { up, slot, column },
            Expr::Column { up: other_up, slot: other_slot, column: other_column },
        ) => (up, slot, column) == (other_up, other_slot, other_column),
        (Expr::Group { up: a, key: i }, Expr::Group { up: b, key: j })
        | (Expr::Aggregate { up: a, index: i }, Expr::Aggregate { up: b, index: j }) => (a, i) == (b, j),
        (
            Expr::Compare { apply: a, left: w, right: x, .. },
            Expr::Compare { apply: b, left: y, right: z, .. },
        ) => same_apply(*a, *b) && same(w, y) && same(x, z),
        (
            Expr::Apply { apply: a, args: left, strict: x },
            Expr::Apply { apply: b, args: right, strict: y },
        ) => x == y && same_apply(*a, *b) && all_same(left, right),
        (
            Expr::Elements { apply: a, extra: x, array: left },
            Expr::Elements { apply: b, extra: y, array: right },
        ) => x == y && same_apply(*a, *b) && same(left, right),
        (Expr::Extreme { greatest: a, args: left }, Expr::Extreme { greatest: b, args: right }) => {
            a == b && all_same(left, right)
        }
        (Expr::And(left), Expr::And(right))
        | (Expr::Or(left), Expr::Or(right))
        | (Expr::Coalesce(left), Expr::Coalesce(right))
        | (Expr::Array(left), Expr::Array(right)) => all_same(left, right),
        (Expr::Not(left), Expr::Not(right)) | (Expr::IsNull(left), Expr::IsNull(right)) => same(left, right),
        (Expr::IsBool(left, a), Expr::IsBool(right, b)) => a == b && same(left, right),
        (Expr::Same(a, b), Expr::Same(c, d)) => same(a, c) && same(b, d),
        (Expr::Case { arms, otherwise }, Expr::Case { arms: other_arms, otherwise: other }) => {
            arms.len() == other_arms.len()
                && arms.iter().zip(other_arms).all(|((a, b), (c, d))| same(a, c) && same(b, d))
                && same(otherwise, other)
        }
        (Expr::InList { operand: a, list: left }, Expr::InList { operand: b, list: right }) => {
            same(a, b) && all_same(left, right)
        }
        (
            Expr::AnyArray { apply: a, operand: x, array: left, all: m, .. },
            Expr::AnyArray { apply: b, operand: y, array: right, all: n, .. },
        ) => m == n && same_apply(*a, *b) && same(x, y) && same(left, right),
        (Expr::Sub { query: a, kind: x }, Expr::Sub { query: b, kind: y }) => {
            Rc::ptr_eq(a, b) && same_kind(x, y)
        }
        (Expr::System { call: a, args: left, .. }, Expr::System { call: b, args: right, .. }) => {
            a == b && all_same(left, right)
        }
        _ => false,
    }
}

fn same_kind(left: &SubKind, right: &SubKind) -> bool {
    match (left, right) {
        (SubKind::Scalar, SubKind::Scalar)
        | (SubKind::Exists, SubKind::Exists)
        | (SubKind::Array, SubKind::Array) => true,
        (SubKind::ScalarColumn(a), SubKind::ScalarColumn(b)) => a == b,
        (SubKind::Any { operands: left, all: a, .. }, SubKind::Any { operands: right, all: b, .. }) => {
            a == b && all_same(left, right)
        }
        _ => false,
    }
}
