//! Expressions: literals, operators, conditions, CASE, casts. A literal or parameter whose type the server leaves to
//! the context stays untyped.

use std::rc::Rc;

use crate::ast;
use crate::error::{Failure, Result};
use crate::function::{self, CastContext};
use crate::plan::{Comparison, Expr};
use crate::value::{Type, Value};

use super::coerce::bare;
use super::sets::demand_none;
use super::{Binder, Typed};

/// A boolean expression.
pub(super) fn boolean(expr: Expr) -> Typed {
    Typed { expr, ty: Type::Bool }
}

/// The negation if `negated`, else the expression.
pub(super) fn negated(expr: Expr, negated: bool) -> Typed {
    boolean(if negated { Expr::Not(Box::new(expr)) } else { expr })
}

fn text(content: &str) -> Typed {
    Typed { expr: Expr::Const(Value::Text(Rc::from(content))), ty: Type::Unknown }
}

impl Binder<'_> {
    /// Binds an expression; its type is unknown if it is only a literal or parameter.
    pub(super) fn expr(&mut self, expr: &ast::Expr) -> Result<Typed> {
        self.count(1)?;
        match expr {
            ast::Expr::Null => Ok(Typed { expr: Expr::Const(Value::Null), ty: Type::Unknown }),
            ast::Expr::Bool(value) => Ok(boolean(Expr::Const(Value::Bool(*value)))),
            ast::Expr::Integer(digits) | ast::Expr::Decimal(digits) => self.number(digits),
            ast::Expr::String(content) => Ok(text(content)),
            ast::Expr::Param(number) => self.param(*number),
            ast::Expr::Column { table, name } => self.column(table.as_deref(), name),
            ast::Expr::Default => Err(Failure::sql("42601", "DEFAULT is not allowed in this context")),
            ast::Expr::Unary { operator, operand } => self.prefix(operator, operand),
            ast::Expr::Binary { operator, left, right } => self.binary(operator, left, right),
            ast::Expr::And(operands) => Ok(boolean(Expr::And(self.conditions(operands, "AND")?))),
            ast::Expr::Or(operands) => Ok(boolean(Expr::Or(self.conditions(operands, "OR")?))),
            ast::Expr::Not(operand) => {
                let operand = self.condition(operand, "NOT")?;
                Ok(negated(operand, true))
            }
            ast::Expr::IsNull { operand, negated } => self.is_null(operand, *negated),
            ast::Expr::IsBool { operand, value, negated: not } => {
                let value_name = match value {
                    Some(true) => "TRUE",
                    Some(false) => "FALSE",
                    None => "UNKNOWN",
                };
                let what = format!("IS {}{value_name}", if *not { "NOT " } else { "" });
                let operand = self.condition(operand, &what)?;
                Ok(negated(Expr::IsBool(Box::new(operand), *value), *not))
            }
            ast::Expr::IsDistinct { left, right, negated } => self.is_distinct(left, right, *negated),
            ast::Expr::Between { operand, low, high, negated } => self.between(operand, low, high, *negated),
            ast::Expr::InList { operand, list, negated } => self.in_list(operand, list, *negated),
            ast::Expr::InQuery { operand, query, negated: not } => {
                let found = self.any_query(operand, "=", query, false)?;
                Ok(negated(found, *not))
            }
            ast::Expr::AnyArray { operand, operator, array, all } => {
                self.any_array(operand, operator, array, *all)
            }
            ast::Expr::AnyQuery { operand, operator, query, all } => {
                Ok(boolean(self.any_query(operand, operator, query, *all)?))
            }
            ast::Expr::Exists(query) => self.exists(query),
            ast::Expr::Scalar(query) => self.scalar(query),
            ast::Expr::Case { operand, arms, otherwise } => {
                self.case(operand.as_deref(), arms, otherwise.as_deref())
            }
            ast::Expr::Cast { operand, to } => self.cast(operand, to),
            ast::Expr::Call { .. } => self.call(expr),
            ast::Expr::Subscript { array, index } => self.subscript(array, index),
            ast::Expr::Slice { array, lower, upper } => self.slice(array, lower.as_deref(), upper.as_deref()),
            ast::Expr::ArrayQuery(query) => self.array_query(query),
            ast::Expr::Array(elements) => self.array(elements),
            ast::Expr::Row(_) => Err(Failure::not_modelled("a row value")),
        }
    }

    /// A number literal, typed as the smallest of integer, bigint and numeric that can represent it.
    fn number(&mut self, digits: &str) -> Result<Typed> {
        if let Ok(value) = digits.parse::<i64>() {
            let ty = if i32::try_from(value).is_ok() { Type::Int4 } else { Type::Int8 };
            return Ok(Typed { expr: Expr::Const(Value::Int(value)), ty });
        }
        let ty = Type::Numeric(None);
        Ok(Typed { expr: self.implicit(text(digits), &ty)?, ty })
    }

    fn prefix(&mut self, operator: &str, operand: &ast::Expr) -> Result<Typed> {
        // The grammar treats a minus before a number as its sign, so -2147483648 is an integer.
        if let ("-", ast::Expr::Integer(digits) | ast::Expr::Decimal(digits)) = (operator, operand) {
            return self.number(&format!("-{digits}"));
        }
        let operand = self.expr(operand)?;
        let chosen = function::operator(operator, None, &operand.ty)?;
        let Some(to) = chosen.args.last() else {
            return Err(Failure::not_modelled(format!("the prefix operator {operator}")));
        };
        let args = vec![self.argument(operand, to)?];
        Ok(Typed {
            expr: Expr::Apply { apply: chosen.apply, strict: chosen.strict, args },
            ty: chosen.result,
        })
    }

    /// A binary operator over bound operands.
    pub(super) fn operator(&mut self, symbol: &str, left: Typed, right: Typed) -> Result<Typed> {
        let chosen = function::operator(symbol, Some(&left.ty), &right.ty)?;
        self.mutable |= !chosen.immutable;
        let [to_left, to_right] = chosen.args.as_slice() else {
            return Err(Failure::not_modelled(format!("the operator {symbol}")));
        };
        let (left, right) = (self.argument(left, to_left)?, self.argument(right, to_right)?);
        let expr = match comparison(symbol).filter(|_| is_comparable(to_left, to_right) && chosen.strict) {
            Some(comparison) => {
                let (left, right) = (Box::new(left), Box::new(right));
                Expr::Compare { comparison, apply: chosen.apply, left, right }
            }
            None => Expr::Apply { apply: chosen.apply, strict: chosen.strict, args: vec![left, right] },
        };
        Ok(Typed { expr, ty: chosen.result })
    }

    fn conditions(&mut self, operands: &[ast::Expr], what: &str) -> Result<Vec<Expr>> {
        operands.iter().map(|operand| self.condition(operand, what)).collect()
    }

    fn is_null(&mut self, operand: &ast::Expr, not: bool) -> Result<Typed> {
        if let ast::Expr::Row(fields) = operand {
            // Each field is tested, also with NOT: a row with only some NULLs is neither NULL nor NOT NULL.
            let fields = fields.iter().map(|field| Ok(self.is_null(field, not)?.expr));
            return Ok(boolean(Expr::And(fields.collect::<Result<_>>()?)));
        }
        let operand = self.expr(operand)?;
        Ok(negated(Expr::IsNull(Box::new(operand.expr)), not))
    }

    fn case(
        &mut self,
        operand: Option<&ast::Expr>,
        arms: &[(ast::Expr, ast::Expr)],
        otherwise: Option<&ast::Expr>,
    ) -> Result<Typed> {
        let (sites, sets) = (self.sites, self.top().set_calls);
        let operand = match operand {
            Some(operand) => {
                let operand = self.expr(operand)?;
                Some(self.known(operand)?)
            }
            None => None,
        };
        if operand.is_some() && self.sites != sites && arms.len() > 1 {
            // Each arm would call it again.
            return Err(Failure::not_modelled(
                "CASE with an operand that depends on the session or the clock",
            ));
        }
        let mut conditions = Vec::new();
        let mut results = Vec::new();
        for (condition, result) in arms {
            conditions.push(match &operand {
                Some(operand) => {
                    let condition = self.expr(condition)?;
                    let operand = self.copied(operand)?;
                    // The server compares the operand's value; it does not evaluate the expression again.
                    self.operator("=", operand, condition)?.expr
                }
                None => self.condition(condition, "CASE/WHEN")?,
            });
            results.push(self.expr(result)?);
        }
        let otherwise = self.expr(otherwise.unwrap_or(&ast::Expr::Null))?;
        // The server considers ELSE first when it determines the common type.
        results.insert(0, otherwise);
        demand_none(sets, self.top().set_calls, "CASE")?;
        let (mut results, ty) = self.unified(results, "CASE")?;
        let otherwise = Box::new(results.remove(0));
        Ok(Typed { expr: Expr::Case { arms: conditions.into_iter().zip(results).collect(), otherwise }, ty })
    }

    fn cast(&mut self, operand: &ast::Expr, to: &Type) -> Result<Typed> {
        if let (ast::Expr::Array(elements), Type::Array(element)) = (operand, to) {
            // The target type applies to each element, so an empty ARRAY[] has a type.
            let mut cast = Vec::new();
            for item in elements {
                if matches!(item, ast::Expr::Array(_)) {
                    return Err(Failure::not_modelled("an array of more than one dimension"));
                }
                cast.push(self.cast(item, element)?.expr);
            }
            return Ok(Typed { expr: Expr::Array(cast), ty: to.clone() });
        }
        let operand = self.expr(operand)?;
        let expr = self.coerce(operand, to, CastContext::Explicit)?;
        Ok(Typed { expr, ty: to.clone() })
    }

    fn array(&mut self, elements: &[ast::Expr]) -> Result<Typed> {
        if elements.is_empty() {
            return Err(Failure::sql("42P18", "cannot determine type of empty array"));
        }
        let elements: Vec<_> = elements.iter().map(|element| self.expr(element)).collect::<Result<_>>()?;
        let (elements, ty) = self.unified(elements, "ARRAY")?;
        if matches!(ty, Type::Array(_)) {
            return Err(Failure::not_modelled("an array of more than one dimension"));
        }
        if ty == Type::Void {
            let message = format!("could not find array type for data type {}", ty.name());
            return Err(Failure::sql("42704", message));
        }
        Ok(Typed { expr: Expr::Array(elements), ty: Type::Array(Box::new(bare(&ty))) })
    }
}

/// The btree comparison that an operator stands for.
fn comparison(symbol: &str) -> Option<Comparison> {
    match symbol {
        "=" => Some(Comparison::Equal),
        "<" => Some(Comparison::Less),
        "<=" => Some(Comparison::LessOrEqual),
        ">" => Some(Comparison::Greater),
        ">=" => Some(Comparison::GreaterOrEqual),
        _ => None,
    }
}

/// Whether values of the two types are compared as an index compares them.
fn is_comparable(left: &Type, right: &Type) -> bool {
    let integer = |ty: &Type| matches!(ty, Type::Int2 | Type::Int4 | Type::Int8);
    left == right || (integer(left) && integer(right))
}
