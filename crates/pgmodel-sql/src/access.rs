//! Access paths: the join order of a query level's slots, the index used for each table, and the earliest step at which
//! each condition can be evaluated.
//!
//! An index is used where the server could use it: equality, a list of values, or a range, on a prefix of its columns
//! (manual, 11.1 to 11.3), and for ORDER BY with LIMIT (11.4), where only as many rows are visited as are wanted. An
//! access path changes how many rows are visited, never which rows are found or how they are sorted.

use std::rc::Rc;

use crate::ast::JoinKind;
use crate::catalog::TableDef;
use crate::plan::{
    Access, Comparison, Delete, Expr, Join, List, Path, Query, Select, Slot, Step, SubKind, Update, effect,
    laterals, parts, planner,
};

/// The access path of a SELECT, chosen when it first runs and kept in its plan.
#[inline]
pub fn of_select<'p>(query: &Query, select: &'p Select) -> &'p Path {
    select.path.get_or_init(|| select_path(query, select))
}

/// The access path of an UPDATE, likewise.
#[inline]
pub fn of_update(update: &Update) -> &Path {
    update.path.get_or_init(|| path(&update.slots, Some(&update.join), update.filter.as_ref()))
}

/// The access path of a DELETE, likewise.
#[inline]
pub fn of_delete(delete: &Delete) -> &Path {
    delete.path.get_or_init(|| path(&delete.slots, Some(&delete.join), delete.filter.as_ref()))
}

/// Chooses the access path of a level.
fn path(slots: &[Slot], join: Option<&Join>, filter: Option<&Expr>) -> Path {
    let laterals = laterals(slots);
    let mut conditions = Vec::new();
    if !join.is_none_or(|join| inner(join, &mut conditions)) {
        return Path { filter: filter.cloned(), ..Path::of(None, laterals) };
    }
    if let Some(filter) = filter {
        flatten(filter, &mut conditions);
    }
    planner::ordered(&mut conditions);
    if slots.is_empty() && !conditions.is_empty() {
        return Path { filter: filter.cloned(), ..Path::of(None, laterals) };
    }
    let (gates, conditions): (Vec<_>, Vec<_>) = conditions.into_iter().partition(planner::gates);
    let turned = turned(slots).map(|order| steps(slots, conditions.clone(), Some(order)));
    Path { turned, gates, ..Path::of(Some(steps(slots, conditions, None)), laterals) }
}

/// The order of two slots if one is a derived table whose number of runs is observable: that one last.
fn turned(slots: &[Slot]) -> Option<[usize; 2]> {
    let shows =
        |slot: &Slot| matches!(slot, Slot::Query { query, .. } if !query.correlated && query.has_effect());
    match slots {
        [first, Slot::Table(_)] if shows(first) => Some([1, 0]),
        [Slot::Table(_), last] if shows(last) => Some([0, 1]),
        _ => None,
    }
}

/// One step per slot, in the given order or else in the best one.
fn steps(slots: &[Slot], mut conditions: Vec<Expr>, order: Option<[usize; 2]>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut left: Vec<usize> = order.map_or_else(|| (0..slots.len()).collect(), Vec::from);
    while !left.is_empty() {
        let bound: Vec<usize> = steps.iter().map(|step| step.slot).collect();
        let offered = if order.is_some() { &left[..1] } else { &left[..] };
        let (place, access) = next(slots, offered, &bound, &conditions);
        let slot = left.remove(place);
        let is_last = left.is_empty();
        let now: Vec<usize> = bound.into_iter().chain([slot]).collect();
        let known = |condition: &Expr| is_last || needs(condition).is_some_and(|used| covers(&now, &used));
        let (filters, later) = conditions.into_iter().partition(known);
        conditions = later;
        steps.push(Step { slot, access, filters, by: None });
    }
    steps
}

/// Chooses the access path of a whole query. If it has a LIMIT and an index returns the rows of its only table in the
/// order of the first sort key, the rows are visited in that order, so that the scan can stop early.
fn select_path(query: &Query, select: &Select) -> Path {
    let mut path = path(&select.slots, select.join.as_ref(), select.filter.as_ref());
    path.calls = select.output.iter().any(effect::in_expr);
    path.wary = planner::wary(query, select);
    let sorts = query.limit.is_some() && select.grouping.is_none() && !select.is_distinct();
    if let (true, Some([step]), [Slot::Table(table)]) = (sorts, path.steps.as_deref_mut(), &select.slots[..])
        && let Some(column) = first_key(query, select)
        && let Some(access) = walk(table, step, column)
    {
        (step.access, step.by) = (access, Some(column));
    }
    path
}

/// The column that is the first key of ORDER BY, ascending.
fn first_key(query: &Query, select: &Select) -> Option<usize> {
    let key = query.order.first().filter(|key| !key.descending)?;
    let expr = if let Expr::Output(index) = key.expr { &select.output[index] } else { &key.expr };
    if let Expr::Column { up: 0, slot: 0, column } = expr { Some(*column) } else { None }
}

/// The access to a step's rows in the order of a column, if the index in use provides it or an index can replace a
/// scan. A range leaves out NULLs, so without a bound the column must be NOT NULL.
fn walk(table: &Rc<TableDef>, step: &Step, column: usize) -> Option<Access> {
    let goes_on = |index: usize, prefix: usize| {
        table.indexes[index].columns().is_some_and(|columns| columns.get(prefix) == Some(&column))
    };
    let whole = table.columns[column].not_null;
    match &step.access {
        Access::Range { index, prefix, bounds } if goes_on(*index, prefix.len()) => {
            Some(Access::Range { index: *index, prefix: prefix.clone(), bounds: bounds.clone() })
        }
        Access::Key { index, key, whole: false } if whole && goes_on(*index, key.len()) => {
            Some(Access::Range { index: *index, prefix: key.clone(), bounds: Vec::new() })
        }
        Access::Scan if whole => {
            let usable = |index: &usize| {
                let def = &table.indexes[*index];
                def.valid && applies(def.filter.as_ref(), &step.filters) && goes_on(*index, 0)
            };
            let index = (0..table.indexes.len()).find(usable)?;
            Some(Access::Range { index, prefix: Vec::new(), bounds: Vec::new() })
        }
        _ => None,
    }
}

/// The slot to join next: one that an index finds, else one that is not a table, else the first table to scan.
fn next(slots: &[Slot], left: &[usize], bound: &[usize], conditions: &[Expr]) -> (usize, Access) {
    let mut best: Option<(u8, usize, Access)> = None;
    for (place, slot) in left.iter().enumerate() {
        let (rank, access) = match &slots[*slot] {
            Slot::Table(table) => table_access(table, *slot, bound, conditions, slots.len() == 1),
            Slot::Query { lateral: true, .. } | Slot::Function { .. } if place > 0 => (9, Access::Scan),
            _ => (3, Access::Scan),
        };
        if best.as_ref().is_none_or(|(known, _, _)| rank < *known) {
            best = Some((rank, place, access));
        }
    }
    let (_, place, access) = best.expect("there is a slot left");
    (place, access)
}

/// The best access to a table, with its rank: 0 a unique row, 1 a key, 2 a list or range, 4 a scan. Only a table that
/// is `alone` in its level may be accessed by the result of a subquery; elsewhere that would change the join order.
fn table_access(
    table: &Rc<TableDef>,
    slot: usize,
    bound: &[usize],
    conditions: &[Expr],
    alone: bool,
) -> (u8, Access) {
    let mut best = (4, Access::Scan);
    for (index, def) in table.indexes.iter().enumerate() {
        let Some(columns) = def.columns().filter(|_| def.valid && applies(def.filter.as_ref(), conditions))
        else {
            continue;
        };
        let equal = |column: usize| conditions.iter().find_map(|it| equality(it, slot, column, bound));
        let key: Vec<Expr> = columns.iter().map_while(|column| equal(*column)).collect();
        let found = if key.len() == columns.len() {
            (if def.unique { 0 } else { 1 }, Access::Key { index, key, whole: true })
        } else {
            let column = columns[key.len()];
            let bounds: Vec<_> =
                conditions.iter().filter_map(|it| bound_of(it, slot, column, bound)).collect();
            if !bounds.is_empty() {
                (2, Access::Range { index, prefix: key, bounds })
            } else if !key.is_empty() {
                (1, Access::Key { index, key, whole: false })
            } else if let Some(list) = conditions
                .iter()
                .find_map(|it| list_of(it, slot, column, bound, alone))
                .filter(|_| columns.len() == 1)
            {
                (2, Access::List { index, list })
            } else {
                continue;
            }
        };
        if found.0 < best.0 {
            best = found;
        }
    }
    best
}

/// Whether the conditions contain a partial index's predicate word for word.
fn applies(filter: Option<&Expr>, conditions: &[Expr]) -> bool {
    filter.is_none_or(|filter| {
        let mut demanded = Vec::new();
        flatten(filter, &mut demanded);
        let said: Vec<String> = conditions.iter().map(|condition| format!("{condition:?}")).collect();
        demanded.iter().all(|demand| said.contains(&format!("{demand:?}")))
    })
}

/// The value that `column` must equal, if the condition gives it in terms of bound slots.
fn equality(condition: &Expr, slot: usize, column: usize, bound: &[usize]) -> Option<Expr> {
    match bound_of(condition, slot, column, bound)? {
        (Comparison::Equal, value) => Some(value),
        _ => None,
    }
}

fn bound_of(condition: &Expr, slot: usize, column: usize, bound: &[usize]) -> Option<(Comparison, Expr)> {
    let Expr::Compare { comparison, left, right, .. } = condition else { return None };
    let usable = |expr: &Expr| needs(expr).is_some_and(|used| covers(bound, &used)) && is_plain(expr);
    if is_column(left, slot, column) && usable(right) {
        Some((*comparison, (**right).clone()))
    } else if is_column(right, slot, column) && usable(left) {
        Some((flipped(*comparison), (**left).clone()))
    } else {
        None
    }
}

fn is_column(expr: &Expr, wanted_slot: usize, wanted: usize) -> bool {
    matches!(expr, Expr::Column { up: 0, slot, column } if *slot == wanted_slot && *column == wanted)
}

fn list_of(condition: &Expr, slot: usize, column: usize, bound: &[usize], alone: bool) -> Option<List> {
    let usable = |expr: &Expr| needs(expr).is_some_and(|used| covers(bound, &used)) && is_plain(expr);
    match condition {
        Expr::InList { operand, list } if is_column(operand, slot, column) && list.iter().all(usable) => {
            Some(List::Each(list.clone()))
        }
        Expr::AnyArray { equal: true, operand, array, all: false, .. }
            if is_column(operand, slot, column) && usable(array) =>
        {
            Some(List::Array((**array).clone()))
        }
        Expr::Sub { kind: SubKind::Any { equal: true, operands, all: false, .. }, query }
            if alone && !query.correlated && operands.len() == 1 && is_column(&operands[0], slot, column) =>
        {
            Some(List::Query(query.clone()))
        }
        _ => None,
    }
}

fn flipped(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Equal => Comparison::Equal,
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
    }
}

/// Whether a value can be computed without running anything else.
fn is_plain(expr: &Expr) -> bool {
    match expr {
        Expr::Sub { .. }
        | Expr::System { .. }
        | Expr::Routine { .. }
        | Expr::Aggregate { up: 0, .. }
        | Expr::Group { up: 0, .. } => false,
        other => parts(other).into_iter().all(is_plain),
    }
}

/// Whether all joins are inner joins; collects their conditions.
fn inner(join: &Join, conditions: &mut Vec<Expr>) -> bool {
    match join {
        Join::Slot(_) => true,
        Join::Pair { kind, left, right, on } => {
            let all = inner(left, conditions) && inner(right, conditions) && *kind == JoinKind::Inner;
            if let Some(on) = on {
                flatten(on, conditions);
            }
            all
        }
    }
}

fn flatten(condition: &Expr, into: &mut Vec<Expr>) {
    match condition {
        Expr::And(parts) => parts.iter().for_each(|part| flatten(part, into)),
        other => into.push(other.clone()),
    }
}

fn covers(bound: &[usize], used: &[usize]) -> bool {
    used.iter().all(|slot| bound.contains(slot))
}

/// The slots of this level that an expression references; `None` if it can be evaluated only when all slots are bound:
/// it contains a correlated subquery, or a call with side effects.
fn needs(expr: &Expr) -> Option<Vec<usize>> {
    match expr {
        Expr::Column { up: 0, slot, .. } => Some(vec![*slot]),
        Expr::Sub { query, .. } if query.correlated => None,
        Expr::System { .. } | Expr::Routine { .. } => None,
        other => {
            let mut used = Vec::new();
            for part in parts(other) {
                used.extend(needs(part)?);
            }
            Some(used)
        }
    }
}
