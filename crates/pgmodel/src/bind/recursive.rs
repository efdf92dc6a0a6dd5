//! WITH RECURSIVE: a common table expression that reads itself is a UNION, of which the right side reads what the round
//! before has made (manual, 7.8.2; the server's `parse_cte.c`). It must never be taken for a table of its name.

use std::rc::Rc;

use crate::ast;
use crate::ast::{JoinKind, SetOperation};
use crate::error::{Failure, Result};
use crate::plan::{Core, Join, OutputColumn, Query, Slot};
use crate::value::Type;

use super::Binder;
use super::coerce::common;
use super::with::Body;

/// A common table expression that is being bound and reads itself.
pub(super) struct Unfinished {
    name: String,
    /// Its columns, once the side that must not read it is bound.
    columns: Option<Vec<OutputColumn>>,
    references: usize,
    /// How many subqueries of expressions are around it.
    subqueries: usize,
}

fn wrong(message: String) -> Failure {
    Failure::sql("42P19", message)
}

/// 0A000 for what may end a query, but none that reads itself.
fn demand_bare(select: &ast::Select) -> Result<()> {
    let clause = match select {
        select if !select.order.is_empty() => "ORDER BY",
        ast::Select { offset: Some(_), .. } => "OFFSET",
        ast::Select { limit: Some(_), .. } => "LIMIT",
        select if !select.locking.is_empty() => "FOR UPDATE/SHARE",
        _ => return Ok(()),
    };
    Err(Failure::sql("0A000", format!("{clause} in a recursive query is not implemented")))
}

impl Binder<'_> {
    /// The query of a common table expression that reads itself.
    pub(super) fn recursive(&mut self, cte: &ast::Cte) -> Result<Query> {
        let name = &cte.name;
        let ast::Body::Select(select) = &cte.query.body else {
            return Err(Failure::not_modelled("a data-modifying statement in WITH RECURSIVE"));
        };
        if !cte.query.ctes.is_empty() {
            return Err(Failure::not_modelled("a WITH inside of WITH RECURSIVE"));
        }
        let ast::SelectCore::Set { operation: SetOperation::Union, all, left, right } = &select.core else {
            let form = "non-recursive-term UNION [ALL] recursive-term";
            return Err(wrong(format!("recursive query \"{name}\" does not have the form {form}")));
        };
        demand_bare(select)?;
        let subqueries = self.subqueries;
        self.top().unfinished =
            Some(Unfinished { name: name.clone(), columns: None, references: 0, subqueries });
        let outer = self.depth();
        let query = self.level(|binder| {
            let left = binder.branch(left)?;
            let named = |(index, column): (usize, &OutputColumn)| OutputColumn {
                name: cte.columns.get(index).unwrap_or(&column.name).clone(),
                ty: if column.ty == Type::Unknown { Type::Text } else { column.ty.clone() },
            };
            let columns: Vec<OutputColumn> = left.columns.iter().enumerate().map(named).collect();
            if let Some(unfinished) = &mut binder.levels[outer].unfinished {
                unfinished.columns = Some(columns.clone());
            }
            binder.rounds(name, left, right, *all, columns)
        })?;
        self.top().unfinished = None;
        Ok(query)
    }

    /// The right side, and both sides put together.
    fn rounds(
        &mut self,
        name: &str,
        mut left: Query,
        right: &ast::Select,
        all: bool,
        mut columns: Vec<OutputColumn>,
    ) -> Result<Body> {
        let plain = matches!(right.core, ast::SelectCore::Simple(_));
        if !plain || demand_bare(right).is_err() {
            return Err(Failure::not_modelled("this form of the recursive side of WITH RECURSIVE"));
        }
        let mut right = self.branch(right)?;
        let references =
            self.levels.iter().rev().find_map(|level| level.unfinished.as_ref().map(|it| it.references));
        if references != Some(1) {
            return Err(Failure::not_modelled("WITH RECURSIVE that does not read itself"));
        }
        demand_not_nullable(name, &right)?;
        if left.has_effect() || right.has_effect() {
            // The server makes no more rounds than are read.
            return Err(Failure::not_modelled("WITH RECURSIVE over calls that have effects"));
        }
        if left.columns.len() != right.columns.len() {
            return Err(Failure::sql("42601", "each UNION query must have the same number of columns"));
        }
        for (index, column) in columns.iter_mut().enumerate() {
            let types = [left.columns[index].ty.clone(), right.columns[index].ty.clone()];
            let ty = common(&types, "UNION")?;
            if ty.base() != column.ty.base() {
                let message = format!(
                    "recursive query \"{name}\" column {} has type {} in non-recursive term but type {} overall",
                    index + 1,
                    column.ty.name(),
                    ty.name()
                );
                return Err(Failure::sql("42804", message));
            }
            if ty != column.ty {
                return Err(Failure::not_modelled(
                    "WITH RECURSIVE whose sides differ in a length or precision",
                ));
            }
            self.coerce_output(&mut left, index, &ty)?;
            self.coerce_output(&mut right, index, &ty)?;
        }
        let (operation, left, right) = (SetOperation::Union, Rc::new(left), Rc::new(right));
        Ok(Body::bare(Core::Set { operation, all, left, right }, columns))
    }

    /// The common table expression that is being bound at `depth`, if it goes by that name and is read from within.
    pub(super) fn find_unfinished(
        &mut self,
        name: &str,
        depth: usize,
    ) -> Result<Option<(Slot, Vec<OutputColumn>)>> {
        let (top, subqueries) = (self.depth(), self.subqueries);
        let level = &mut self.levels[depth];
        let index = level.ctes.len();
        let Some(unfinished) = level.unfinished.as_mut().filter(|unfinished| unfinished.name == name) else {
            if level.sees_later && level.later.iter().any(|later| later == name) {
                return Err(Failure::not_modelled("a WITH item that reads a later one"));
            }
            return Ok(None);
        };
        let place = |place: &str| {
            Err(wrong(format!("recursive reference to query \"{name}\" must not appear {place}")))
        };
        let Some(columns) = unfinished.columns.clone() else { return place("within its non-recursive term") };
        if subqueries > unfinished.subqueries {
            return place("within a subquery");
        }
        unfinished.references += 1;
        if unfinished.references > 1 {
            return place("more than once");
        }
        // Whatever reads it has other rows in each round.
        self.reached(depth);
        self.top().reads_unfinished = true;
        Ok(Some((Slot::Cte { up: top - depth, index, width: columns.len() }, columns)))
    }

    /// 42P19 where the rows of a round would be put together.
    pub(super) fn demand_no_rounds(&mut self) -> Result<()> {
        if !self.top().reads_unfinished {
            return Ok(());
        }
        let message = "aggregate functions are not allowed in a recursive query's recursive term";
        Err(wrong(message.to_owned()))
    }
}

/// Refuses an outer join beside the rows of the round before, and says so where it would leave them out.
fn demand_not_nullable(name: &str, right: &Query) -> Result<()> {
    fn reads(slots: &[Slot], join: &Join) -> bool {
        match join {
            // The query, the level of the UNION and the one of WITH are one inside the other.
            Join::Slot(slot) => matches!(slots.get(*slot), Some(Slot::Cte { up: 2, .. })),
            Join::Pair { left, right, .. } => reads(slots, left) || reads(slots, right),
        }
    }
    fn look(name: &str, slots: &[Slot], join: &Join) -> Result<()> {
        let Join::Pair { kind, left, right, .. } = join else { return Ok(()) };
        let (loses_left, loses_right) = match kind {
            JoinKind::Inner => (false, false),
            JoinKind::Left => (false, true),
            JoinKind::Right => (true, false),
            JoinKind::Full => (true, true),
        };
        if (loses_left && reads(slots, left)) || (loses_right && reads(slots, right)) {
            let message =
                format!("recursive reference to query \"{name}\" must not appear within an outer join");
            return Err(wrong(message));
        }
        if kind != &JoinKind::Inner && !reads(slots, join) {
            return Err(Failure::not_modelled(
                "an outer join in WITH RECURSIVE, with the rounds in a subquery",
            ));
        }
        look(name, slots, left)?;
        look(name, slots, right)
    }
    match &right.core {
        Core::Select(select) => select.join.as_ref().map_or(Ok(()), |join| look(name, &select.slots, join)),
        _ => Ok(()),
    }
}
