//! INSERT: maps the source's columns to the table's, with defaults for the rest. Every value is cast to its column's
//! type.

use std::rc::Rc;

use crate::ast::{self, Serial, TableLockMode};
use crate::catalog::TableDef;
use crate::error::{Failure, Result};
use crate::plan::{Core, Expr, Insert, Query, Slot};
use crate::value::{Type, Value};

use super::scope::{Clause, Source, SourceKind, table_item};
use super::set::{same_width, values_columns};
use super::update::{always_generated, no_column};
use super::with::Body;
use super::{Binder, Typed};

/// The rows of a plain VALUES, whose items may be DEFAULT.
fn plain_values(source: &ast::With) -> Option<&[Vec<ast::Expr>]> {
    let ast::Body::Select(select) = &source.body else { return None };
    let bare = source.ctes.is_empty()
        && select.order.is_empty()
        && select.limit.is_none()
        && select.offset.is_none()
        && select.locking.is_empty();
    match &select.core {
        ast::SelectCore::Values(rows) if bare => Some(rows),
        _ => None,
    }
}

/// 42601 if the number of values differs from the number of columns. Fewer values are allowed if no columns are named.
fn counted(values: usize, columns: usize, named: bool) -> Result<()> {
    if values > columns {
        return Err(Failure::sql("42601", "INSERT has more expressions than target columns"));
    }
    if values < columns && named {
        return Err(Failure::sql("42601", "INSERT has more target columns than expressions"));
    }
    Ok(())
}

impl Binder<'_> {
    pub(super) fn insert(&mut self, insert: &ast::Insert) -> Result<Body> {
        let table = self.opened(&insert.table, TableLockMode::RowExclusive)?;
        let targets = self.targets(insert, &table)?;
        let named = !insert.columns.is_empty();
        let (routines, sites) = (self.routines, self.sites);
        let (source, row) = match &insert.source {
            None => (self.one_empty_row()?, self.row(&table, &[], Vec::new())?),
            Some(source) => match plain_values(source) {
                Some(rows) => self.values_source(rows, &table, &targets, named)?,
                None => self.query_source(source, &table, &targets, named)?,
            },
        };
        self.demand_turns(&source, routines, sites, &table)?;
        let alias = insert.alias.as_deref().unwrap_or(&insert.table);
        let target = table_item(&table, alias, 0);
        // An error message may need the table's alias.
        self.top().slots.push(Slot::Table(Rc::clone(&table)));
        self.top().sources.push(Source {
            name: alias.to_owned(),
            columns: table.columns.iter().map(|column| column.name.clone()).collect(),
            kind: SourceKind::Table,
        });
        let on_conflict = match &insert.on_conflict {
            Some(on_conflict) => Some(self.on_conflict(on_conflict, &table, &target)?),
            None => None,
        };
        self.top().items = vec![target];
        let (returning, columns) = self.returning(&insert.returning)?;
        let source = Rc::new(source);
        Ok(Body::bare(Core::Insert(Insert { table, source, row, on_conflict, returning }), columns))
    }

    /// The positions of the target columns.
    fn targets(&mut self, insert: &ast::Insert, table: &TableDef) -> Result<Vec<usize>> {
        if insert.columns.is_empty() {
            let live = table.columns.iter().enumerate().filter(|(_, column)| !column.dropped);
            return Ok(live.map(|(position, _)| position).collect());
        }
        let mut targets = Vec::new();
        for name in &insert.columns {
            let position = table.column(name).ok_or_else(|| no_column(table, name))?;
            if targets.contains(&position) {
                return Err(Failure::sql("42701", format!("column \"{name}\" specified more than once")));
            }
            targets.push(position);
        }
        Ok(targets)
    }

    /// The source of DEFAULT VALUES.
    fn one_empty_row(&mut self) -> Result<Query> {
        self.level(|_| Ok(Body::bare(Core::Values(vec![Vec::new()]), Vec::new())))
    }

    /// VALUES, each item cast to its column's type.
    fn values_source(
        &mut self,
        rows: &[Vec<ast::Expr>],
        table: &TableDef,
        targets: &[usize],
        named: bool,
    ) -> Result<(Query, Vec<Expr>)> {
        same_width(rows)?;
        let width = rows.first().map_or(0, Vec::len);
        // A GENERATED ALWAYS column may be DEFAULT, but only in all rows.
        let all_default = |index: usize| rows.iter().all(|row| row.get(index) == Some(&ast::Expr::Default));
        let source = self.level(|binder| {
            counted(width, targets.len(), named)?;
            let mut bound = Vec::new();
            for row in rows {
                bound.push(binder.values_row(row, table, targets)?);
            }
            let types = targets.iter().take(width).map(|target| table.columns[*target].ty.clone()).collect();
            Ok(Body::bare(Core::Values(bound), values_columns(types)))
        })?;
        for (index, target) in targets.iter().take(width).enumerate() {
            if !all_default(index) {
                let column = &table.columns[*target];
                let message = format!("cannot insert a non-DEFAULT value into column \"{}\"", column.name);
                always_generated(column, message)?;
            }
        }
        let values: Vec<_> = (0..width).map(|column| Expr::Column { up: 0, slot: 0, column }).collect();
        let row = self.row(table, targets, values)?;
        Ok((source, row))
    }

    fn values_row(&mut self, row: &[ast::Expr], table: &TableDef, targets: &[usize]) -> Result<Vec<Expr>> {
        self.within(Clause::Values, |binder| {
            let mut bound = Vec::new();
            for (item, target) in row.iter().zip(targets) {
                let column = &table.columns[*target];
                bound.push(match item {
                    ast::Expr::Default => binder.default(column),
                    item => {
                        let typed = binder.expr(item)?;
                        binder.assign(typed, column)?
                    }
                });
            }
            Ok(bound)
        })
    }

    /// Any other source. Its columns are cast when they are stored, but untyped literals and parameters of the select
    /// list take the type of their target column.
    fn query_source(
        &mut self,
        source: &ast::With,
        table: &TableDef,
        targets: &[usize],
        named: bool,
    ) -> Result<(Query, Vec<Expr>)> {
        if !matches!(source.body, ast::Body::Select(_)) {
            return Err(Failure::not_modelled("a data-modifying statement as the source of INSERT"));
        }
        let mut source = self.query(source, false)?;
        counted(source.columns.len(), targets.len(), named)?;
        let mut values = Vec::new();
        for (column, target) in targets.iter().take(source.columns.len()).enumerate() {
            let target = &table.columns[*target];
            if source.columns[column].ty == Type::Unknown {
                self.coerce_output(&mut source, column, &target.ty)?;
            }
            let expr = Expr::Column { up: 0, slot: 0, column };
            values.push(self.assign(Typed { expr, ty: source.columns[column].ty.clone() }, target)?);
            if target.serial == Some(Serial::Always) {
                let message = format!("cannot insert a non-DEFAULT value into column \"{}\"", target.name);
                always_generated(target, message)?;
            }
        }
        let row = self.row(table, targets, values)?;
        Ok((source, row))
    }

    /// The table's row: the source's values, and defaults for the rest.
    fn row(&mut self, table: &TableDef, targets: &[usize], values: Vec<Expr>) -> Result<Vec<Expr>> {
        let mut row: Vec<Option<Expr>> = table.columns.iter().map(|_| None).collect();
        for (target, value) in targets.iter().zip(values) {
            row[*target] = Some(value);
        }
        let whole = row.into_iter().zip(&table.columns).map(|(value, column)| match value {
            Some(value) => value,
            None if column.dropped => Expr::Const(Value::Null),
            None => self.default(column),
        });
        Ok(whole.collect())
    }
}
