//! VALUES and set operations. Every column of the result gets one common type.

use std::rc::Rc;

use crate::ast::{self, SetOperation};
use crate::error::{Failure, Result};
use crate::plan::{Core, Expr, OutputColumn};
use crate::value::Type;

use super::coerce::common;
use super::locking::lock_name;
use super::scope::Clause;
use super::with::Body;
use super::{Binder, Typed};

fn operation_name(operation: SetOperation) -> &'static str {
    match operation {
        SetOperation::Union => "UNION",
        SetOperation::Intersect => "INTERSECT",
        SetOperation::Except => "EXCEPT",
    }
}

/// The names of the columns of VALUES.
pub(super) fn values_columns(types: Vec<Type>) -> Vec<OutputColumn> {
    let named = |(index, ty)| OutputColumn { name: format!("column{}", index + 1), ty };
    types.into_iter().enumerate().map(named).collect()
}

/// 42601 if the rows of VALUES differ in length.
pub(super) fn same_width(rows: &[Vec<ast::Expr>]) -> Result<()> {
    if rows.windows(2).any(|pair| pair[0].len() != pair[1].len()) {
        return Err(Failure::sql("42601", "VALUES lists must all be the same length"));
    }
    Ok(())
}

impl Binder<'_> {
    pub(super) fn values(&mut self, select: &ast::Select, rows: &[Vec<ast::Expr>]) -> Result<Body> {
        same_width(rows)?;
        let width = rows.first().map_or(0, Vec::len);
        let mut by_column: Vec<Vec<Typed>> = (0..width).map(|_| Vec::new()).collect();
        self.within(Clause::Values, |binder| {
            for row in rows {
                for (column, expr) in by_column.iter_mut().zip(row) {
                    column.push(binder.expr(expr)?);
                }
            }
            Ok(())
        })?;
        let mut bound: Vec<Vec<Expr>> = rows.iter().map(|_| Vec::new()).collect();
        let mut types = Vec::new();
        for column in by_column {
            let (exprs, ty) = self.unified(column, "VALUES")?;
            for (row, expr) in bound.iter_mut().zip(exprs) {
                row.push(expr);
            }
            types.push(ty);
        }
        let columns = values_columns(types);
        let order = self.result_keys(&select.order, &columns, true)?;
        let offset = self.bound(select.offset.as_ref(), Clause::Offset)?;
        let limit = self.bound(select.limit.as_ref(), Clause::Limit)?;
        if let Some(locking) = select.locking.first() {
            let message = format!("{} cannot be applied to VALUES", lock_name(locking.strength));
            return Err(Failure::sql("0A000", message));
        }
        Ok(Body { core: Core::Values(bound), order, limit, offset, locks: Vec::new(), columns })
    }

    pub(super) fn set_operation(
        &mut self,
        select: &ast::Select,
        operation: SetOperation,
        all: bool,
        left: &ast::Select,
        right: &ast::Select,
    ) -> Result<Body> {
        if let Some(locking) = select.locking.first() {
            let message =
                format!("{} is not allowed with UNION/INTERSECT/EXCEPT", lock_name(locking.strength));
            return Err(Failure::sql("0A000", message));
        }
        let name = operation_name(operation);
        let mut left = self.branch(left)?;
        let mut right = self.branch(right)?;
        if left.columns.len() != right.columns.len() {
            let message = format!("each {name} query must have the same number of columns");
            return Err(Failure::sql("42601", message));
        }
        let mut columns = Vec::new();
        for index in 0..left.columns.len() {
            let types = [left.columns[index].ty.clone(), right.columns[index].ty.clone()];
            let ty = common(&types, name)?;
            self.coerce_output(&mut left, index, &ty)?;
            self.coerce_output(&mut right, index, &ty)?;
            columns.push(OutputColumn { name: left.columns[index].name.clone(), ty });
        }
        let order = self.result_keys(&select.order, &columns, false)?;
        let offset = self.bound(select.offset.as_ref(), Clause::Offset)?;
        let limit = self.bound(select.limit.as_ref(), Clause::Limit)?;
        let core = Core::Set { operation, all, left: Rc::new(left), right: Rc::new(right) };
        Ok(Body { core, order, limit, offset, locks: Vec::new(), columns })
    }
}
