//! WITH RECURSIVE: a common table expression that reads itself is a UNION whose right side reads the rows of the
//! previous iteration (manual, 7.8.2; the server's `parse_cte.c`). Inside, its name hides a table of the same name.

use std::rc::Rc;

use crate::ast::{self, JoinKind, SetOperation};
use crate::error::{Failure, Result};
use crate::plan::{Core, Join, OutputColumn, Query, Slot};
use crate::value::Type;

use super::Binder;
use super::coerce::common;
use super::with::Body;

/// A self-referencing common table expression that is being bound.
pub(super) struct Unfinished {
    name: String,
    /// Its columns, once the non-recursive side is bound.
    columns: Option<Vec<OutputColumn>>,
    references: usize,
    /// How many expression subqueries surround it.
    subqueries: usize,
}

fn wrong(message: String) -> Failure {
    Failure::sql("42P19", message)
}

/// 0A000 for a trailing clause that a self-referencing query must not have.
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
    /// Binds a self-referencing common table expression.
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

    /// Binds the recursive side and combines both sides.
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
            // The server runs only as many iterations as are read.
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

    /// The common table expression that is being bound at `depth`, if it has that name and is referenced from within.
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
        // A query that reads it has different rows in each iteration.
        self.reached(depth);
        self.top().reads_unfinished = true;
        Ok(Some((Slot::Cte { up: top - depth, index, width: columns.len() }, columns)))
    }

    /// 42P19 for an aggregate over the rows of an iteration.
    pub(super) fn demand_no_rounds(&mut self) -> Result<()> {
        if !self.top().reads_unfinished {
            return Ok(());
        }
        let message = "aggregate functions are not allowed in a recursive query's recursive term";
        Err(wrong(message.to_owned()))
    }
}

/// Refuses an outer join beside the self-reference; a server error if the join could make the self-reference NULL.
fn demand_not_nullable(name: &str, right: &Query) -> Result<()> {
    fn reads(slots: &[Slot], join: &Join) -> bool {
        match join {
            // The query, the UNION and the WITH are nested levels, so the self-reference is two levels up.
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
