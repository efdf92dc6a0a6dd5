//! IN lists, and ANY and ALL of arrays, compared with the operator that the server chooses for the types.

use crate::ast;
use crate::error::{Failure, Result};
use crate::function;
use crate::plan::Expr;
use crate::value::Type;

use super::coerce::common;
use super::expression::{boolean, negated};
use super::{Binder, Typed};

impl Binder<'_> {
    pub(super) fn in_list(&mut self, operand: &ast::Expr, list: &[ast::Expr], not: bool) -> Result<Typed> {
        if matches!(operand, ast::Expr::Row(_)) {
            let equal = list.iter().map(|item| Ok(self.binary("=", operand, item)?.expr));
            return Ok(negated(Expr::Or(equal.collect::<Result<_>>()?), not));
        }
        let (sites, sets) = (self.sites, self.top().set_calls);
        let operand = self.expr(operand)?;
        let effects = self.sites != sites;
        let (sites, touched) = (self.sites, self.touched.len());
        let list: Vec<_> = list.iter().map(|item| self.expr(item)).collect::<Result<_>>()?;
        if self.top().set_calls != sets {
            return Err(Failure::not_modelled("a set-returning function in IN"));
        }
        // To the server, items without columns are an array: it evaluates all of them before any comparison.
        let eager = self.sites != sites && list.len() > 1;
        if eager && self.touched.len() != touched {
            let what = "IN with columns and with what depends on the session or the clock";
            return Err(Failure::not_modelled(what));
        }
        let types: Vec<_> = std::iter::once(&operand).chain(&list).map(|typed| typed.ty.clone()).collect();
        if let Ok(common) = common(&types, "IN") {
            let chosen = function::operator("=", Some(&common), &common)?;
            if let [left, right] = chosen.args.as_slice()
                && left == right
            {
                let operand = Box::new(self.argument(operand, left)?);
                let list = list.into_iter().map(|item| self.argument(item, left)).collect::<Result<_>>()?;
                if eager {
                    let (apply, array) = (chosen.apply, Box::new(Expr::Array(list)));
                    let any = Expr::AnyArray { apply, equal: true, operand, array, all: false };
                    return Ok(negated(any, not));
                }
                return Ok(negated(Expr::InList { operand, list }, not));
            }
        }
        if (effects || eager) && list.len() > 1 {
            return Err(Failure::not_modelled("IN with an operand that depends on the session or the clock"));
        }
        let mut equal = Vec::new();
        for item in list {
            let operand = self.copied(&operand)?;
            equal.push(self.operator("=", operand, item)?.expr);
        }
        Ok(negated(Expr::Or(equal), not))
    }

    pub(super) fn any_array(
        &mut self,
        operand: &ast::Expr,
        operator: &str,
        array: &ast::Expr,
        all: bool,
    ) -> Result<Typed> {
        let operand = self.expr(operand)?;
        let array = self.expr(array)?;
        let element = match &array.ty {
            Type::Array(element) => element.as_ref().clone(),
            Type::Unknown => Type::Unknown,
            _ => {
                return Err(Failure::sql("42809", "op ANY/ALL (array) requires array on right side"));
            }
        };
        let chosen = function::operator(operator, Some(&operand.ty), &element)?;
        if chosen.result != Type::Bool {
            return Err(Failure::sql("42809", "op ANY/ALL (array) requires operator to yield boolean"));
        }
        let ([left, right], true) = (chosen.args.as_slice(), chosen.strict) else {
            return Err(Failure::not_modelled(format!("{operator} with ANY or ALL of an array")));
        };
        let operand = Box::new(self.argument(operand, left)?);
        let array = Box::new(self.argument(array, &Type::Array(Box::new(right.clone())))?);
        Ok(boolean(Expr::AnyArray { apply: chosen.apply, equal: operator == "=", operand, array, all }))
    }
}
