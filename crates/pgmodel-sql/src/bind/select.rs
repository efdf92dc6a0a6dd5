//! SELECT: binds its clauses in the order in which the server analyses them. Each clause is evaluated once.

use std::cell::OnceCell;

use crate::ast;
use crate::error::{Failure, Result};
use crate::plan::{Core, Expr, Grouping, OutputColumn, Select};
use crate::value::Type;

use super::locking::Collected;
use super::scope::Clause;
use super::sets::demand_constant;
use super::with::Body;
use super::{Binder, Typed, naming};

/// An item of a select list or of RETURNING.
pub(super) struct Output {
    pub(super) typed: Typed,
    pub(super) name: String,
}

impl Binder<'_> {
    /// A SELECT, VALUES or set operation with its trailing clauses. Without `resolve`, untyped outputs stay unknown.
    pub(super) fn select(&mut self, select: &ast::Select, resolve: bool) -> Result<Body> {
        match &select.core {
            ast::SelectCore::Simple(simple) => self.simple(select, simple, resolve),
            ast::SelectCore::Values(rows) => self.values(select, rows),
            ast::SelectCore::Set { operation, all, left, right } => {
                self.set_operation(select, *operation, *all, left, right)
            }
        }
    }

    fn simple(&mut self, select: &ast::Select, simple: &ast::Simple, resolve: bool) -> Result<Body> {
        self.top().locking.add(&select.locking);
        let join = self.join_clause(&simple.from, None)?;
        let (sites, volatile) = (self.sites, self.volatile);
        let mut outputs = self.within(Clause::Select, |binder| binder.outputs(&simple.output))?;
        let (calls, mut sites) = (self.volatile != volatile, self.sites - sites);
        let filter = self.filter(simple.filter.as_ref())?;
        let mut having = match &simple.having {
            Some(having) => Some(self.within(Clause::Having, |binder| binder.condition(having, "HAVING"))?),
            None => None,
        };
        let before = self.sites;
        let mut order = self.order_keys(&select.order, &mut outputs)?;
        sites += self.sites - before;
        let keys = self.group_keys(&simple.group, &mut outputs)?;
        if !self.top().sets.is_empty() {
            let exprs = outputs.iter().map(|output| &output.typed.expr);
            demand_constant(exprs.chain(order.iter().map(|key| &key.expr)), sites)?;
        }
        let distinct_on = self.distinct_on(&simple.distinct_on, &mut outputs, &mut order)?;
        if simple.distinct && order.iter().any(|key| !matches!(key.expr, Expr::Output(_))) {
            let message = "for SELECT DISTINCT, ORDER BY expressions must appear in select list";
            return Err(Failure::sql("42P10", message));
        }
        let offset = self.bound(select.offset.as_ref(), Clause::Offset)?;
        let limit = self.bound(select.limit.as_ref(), Clause::Limit)?;
        let distinct = simple.distinct || distinct_on > 0;
        let (mut output, columns) = self.shown(outputs, resolve || distinct)?;
        let collected = Collected {
            distinct,
            keys: !keys.is_empty(),
            having: having.is_some(),
            aggregates: !self.top().aggregates.is_empty(),
            sets: !self.top().sets.is_empty(),
        };
        select.locking.iter().try_for_each(|clause| collected.lockable(clause.strength))?;
        if collected.aggregates {
            self.demand_no_rounds()?;
        }
        let grouped = collected.keys || collected.having || collected.aggregates;
        let mut sets = std::mem::take(&mut self.top().sets);
        let grouping = if grouped {
            let sets = sets.iter_mut().flat_map(|call| &mut call.args);
            let sorted = order.iter_mut().map(|key| &mut key.expr);
            let rewritten = output.iter_mut().chain(sorted).chain(&mut having).chain(sets);
            let keys = self.regroup(keys, rewritten)?;
            let aggregates = std::mem::take(&mut self.top().aggregates);
            Some(Grouping { keys, aggregates, having })
        } else {
            None
        };
        if calls {
            self.demand_late(volatile, &order, grouped || distinct)?;
        }
        let slots = std::mem::take(&mut self.top().slots);
        let mut core = Select {
            slots,
            join,
            filter,
            grouping,
            sets,
            output,
            distinct: simple.distinct,
            distinct_on,
            path: OnceCell::new(),
        };
        let locks = self.locks(&select.locking, &mut core)?;
        Ok(Body { core: Core::Select(core), order, limit, offset, locks, columns })
    }

    /// The select list and its columns as the result exposes them.
    fn shown(&mut self, outputs: Vec<Output>, resolve: bool) -> Result<(Vec<Expr>, Vec<OutputColumn>)> {
        let mut output = Vec::new();
        let mut columns = Vec::new();
        for item in outputs {
            let typed = if resolve { self.known(item.typed)? } else { item.typed };
            output.push(typed.expr);
            columns.push(OutputColumn { name: item.name, ty: typed.ty });
        }
        Ok((output, columns))
    }

    /// Binds a select list, with `*` expanded.
    pub(super) fn outputs(&mut self, outputs: &[ast::Output]) -> Result<Vec<Output>> {
        let mut bound = Vec::new();
        for output in outputs {
            match output {
                ast::Output::All(None) => {
                    let depth = self.depth();
                    let items = &self.top().items;
                    if items.is_empty() {
                        let message = "SELECT * with no tables specified is not valid";
                        return Err(Failure::sql("42601", message));
                    }
                    let shown = items.iter().filter(|item| item.unqualified);
                    let columns: Vec<_> = shown.flat_map(|item| item.columns.clone()).collect();
                    for column in columns {
                        let name = column.name.clone();
                        bound.push(Output { typed: self.reference(depth, column), name });
                    }
                }
                ast::Output::All(Some(table)) => {
                    let (depth, item) = self.item(table)?;
                    let columns = item.columns.clone();
                    for column in columns {
                        let name = column.name.clone();
                        bound.push(Output { typed: self.reference(depth, column), name });
                    }
                }
                ast::Output::Expr { expr, alias } => {
                    let typed = self.expr(expr)?;
                    let name = alias.clone().unwrap_or_else(|| naming::column_name(expr, &typed.expr));
                    bound.push(Output { typed, name });
                }
            }
        }
        Ok(bound)
    }

    /// LIMIT or OFFSET: a bigint that references no column of its own level.
    pub(super) fn bound(&mut self, expr: Option<&ast::Expr>, clause: Clause) -> Result<Option<Expr>> {
        let Some(expr) = expr else { return Ok(None) };
        let what = if clause == Clause::Limit { "LIMIT" } else { "OFFSET" };
        let (touched, depth) = (self.touched.len(), self.depth());
        let typed = self.within(clause, |binder| binder.expr(expr))?;
        let bound = self.demanded(typed, &Type::Int8, what)?;
        if self.touched[touched..].iter().any(|(level, _)| *level == depth) {
            return Err(Failure::sql("42P10", format!("argument of {what} must not contain variables")));
        }
        Ok(Some(bound))
    }
}
