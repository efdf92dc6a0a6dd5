//! Checks functions and subqueries with an effect in WHERE. The server sorts conditions by cost (order_qual_clauses in
//! src/backend/optimizer/plan/createplan.c), may use an index, and turns IN into a join.

use super::{Judge, Level, flatten};
use crate::ast::Language;
use crate::catalog::TableDef;
use crate::plan::{Comparison, Cte, Expr, Query, Select, Slot, SubKind, System, Wary, effect, parts};

impl<'a> Judge<'a> {
    /// Checks functions with an effect that the conditions call directly.
    pub(super) fn calls(&mut self, level: &Level<'a>, depth: usize) {
        if level.outer.iter().any(|condition| calls(condition)) {
            return self.refuse("a function with an effect in the condition of an outer join");
        }
        if !level.conditions.iter().any(|condition| calls(condition)) {
            return;
        }
        if !in_order(&level.conditions) {
            return self
                .refuse("a function with an effect beside conditions that the server may look at later");
        }
        let fenced = |query: &Query| query.limit.is_some() || query.offset.is_some();
        match level.slots {
            [] | [Slot::Function { .. } | Slot::Excluded] => {}
            [Slot::Table(table)] => self.call_over_table(level, table),
            [Slot::Query { query, .. }] if fenced(query) => {}
            [Slot::Cte { .. }] => {
                let cte = self.cte_of(&level.slots[0], depth);
                if cte.is_some_and(|cte| is_inlined(cte) && !fenced(&cte.query)) {
                    self.refuse("a function with an effect in a condition that goes into a WITH query");
                }
            }
            [Slot::Query { .. }] => {
                self.refuse("a function with an effect in a condition that goes into a derived table");
            }
            _ => self.refuse("a function with an effect in the condition of a join"),
        }
    }

    fn call_over_table(&mut self, level: &Level<'a>, table: &TableDef) {
        if level.wants_extreme() {
            return self.refuse("a function with an effect in WHERE, and a minimum or maximum");
        }
        let called: Vec<_> = level.conditions.iter().filter(|it| calls(it)).collect();
        let answers = |condition: &&&Expr| {
            let later = |call: &&&Expr| cost(call) <= cost(condition);
            columns(condition).into_iter().any(|it| indexed(table, it)) && called.iter().any(later)
        };
        let any_index = level.conditions.iter().filter(|it| !calls(it)).filter(answers).count() > 0;
        if any_index && (level.select.is_none() || !called.iter().all(|it| is_kept(it))) {
            return self
                .refuse("a function with an effect beside a condition that an index may answer first");
        }
        if !level.query.stops_early() {
            return;
        }
        let collects = level.select.is_some_and(|select| select.is_distinct() || select.grouping.is_some());
        let ranges = level.query.order.is_empty() && level.conditions.iter().any(|it| ranges(it, table));
        if collects || ranges {
            self.refuse("a function with an effect in WHERE, and LIMIT over rows that an index may find");
        }
    }

    /// Checks subqueries with an effect in the conditions.
    pub(super) fn subqueries(&mut self, level: &Level<'a>, depth: usize) {
        for condition in &level.outer {
            if self.shows_inside(condition, depth) {
                self.refuse("a subquery with an effect in the condition of an outer join");
            }
        }
        let count = level.conditions.len();
        for (place, condition) in level.conditions.iter().enumerate() {
            if !self.shows_inside(condition, depth) {
                continue;
            }
            let alone = level.slots.len() <= 1 && !level.conditions.iter().any(|condition| calls(condition));
            match condition {
                Expr::Sub { kind: SubKind::Any { all: false, .. }, query } if !query.correlated => {
                    if !query.has_effect() {
                        // It reads a WITH query, which is run once.
                    } else if alone && query.ctes.is_empty() && !level.query.stops_early() {
                        self.reruns += 1;
                    } else {
                        self.refuse(
                            "IN of a query that locks rows or calls a function with an effect, in a join",
                        );
                    }
                }
                other
                    if is_correlated(other) && (!alone || level.query.stops_early() || place + 1 < count) =>
                {
                    self.refuse("a correlated subquery with an effect, beside other conditions");
                }
                _ => {}
            }
        }
    }

    /// Whether a subquery in the condition has an effect.
    fn shows_inside(&self, condition: &Expr, depth: usize) -> bool {
        match condition {
            Expr::Sub { query, .. } if self.reads(query, depth + 1) => true,
            other => parts(other).into_iter().any(|part| self.shows_inside(part, depth)),
        }
    }
}

/// Whether an expression calls a function with an effect outside of its subqueries.
fn calls(expr: &Expr) -> bool {
    effect::is_call(expr) || parts(expr).into_iter().any(calls)
}

/// Whether a condition depends on no row and has a subquery with an effect. The server evaluates such a condition once,
/// before it reads any row (create_gating_plan in src/backend/optimizer/plan/createplan.c).
pub(crate) fn gates(condition: &Expr) -> bool {
    fn runs(expr: &Expr) -> bool {
        match expr {
            Expr::Sub { kind, query } if !matches!(kind, SubKind::Any { .. }) => {
                !query.correlated && query.has_effect()
            }
            other => parts(other).into_iter().any(runs),
        }
    }
    runs(condition) && !calls(condition) && !is_correlated(condition) && columns(condition).is_empty()
}

/// Whether it contains a correlated subquery with an effect.
fn is_correlated(expr: &Expr) -> bool {
    match expr {
        Expr::Sub { query, .. } if query.correlated && query.has_effect() => true,
        other => parts(other).into_iter().any(is_correlated),
    }
}

/// Whether the server inlines the query, as it does with one that is referenced once.
fn is_inlined(cte: &Cte) -> bool {
    !cte.recursive
        && !cte.query.has_effect()
        && cte.materialized != Some(true)
        && (cte.references == 1 || cte.materialized.is_some())
}

/// Whether the position of each condition with an effect is known when the conditions are sorted by cost.
fn in_order(conditions: &[&Expr]) -> bool {
    conditions.iter().enumerate().all(|(place, later)| {
        conditions[..place].iter().filter(|sooner| calls(sooner) || calls(later)).all(|sooner| {
            matches!((cost(sooner), cost(later)), (Some(sooner), Some(later))
                if sooner.1 <= later.0 || sooner.0 > later.1)
        })
    })
}

/// Sorts a level's conditions as the server does, as far as that is observable: functions with an effect by cost, and
/// subqueries with an effect last.
pub(crate) fn ordered(conditions: &mut [Expr]) {
    if conditions.iter().any(calls) {
        conditions.sort_by_key(|condition| cost(condition).map(|(least, _)| least));
    }
    conditions.sort_by_key(|condition| matches!(condition, Expr::Sub { query, .. } if query.has_effect()));
}

/// Lower and upper bound of a condition's cost, where an operator costs 2; `None` if it is unknown. Integer widening is
/// not visible here.
fn cost(expr: &Expr) -> Option<(usize, usize)> {
    let own = match expr {
        Expr::Sub { kind: SubKind::Scalar, query } if !query.correlated => (0, 0),
        Expr::Sub { .. }
        | Expr::AnyArray { .. }
        | Expr::Case { .. }
        | Expr::Coalesce(_)
        | Expr::Extreme { .. } => {
            return None;
        }
        Expr::InList { list, .. } if list.len() > 8 => return None,
        Expr::InList { list, .. } => (list.len(), list.len()),
        // With constant arguments it is computed at planning time.
        Expr::Apply { args, .. } => (if columns(expr).is_empty() { 0 } else { 2 }, 2 + 2 * args.len()),
        Expr::Routine { routine, .. } if routine.language == Language::Plpgsql => (200, 200),
        // A function in SQL may be inlined, and then cost less than a hundred operators.
        Expr::Routine { args, .. } => (2, 200 + 2 * args.len()),
        Expr::System { .. } if columns(expr).is_empty() => (2, 2),
        Expr::System { args, .. } => (2, 2 + 2 * args.len()),
        Expr::Compare { .. } | Expr::Same(..) => (2, 2),
        Expr::Elements { .. } => return None,
        _ => (0, 0),
    };
    parts(expr).into_iter().try_fold(own, |(least, most), part| {
        let (low, high) = cost(part)?;
        Some((least + low, most + high))
    })
}

/// Whether a condition selects a range or list of values of an indexed column.
fn ranges(condition: &Expr, table: &TableDef) -> bool {
    match condition {
        Expr::Compare { comparison: Comparison::Equal, .. } => false,
        Expr::Compare { .. }
        | Expr::InList { .. }
        | Expr::AnyArray { .. }
        | Expr::Sub { .. }
        | Expr::Or(_) => columns(condition).into_iter().any(|column| indexed(table, column)),
        _ => false,
    }
}

/// Whether an index could return the rows in the required order.
fn may_order(query: &Query, select: &Select, table: &TableDef, conditions: &[&Expr]) -> bool {
    let Some(key) = query.order.first().filter(|_| query.stops_early()) else { return false };
    let key = if let Expr::Output(place) = key.expr { &select.output[place] } else { &key.expr };
    let equal: Vec<usize> = conditions.iter().flat_map(|condition| columns(condition)).collect();
    table.indexes.iter().any(|index| match (key, index.columns()) {
        (Expr::Column { up: 0, column, .. }, Some(keys)) => keys
            .iter()
            .position(|it| it == column)
            .is_some_and(|place| keys[..place].iter().all(|it| equal.contains(it))),
        (Expr::Column { .. }, None) => false,
        (_, keys) => keys.is_none(),
    })
}

/// The conditions for the scan of a query.
pub(crate) fn wary(query: &Query, select: &Select) -> Wary {
    let mut conditions = Vec::new();
    if let (Some(filter), [Slot::Table(table)]) = (&select.filter, &select.slots[..]) {
        flatten(filter, &mut conditions);
        if conditions.iter().any(|it| calls(it)) {
            let all = may_order(query, select, table, &conditions);
            return Wary { some: conditions.len() > 1, all };
        }
    }
    Wary::default()
}

/// Whether the column is in an index.
fn indexed(table: &TableDef, column: usize) -> bool {
    table.indexes.iter().any(|index| index.plain_columns().any(|it| it == column))
}

/// Whether the functions with an effect in a condition only take transaction locks that are the same for each row, so
/// that taking them again has no effect.
fn is_kept(condition: &Expr) -> bool {
    match condition {
        Expr::System { call: System::AdvisoryLock { transaction: true, .. }, .. } => {
            columns(condition).is_empty()
        }
        call if effect::is_call(call) => false,
        other => parts(other).into_iter().all(is_kept),
    }
}

/// The columns of the level that an expression references.
fn columns(expr: &Expr) -> Vec<usize> {
    let mut found = Vec::new();
    let mut all = Vec::new();
    flatten(expr, &mut all);
    for part in all {
        match part {
            Expr::Column { up: 0, column, .. } => found.push(*column),
            other => found.extend(parts(other).into_iter().flat_map(columns)),
        }
    }
    found
}
