//! Where the answer depends on how the server's planner runs a statement: a query that locks rows, or a function that
//! can be seen to be called, in a place where the manual does not say how often and in which order it is run (4.2.14,
//! 7.8.4, 13.3.5). What the server decides by the text alone is let through; one case is left to whoever runs the
//! statement ([`crate::plan::Plan::reruns`]); all else is refused by name. It must never let through what statistics
//! decide.

use super::{
    AggregateFunction, Core, Delete, Expr, Grouping, Join, Query, Select, Slot, SubKind, Update, effect,
};
use crate::access::{laterals, parts};
use crate::ast::{JoinKind, SetOperation};
use crate::error::{Failure, Result};
use crate::plan::survey::{self, Met};

pub(crate) use condition::{Wary, gates, ordered, wary};

mod condition;

/// Whether a subquery of the statement may be run once, or once for each row of the table beside it, and it shows.
///
/// # Errors
/// A refusal by name where the answer depends on the plan in any other way.
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
    /// The query that is looked at, last, and those around it.
    levels: Vec<&'a Query>,
    /// How many subqueries may be run once or for each row.
    reruns: usize,
    /// How many with an effect stand under IN, anywhere.
    searched: usize,
    refused: Option<&'static str>,
}

/// FROM and WHERE of a level, and what is done with their rows.
struct Level<'a> {
    query: &'a Query,
    select: Option<&'a Select>,
    slots: &'a [Slot],
    /// The conditions of WHERE and of inner joins, all of which must hold.
    conditions: Vec<&'a Expr>,
    /// Those of outer joins.
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

    /// Whether running the query at that depth shows, be it because it reads a common table expression that does.
    fn reads(&self, query: &Query, depth: usize) -> bool {
        let slots = match &query.core {
            Core::Select(select) => &select.slots[..],
            _ => &[],
        };
        query.has_effect() || slots.iter().any(|slot| self.cte_of(slot, depth).is_some_and(is_lazy))
    }

    /// The common table expression that an item of FROM of the level at that depth reads, if it is outside.
    fn cte_of(&self, slot: &Slot, depth: usize) -> Option<&'a super::Cte> {
        let Slot::Cte { up, index, .. } = slot else { return None };
        self.levels.get(depth.checked_sub(*up)?)?.ctes.get(*index)
    }

    /// A subquery that shows, wherever it stands.
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

    /// An item of FROM that shows how much of it is read.
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

    /// Groups, which come in the order of a sort or of a hash.
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

    /// Whether its rows are sorted, or put into groups, before any of them is given away.
    fn sorts(&self) -> bool {
        let collects = self.select.is_some_and(|select| select.is_distinct() || select.grouping.is_some());
        collects || !self.query.order.is_empty()
    }

    /// Whether it is one table beside this item, joined by nothing that could go into the item.
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

    /// Whether a minimum or maximum is wanted, which an index may have.
    fn wants_extreme(&self) -> bool {
        let grouping = self.select.and_then(|select| select.grouping.as_ref());
        grouping.is_some_and(|grouping| {
            let extreme = |function| matches!(function, AggregateFunction::Min | AggregateFunction::Max);
            grouping.aggregates.iter().any(|aggregate| extreme(aggregate.function))
        })
    }
}

/// Whether it is run as far as it is read, and that shows; one that writes is always run to its end.
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

/// Whether a condition may look at that slot of its level; one with a subquery is taken to.
fn mentions(condition: &Expr, wanted: usize) -> bool {
    match condition {
        Expr::Column { up: 0, slot, .. } => *slot == wanted,
        Expr::Sub { query, .. } if query.correlated => true,
        other => parts(other).into_iter().any(|part| mentions(part, wanted)),
    }
}
