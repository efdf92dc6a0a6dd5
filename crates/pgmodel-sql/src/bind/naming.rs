//! Names that the server generates: of types in its messages, and of columns without AS.

use crate::ast;
use crate::error::{Failure, Result};
use crate::plan::{Expr, Query};
use crate::value::Type;

/// A type's name in `pg_type`, which is also the name of a column that is a cast. An array has the name of its element
/// type.
fn catalog_name(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::Int2 => "int2",
        Type::Int4 => "int4",
        Type::Int8 => "int8",
        Type::Text => "text",
        Type::Varchar(_) => "varchar",
        Type::Char(_) => "bpchar",
        Type::Date => "date",
        Type::Timestamp => "timestamp",
        Type::Timestamptz => "timestamptz",
        Type::Interval => "interval",
        Type::Numeric(_) => "numeric",
        Type::Uuid => "uuid",
        Type::Jsonb => "jsonb",
        Type::Bytea => "bytea",
        Type::Array(element) => catalog_name(element),
        Type::Void => "void",
        Type::Unknown => "unknown",
    }
}

/// A type's name as the grammar produces it: a type that is an SQL keyword is qualified with `pg_catalog`.
pub fn grammar_name(ty: &Type) -> String {
    match ty {
        Type::Bool | Type::Int2 | Type::Int4 | Type::Int8 | Type::Numeric(_) | Type::Varchar(_) => {
            format!("pg_catalog.{}", catalog_name(ty))
        }
        Type::Timestamptz | Type::Interval => format!("pg_catalog.{}", catalog_name(ty)),
        Type::Array(element) => format!("{}[]", grammar_name(element)),
        other => catalog_name(other).to_owned(),
    }
}

/// A function with its argument types, as in error messages.
pub(super) fn signature(name: &str, args: &[Type]) -> String {
    let args: Vec<_> = args.iter().map(Type::name).collect();
    format!("{name}({})", args.join(", "))
}

/// 42883 for a function.
pub(super) fn no_function<T>(name: &str, args: &[Type]) -> Result<T> {
    Err(Failure::sql("42883", format!("function {} does not exist", signature(name, args))))
}

/// The name of an output column without AS. `bound` is the bound expression: a scalar subquery has the name of its own
/// column, which `*` may hide in the text.
pub(super) fn column_name(expr: &ast::Expr, bound: &Expr) -> String {
    figure(expr, bound).map_or_else(|| "?column?".to_owned(), |(name, _)| name)
}

/// The name of an index's column (FigureIndexColname in src/backend/parser/parse_target.c).
pub fn index_column(expr: &ast::Expr, bound: &Expr) -> String {
    figure(expr, bound).map_or_else(|| "expr".to_owned(), |(name, _)| name)
}

/// A name and whether it is strong: the name of a cast yields to a strong name of its operand.
fn figure(expr: &ast::Expr, bound: &Expr) -> Option<(String, bool)> {
    match expr {
        ast::Expr::Column { name, .. } => Some((name.clone(), true)),
        ast::Expr::Call { name, .. } => Some((name.clone(), true)),
        ast::Expr::Exists(_) => Some(("exists".to_owned(), true)),
        ast::Expr::Subscript { array, .. } | ast::Expr::Slice { array, .. } => figure(array, bound),
        ast::Expr::Array(_) | ast::Expr::ArrayQuery(_) => Some(("array".to_owned(), true)),
        ast::Expr::Row(_) => Some(("row".to_owned(), true)),
        ast::Expr::Scalar(_) => {
            let name = &subquery_of(bound)?.columns.first()?.name;
            Some((name.clone(), true))
        }
        ast::Expr::Case { otherwise, .. } => {
            let inner = otherwise.as_ref().and_then(|otherwise| figure(otherwise, bound));
            match inner {
                Some((name, true)) => Some((name, true)),
                _ => Some(("case".to_owned(), false)),
            }
        }
        ast::Expr::Cast { operand, to } => match figure(operand, bound) {
            Some((name, true)) => Some((name, true)),
            _ => Some((catalog_name(to).to_owned(), false)),
        },
        _ => None,
    }
}

/// The subquery that a bound expression consists of, ignoring casts around it.
fn subquery_of(bound: &Expr) -> Option<&Query> {
    match bound {
        Expr::Sub { query, .. } => Some(query),
        Expr::Apply { args, .. } => subquery_of(args.first()?),
        Expr::Elements { array, .. } => subquery_of(array),
        Expr::Case { otherwise, .. } => subquery_of(otherwise),
        _ => None,
    }
}
