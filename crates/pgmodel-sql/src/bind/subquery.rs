//! Subqueries in expressions: scalar ones, EXISTS, IN and ANY. A subquery with the wrong number of columns is an error.

use std::rc::Rc;

use crate::ast;
use crate::error::{Failure, Result};
use crate::function;
use crate::plan::{Expr, Query, SubKind};
use crate::value::Type;

use super::expression::boolean;
use super::{Binder, Typed};

/// 42601 if a subquery and its left operand have different numbers of columns.
pub(super) fn as_wide(operands: usize, columns: usize) -> Result<()> {
    match columns.cmp(&operands) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(Failure::sql("42601", "subquery has too many columns")),
        std::cmp::Ordering::Less => Err(Failure::sql("42601", "subquery has too few columns")),
    }
}

impl Binder<'_> {
    /// Binds the query of an expression subquery.
    pub(super) fn nested(&mut self, with: &ast::With) -> Result<Query> {
        self.demand_subqueries()?;
        if !matches!(with.body, ast::Body::Select(_)) {
            return Err(Failure::not_modelled("a data-modifying statement in an expression"));
        }
        self.subqueries += 1;
        let query = self.query(with, true)?;
        self.subqueries -= 1;
        Ok(query)
    }

    pub(super) fn exists(&mut self, with: &ast::With) -> Result<Typed> {
        let query = Rc::new(self.nested(with)?);
        Ok(boolean(Expr::Sub { kind: SubKind::Exists, query }))
    }

    pub(super) fn scalar(&mut self, with: &ast::With) -> Result<Typed> {
        let query = Rc::new(self.nested(with)?);
        let [column] = query.columns.as_slice() else {
            return Err(Failure::sql("42601", "subquery must return only one column"));
        };
        let ty = column.ty.clone();
        Ok(Typed { expr: Expr::Sub { kind: SubKind::Scalar, query }, ty })
    }

    /// `operand operator ANY (…)` or ALL. Several columns are supported for equality only.
    pub(super) fn any_query(
        &mut self,
        operand: &ast::Expr,
        operator: &str,
        with: &ast::With,
        all: bool,
    ) -> Result<Expr> {
        let fields = match operand {
            ast::Expr::Row(fields) => fields.as_slice(),
            single => std::slice::from_ref(single),
        };
        if fields.len() > 1 && operator == "<>" {
            // Rows are unequal if they are not equal: the executor compares rows by equality.
            return Ok(Expr::Not(Box::new(self.any_query(operand, "=", with, !all)?)));
        }
        if fields.len() > 1 && operator != "=" {
            return Err(Failure::not_modelled(format!("{operator} between rows with ANY or ALL")));
        }
        let sets = self.top().set_calls;
        let operands: Vec<_> = fields.iter().map(|field| self.expr(field)).collect::<Result<_>>()?;
        if self.top().set_calls != sets {
            return Err(Failure::not_modelled("a set-returning function on the left of a subquery"));
        }
        let mut query = self.nested(with)?;
        as_wide(operands.len(), query.columns.len())?;
        let mut apply = Vec::new();
        let mut cast = Vec::new();
        for (index, operand) in operands.into_iter().enumerate() {
            let chosen = function::operator(operator, Some(&operand.ty), &query.columns[index].ty)?;
            if chosen.result != Type::Bool {
                let message = format!("operator {operator} must return type boolean, not type {}", {
                    chosen.result.name()
                });
                return Err(Failure::sql("42804", message));
            }
            let ([left, right], true) = (chosen.args.as_slice(), chosen.strict) else {
                return Err(Failure::not_modelled(format!("{operator} with ANY or ALL of a subquery")));
            };
            cast.push(self.argument(operand, left)?);
            self.coerce_output(&mut query, index, right)?;
            apply.push(chosen.apply);
        }
        let kind = SubKind::Any { apply, equal: operator == "=", operands: cast, all };
        Ok(Expr::Sub { kind, query: Rc::new(query) })
    }
}
