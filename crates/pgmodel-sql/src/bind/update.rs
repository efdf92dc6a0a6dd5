//! UPDATE, DELETE and RETURNING. Within FROM and USING the target is not visible.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::ast::{self, Serial, TableLockMode};
use crate::catalog::{Column, TableDef};
use crate::error::{Failure, Result};
use crate::plan::{Core, Delete, Expr, Join, OutputColumn, Slot, SubKind, Update};

use super::from::lateral;
use super::scope::{Clause, Source, SourceKind, table_item};
use super::with::Body;
use super::{Binder, Typed, conjuncts};

/// 428C9 for a value other than DEFAULT in a GENERATED ALWAYS column.
pub(super) fn always_generated(column: &Column, message: String) -> Result<()> {
    if column.serial != Some(Serial::Always) {
        return Ok(());
    }
    let detail = format!("Column \"{}\" is an identity column defined as GENERATED ALWAYS.", column.name);
    Err(Failure::detailed("428C9", message, detail))
}

/// 42703 for a column that a table lacks.
pub(super) fn no_column(table: &TableDef, column: &str) -> Failure {
    let message = format!("column \"{column}\" of relation \"{}\" does not exist", table.name);
    Failure::sql("42703", message)
}

impl Binder<'_> {
    pub(super) fn update(&mut self, update: &ast::Update) -> Result<Body> {
        let (table, join) = self.target(&update.table, update.alias.as_deref(), &update.from)?;
        let filter = self.filter(update.filter.as_ref())?;
        let (returning, columns) = self.returning(&update.returning)?;
        let set = self.within(Clause::Update, |binder| binder.assignments(&update.set, &table))?;
        let slots = std::mem::take(&mut self.top().slots);
        Ok(Body::bare(
            Core::Update(Update { table, slots, join, filter, set, returning, path: OnceCell::new() }),
            columns,
        ))
    }

    pub(super) fn delete(&mut self, delete: &ast::Delete) -> Result<Body> {
        let (table, join) = self.target(&delete.table, delete.alias.as_deref(), &delete.using)?;
        let filter = self.filter(delete.filter.as_ref())?;
        let (returning, columns) = self.returning(&delete.returning)?;
        let slots = std::mem::take(&mut self.top().slots);
        Ok(Body::bare(
            Core::Delete(Delete { table, slots, join, filter, returning, path: OnceCell::new() }),
            columns,
        ))
    }

    /// WHERE.
    pub(super) fn filter(&mut self, filter: Option<&ast::Expr>) -> Result<Option<Expr>> {
        let Some(filter) = filter else { return Ok(None) };
        let calls = (self.sites, self.routines);
        let filter = self.within(Clause::Where, |binder| binder.condition(filter, "WHERE"))?;
        if (self.sites, self.routines) == calls {
            return Ok(Some(filter));
        }
        conjuncts::ordered(filter, &self.top().slots).map(Some)
    }

    /// Binds the target as slot 0, and the items joined to it.
    fn target(
        &mut self,
        name: &str,
        alias: Option<&str>,
        from: &[ast::FromItem],
    ) -> Result<(Rc<TableDef>, Join)> {
        let table = self.opened(name, TableLockMode::RowExclusive)?;
        let shown = alias.unwrap_or(name);
        let mut item = table_item(&table, shown, 0);
        lateral(std::slice::from_mut(&mut item), true, false);
        let level = self.top();
        level.slots.push(Slot::Table(Rc::clone(&table)));
        level.sources.push(Source {
            name: shown.to_owned(),
            columns: table.columns.iter().map(|column| column.name.clone()).collect(),
            kind: SourceKind::Table,
        });
        level.items.push(item);
        let join = self.join_clause(from, Some(Join::Slot(0)))?.unwrap_or(Join::Slot(0));
        Ok((table, join))
    }

    /// Binds RETURNING over the names of the level.
    pub(super) fn returning(&mut self, outputs: &[ast::Output]) -> Result<(Vec<Expr>, Vec<OutputColumn>)> {
        let outputs = self.within(Clause::Returning, |binder| binder.outputs(outputs))?;
        let mut exprs = Vec::new();
        let mut columns = Vec::new();
        for output in outputs {
            let known = self.known(output.typed)?;
            exprs.push(known.expr);
            columns.push(OutputColumn { name: output.name, ty: known.ty });
        }
        Ok((exprs, columns))
    }

    /// SET: column positions and their cast values.
    pub(super) fn assignments(
        &mut self,
        set: &[ast::Assignment],
        table: &TableDef,
    ) -> Result<Vec<(usize, Expr)>> {
        // The server analyses all values before it looks up their columns.
        let mut values = Vec::new();
        for assignment in set {
            values.push(self.sources(&assignment.value, assignment.columns.len())?);
        }
        let mut assigned: Vec<(usize, Expr)> = Vec::new();
        for (assignment, values) in set.iter().zip(values) {
            for (name, value) in assignment.columns.iter().zip(values) {
                let position = table.column(name).ok_or_else(|| no_column(table, name))?;
                if assigned.iter().any(|(taken, _)| *taken == position) {
                    let message = format!("multiple assignments to same column \"{name}\"");
                    return Err(Failure::sql("42601", message));
                }
                let column = &table.columns[position];
                assigned.push((position, self.assigned(value, column)?));
            }
        }
        Ok(assigned)
    }

    /// The values assigned to `columns` columns; `None` for DEFAULT.
    fn sources(&mut self, value: &ast::Expr, columns: usize) -> Result<Vec<Option<Typed>>> {
        match (columns, value) {
            (1, ast::Expr::Default) => Ok(vec![None]),
            (1, value) => Ok(vec![Some(self.expr(value)?)]),
            (_, ast::Expr::Scalar(query)) => {
                let query = Rc::new(self.nested(query)?);
                if query.columns.len() != columns {
                    let message = "number of columns does not match number of values";
                    return Err(Failure::sql("42601", message));
                }
                let column = |(index, column): (usize, &OutputColumn)| {
                    let expr = Expr::Sub { kind: SubKind::ScalarColumn(index), query: Rc::clone(&query) };
                    Some(Typed { expr, ty: column.ty.clone() })
                };
                Ok(query.columns.iter().enumerate().map(column).collect())
            }
            _ => Err(Failure::not_modelled("SET of several columns to something other than a subquery")),
        }
    }

    fn assigned(&mut self, value: Option<Typed>, column: &Column) -> Result<Expr> {
        let Some(value) = value else { return Ok(self.default(column)) };
        let value = self.assign(value, column)?;
        always_generated(column, format!("column \"{}\" can only be updated to DEFAULT", column.name))?;
        Ok(value)
    }
}
