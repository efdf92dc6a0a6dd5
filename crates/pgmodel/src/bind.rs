//! Names to tables, columns and functions; types to every expression.

use crate::ast;
use crate::catalog::{Names, TableDef};
use crate::error::Result;
use crate::plan::{Expr, Plan};
use crate::value::Type;

/// Plans a query or data-modifying statement.
///
/// # Errors
/// The server's errors of parse analysis, 42P01, 42703, 42883, 42804 and their kin; a refusal by name.
pub fn statement(with: &ast::With, names: &dyn Names) -> Result<Plan> {
    let _ = (with, names);
    todo!()
}

/// An expression over one row of a table, slot 0, cast to `to` if that is given: a default, a CHECK, an index key.
///
/// # Errors
/// As [`statement`].
pub fn row_expr(expr: &ast::Expr, table: &TableDef, to: Option<&Type>) -> Result<Expr> {
    let _ = (expr, table, to);
    todo!()
}
