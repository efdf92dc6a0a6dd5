//! Comparisons of two operands, which may be rows: operators, BETWEEN, IS DISTINCT FROM. Rows of different length are
//! an error.

use crate::ast;
use crate::error::{Failure, Result};
use crate::function;
use crate::plan::{Expr, SubKind};
use crate::value::Type;

use super::expression::{boolean, negated};
use super::{Binder, Typed};

use std::rc::Rc;

/// 42601 if two rows differ in length.
pub(super) fn same_length(left: usize, right: usize) -> Result<()> {
    if left == right {
        return Ok(());
    }
    Err(Failure::sql("42601", "unequal number of entries in row expressions"))
}

impl Binder<'_> {
    pub(super) fn binary(&mut self, operator: &str, left: &ast::Expr, right: &ast::Expr) -> Result<Typed> {
        match (left, right) {
            (ast::Expr::Row(left), ast::Expr::Row(right)) => {
                same_length(left.len(), right.len())?;
                if left.is_empty() {
                    return Err(Failure::sql("0A000", "cannot compare rows of zero length"));
                }
                self.rows(operator, left, right)
            }
            (ast::Expr::Row(left), ast::Expr::Scalar(query)) => self.row_and_query(operator, left, query),
            _ => {
                let left = self.expr(left)?;
                let right = self.expr(right)?;
                self.operator(operator, left, right)
            }
        }
    }

    fn rows(&mut self, operator: &str, left: &[ast::Expr], right: &[ast::Expr]) -> Result<Typed> {
        let (sites, sets) = (self.sites, self.top().set_calls);
        let left: Vec<_> = left.iter().map(|field| self.expr(field)).collect::<Result<_>>()?;
        let right: Vec<_> = right.iter().map(|field| self.expr(field)).collect::<Result<_>>()?;
        if self.top().set_calls != sets {
            return Err(Failure::not_modelled("a set-returning function in a comparison of rows"));
        }
        let pairs: Vec<_> = left.into_iter().zip(right).collect();
        match operator {
            "=" | "<>" => {
                let mut compared = Vec::new();
                for (left, right) in pairs {
                    compared.push(self.operator(operator, left, right)?.expr);
                }
                Ok(boolean(if operator == "=" { Expr::And(compared) } else { Expr::Or(compared) }))
            }
            "<" | "<=" | ">" | ">=" => {
                if self.sites != sites {
                    // The fields are duplicated below.
                    return Err(Failure::not_modelled("a comparison of rows with calls that have effects"));
                }
                let strict = &operator[..1];
                let mut pairs = pairs.into_iter().rev();
                let Some((left, right)) = pairs.next() else {
                    return Err(Failure::sql("0A000", "cannot compare rows of zero length"));
                };
                let mut compared = self.operator(operator, left, right)?.expr;
                for (left, right) in pairs {
                    let (left_again, right_again) = (self.copied(&left)?, self.copied(&right)?);
                    let before = self.operator(strict, left_again, right_again)?.expr;
                    let equal = self.operator("=", left, right)?.expr;
                    compared = Expr::Or(vec![before, Expr::And(vec![equal, compared])]);
                }
                Ok(boolean(compared))
            }
            _ => Err(Failure::not_modelled(format!("the operator {operator} between rows"))),
        }
    }

    /// `(a, b) = (SELECT x, y …)`, compared column by column.
    fn row_and_query(&mut self, operator: &str, left: &[ast::Expr], query: &ast::With) -> Result<Typed> {
        if !matches!(operator, "=" | "<>") {
            return Err(Failure::not_modelled(format!(
                "the operator {operator} between a row and a subquery"
            )));
        }
        let left: Vec<_> = left.iter().map(|field| self.expr(field)).collect::<Result<_>>()?;
        let query = Rc::new(self.nested(query)?);
        super::subquery::as_wide(left.len(), query.columns.len())?;
        let mut compared = Vec::new();
        for (index, field) in left.into_iter().enumerate() {
            let expr = Expr::Sub { kind: SubKind::ScalarColumn(index), query: Rc::clone(&query) };
            let value = Typed { expr, ty: query.columns[index].ty.clone() };
            compared.push(self.operator(operator, field, value)?.expr);
        }
        Ok(boolean(if operator == "=" { Expr::And(compared) } else { Expr::Or(compared) }))
    }

    pub(super) fn is_distinct(&mut self, left: &ast::Expr, right: &ast::Expr, not: bool) -> Result<Typed> {
        if let (ast::Expr::Row(left), ast::Expr::Row(right)) = (left, right) {
            same_length(left.len(), right.len())?;
            let same =
                left.iter().zip(right).map(|(left, right)| Ok(self.is_distinct(left, right, true)?.expr));
            return Ok(negated(Expr::And(same.collect::<Result<_>>()?), !not));
        }
        let left = self.expr(left)?;
        let right = self.expr(right)?;
        let chosen = function::operator("=", Some(&left.ty), &right.ty)?;
        let [to_left, to_right] = chosen.args.as_slice() else {
            return Err(Failure::not_modelled("IS DISTINCT FROM of these types"));
        };
        let same =
            Expr::Same(Box::new(self.argument(left, to_left)?), Box::new(self.argument(right, to_right)?));
        Ok(negated(same, !not))
    }

    /// BETWEEN, bound as two comparisons with the operand duplicated, as in the server.
    pub(super) fn between(
        &mut self,
        operand: &ast::Expr,
        low: &ast::Expr,
        high: &ast::Expr,
        not: bool,
    ) -> Result<Typed> {
        let (above, below) = if not { ("<", ">") } else { (">=", "<=") };
        let mut compared = Vec::new();
        for (operator, bound) in [(above, low), (below, high)] {
            let typed = self.binary(operator, operand, bound)?;
            compared.push(self.demanded(typed, &Type::Bool, if not { "OR" } else { "AND" })?);
        }
        Ok(boolean(if not { Expr::Or(compared) } else { Expr::And(compared) }))
    }
}
