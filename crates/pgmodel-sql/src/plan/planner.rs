//! Detects statements whose result depends on how the server's planner runs them: a query that locks rows or calls a
//! function with an effect, where the manual does not specify how often and in which order it is run (4.2.14, 7.8.4,
//! 13.3.5). What the text alone decides is allowed. One case is left to the caller ([`crate::plan::Plan::reruns`]).
//! Everything else is refused by name, so that nothing depends on statistics.

use super::{
    AggregateFunction, Core, Delete, Expr, Grouping, Join, Query, Select, Slot, SubKind, Update, effect,
    laterals, parts,
};
use crate::ast::{JoinKind, SetOperation};
use crate::error::{Failure, Result};
use crate::plan::survey::{self, Met};

pub(crate) use condition::{gates, ordered, wary};

mod condition;

/// Whether a subquery of the statement may be run once or once per row of the table beside it, with different results.
///
/// # Errors
/// A refusal by name if the result depends on the plan in any other way.
pub(crate) fn judge(query: &Query) -> Result<bool> {
    if !query.has_effect() {
        return Ok(false);
    }
    let mut judge = Judge { levels: Vec::new(), reruns: 0, searched: 0, refused: None };
    survey::query(query, 0, &mut |met, depth| judge.meet(met, depth));
    if judge.reruns > 1 || judge.reruns == 1 && judge.searched > 1 {
        judge.refuse("several subqueries with an effect that may be run once or for each row");
    }
    judge.refused.map_or(Ok(judge.reruns > 0), |what| Err(Failure::not_modelled(what)))
}

struct Judge<'a> {
    /// The enclosing queries, with the current one last.
    levels: Vec<&'a Query>,
    /// The number of subqueries that may be run once or once per row.
    reruns: usize,
    /// The number of subqueries with an effect that are operands of IN, at any level.
    searched: usize,
    refused: Option<&'static str>,
}

/// FROM and WHERE of a query level, and the use of their rows.
struct Level<'a> {
    query: &'a Query,
    select: Option<&'a Select>,
    slots: &'a [Slot],
    /// The conjuncts of WHERE and of inner join conditions.
    conditions: Vec<&'a Expr>,
    /// The conjuncts of outer join conditions.
    outer: Vec<&'a Expr>,
    has_outer_join: bool,
}

impl<'a> Judge<'a> {
    fn refuse(&mut self, what: &'static str) {
        self.refused.get_or_insert(what);
    }

    fn meet(&mut self, met: Met<'a>, depth: usize) {
        match met {
            Met::Query(query) => {
                self.levels.truncate(depth);
                self.levels.push(query);
                self.query(query, depth);
            }
            Met::Expr(Expr::Sub { kind, query }) if self.reads(query, depth + 1) => self.sub(kind, query),
            Met::Expr(_) => {}
        }
    }

    /// Whether running the query at that depth has an effect, possibly by reading a common table expression that has
    /// one.
    fn reads(&self, query: &Query, depth: usize) -> bool {
        let slots = match &query.core {
            Core::Select(select) => &select.slots[..],
            _ => &[],
        };
        query.has_effect() || slots.iter().any(|slot| self.cte_of(slot, depth).is_some_and(is_lazy))
    }

    /// The outer common table expression that an item of FROM at that depth reads, if it reads one.
    fn cte_of(&self, slot: &Slot, depth: usize) -> Option<&'a super::Cte> {
        let Slot::Cte { up, index, .. } = slot else { return None };
        self.levels.get(depth.checked_sub(*up)?)?.ctes.get(*index)
    }

    /// Checks a subquery with an effect in an expression.
    fn sub(&mut self, kind: &SubKind, query: &Query) {
        match kind {
            SubKind::Exists => {
                self.refuse("EXISTS of a query that locks rows or calls a function with an effect")
            }
            SubKind::Any { equal, .. } if query.correlated || !equal => {
                self.refuse(
                    "how far ANY or ALL reads a query that locks rows or calls a function with an effect",
                );
            }
            SubKind::Any { .. } => self.searched += usize::from(query.has_effect()),
            SubKind::Scalar | SubKind::ScalarColumn(_) | SubKind::Array => {}
        }
    }

    fn query(&mut self, query: &'a Query, depth: usize) {
        let (slots, join, filter, select) = match &query.core {
            Core::Select(select) => (&select.slots, select.join.as_ref(), &select.filter, Some(select)),
            Core::Update(Update { slots, join, filter, .. })
            | Core::Delete(Delete { slots, join, filter, .. }) => (slots, Some(join), filter, None),
            Core::Values(_) => {
                if query.limit.is_some() && query.has_effect() {
                    self.refuse("LIMIT over VALUES that call a function with an effect");
                }
                return;
            }
            Core::Set { operation, left, right, .. } => {
                let plain = *operation == SetOperation::Union && query.limit.is_none();
                if !plain && (left.has_effect() || right.has_effect()) {
                    self.refuse("a set operation over queries that call a function with an effect");
                }
                return;
            }
            Core::Insert(_) => return,
        };
        let mut level =
            Level { query, select, slots, conditions: Vec::new(), outer: Vec::new(), has_outer_join: false };
        if let Some(join) = join {
            level.join(join, false);
        }
        if let Some(filter) = filter {
            flatten(filter, &mut level.conditions);
        }
        for slot in 0..slots.len() {
            self.item(&level, slot, depth);
        }
        self.calls(&level, depth);
        self.subqueries(&level, depth);
        if let Some(Select { grouping: Some(grouping), output, .. }) = select {
            self.grouped(grouping, output, query);
        }
        if let Some(select) = select.filter(|_| !query.locks.is_empty())
            && select.output.iter().any(effect::in_expr)
        {
            self.refuse("a function or subquery with an effect in the select list of FOR UPDATE");
        }
    }

    /// Checks an item of FROM with an effect.
    fn item(&mut self, level: &Level<'a>, slot: usize, depth: usize) {
        let alone = level.slots.len() == 1;
        let query = match &level.slots[slot] {
            Slot::Cte { .. } => {
                let lazy = self.cte_of(&level.slots[slot], depth).is_some_and(is_lazy);
                if lazy && level.query.stops_early() && (!alone || !level.sorts()) {
                    self.refuse("LIMIT over a WITH query that locks rows or calls a function with an effect");
                }
                return;
            }
            Slot::Query { query, .. } if query.has_effect() => query,
            _ => return,
        };
        let fenced = query.limit.is_some() || query.offset.is_some();
        let is_pushed = level.query.locks.iter().any(|lock| lock.slot == slot);
        let plain = alone && level.conditions.is_empty() && level.query.order.is_empty();
        if is_pushed && !fenced && !plain {
            return self.refuse("a locking clause that goes for a derived table, which the server dissolves");
        }
        if level.query.stops_early() {
            return self
                .refuse("LIMIT over a derived table that locks rows or calls a function with an effect");
        }
        if !query.correlated && self.levels[..=depth].iter().any(|level| level.correlated) {
            return self.refuse("a derived table that shows how often it is run, in a correlated subquery");
        }
        let own = |condition: &&&Expr| mentions(condition, slot);
        if laterals(level.slots).iter().any(|lateral| lateral.slot == slot) {
            let simple = level.slots.len() == 2
                && (fenced || level.conditions.iter().filter(own).count() == 0)
                && (!level.has_outer_join || level.conditions.is_empty());
            if !simple {
                self.refuse(
                    "a LATERAL query that locks rows or calls a function with an effect, in such a join",
                );
            }
        } else if alone {
            if !level.conditions.is_empty() && !fenced {
                self.refuse(
                    "a condition on a derived table that locks rows or calls a function with an effect",
                );
            }
        } else if level.may_turn(slot) {
            self.reruns += 1;
        } else {
            self.refuse("a derived table that locks rows or calls a function with an effect, in such a join");
        }
    }

    /// Checks groups, whose order depends on whether the server sorts or hashes.
    fn grouped(&mut self, grouping: &Grouping, output: &[Expr], query: &Query) {
        let called = |exprs: &[Expr]| exprs.iter().any(effect::in_expr);
        let after = query.order.is_empty() && called(output) || grouping.having.iter().any(effect::in_expr);
        if called(&grouping.keys) || after && !grouping.keys.is_empty() {
            self.refuse("a function with an effect beside GROUP BY");
        }
    }
}

impl<'a> Level<'a> {
    fn join(&mut self, join: &'a Join, is_outer: bool) {
        let Join::Pair { kind, left, right, on } = join else { return };
        let is_outer = is_outer || *kind != JoinKind::Inner;
        self.has_outer_join |= is_outer;
        if let Some(on) = on {
            flatten(on, if is_outer { &mut self.outer } else { &mut self.conditions });
        }
        self.join(left, is_outer);
        self.join(right, is_outer);
    }

    /// Whether all rows are sorted or grouped before the first one is returned.
    fn sorts(&self) -> bool {
        let collects = self.select.is_some_and(|select| select.is_distinct() || select.grouping.is_some());
        collects || !self.query.order.is_empty()
    }

    /// Whether the level joins this item with one table, and no condition can be pushed into the item.
    fn may_turn(&self, slot: usize) -> bool {
        let [one, other] = self.slots else { return false };
        let beside = if slot == 0 { other } else { one };
        let joins = |condition: &Expr| !mentions(condition, slot) || mentions(condition, 1 - slot);
        let Slot::Query { query, .. } = &self.slots[slot] else { return false };
        let limited = query.limit.is_some() || query.offset.is_some();
        let is_function = matches!(&query.core, Core::Select(select) if select.slots.is_empty());
        !is_function
            && matches!(beside, Slot::Table(_))
            && !self.has_outer_join
            && (limited || self.conditions.iter().all(|it| joins(it)))
            && !self.conditions.iter().any(|it| effect::in_expr(it))
    }

    /// Whether it computes a minimum or maximum, which an index may answer.
    fn wants_extreme(&self) -> bool {
        let grouping = self.select.and_then(|select| select.grouping.as_ref());
        grouping.is_some_and(|grouping| {
            let extreme = |function| matches!(function, AggregateFunction::Min | AggregateFunction::Max);
            grouping.aggregates.iter().any(|aggregate| extreme(aggregate.function))
        })
    }
}

/// Whether it is read lazily, with an observable effect. A data-modifying one is always run to its end.
fn is_lazy(cte: &super::Cte) -> bool {
    let writes = matches!(cte.query.core, Core::Insert(_) | Core::Update(_) | Core::Delete(_));
    !writes && cte.query.has_effect()
}

fn flatten<'a>(condition: &'a Expr, into: &mut Vec<&'a Expr>) {
    match condition {
        Expr::And(all) => all.iter().for_each(|part| flatten(part, into)),
        other => into.push(other),
    }
}

/// Whether a condition may reference that slot of its level; a correlated subquery is assumed to.
fn mentions(condition: &Expr, wanted: usize) -> bool {
    match condition {
        Expr::Column { up: 0, slot, .. } => *slot == wanted,
        Expr::Sub { query, .. } if query.correlated => true,
        other => parts(other).into_iter().any(|part| mentions(part, wanted)),
    }
}
