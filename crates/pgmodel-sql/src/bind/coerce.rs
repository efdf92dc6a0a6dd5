//! Implicit casts, and the types that a context gives to literals and parameters. A value always has the declared type
//! of the place where it is used.

use crate::ast;
use crate::catalog::Column;
use crate::error::{Failure, Result};
use crate::function::{self, Cast, CastContext};
use crate::plan::{Core, Expr, Query};
use crate::value::{Type, Value};

use std::rc::Rc;

use super::sets::has_set;
use super::{Binder, Parameter, Typed, walk};

/// A type without length or precision.
pub(super) fn bare(ty: &Type) -> Type {
    ty.base()
}

/// The same failure, but a missing cast (42846) becomes 42804 with that message.
pub(super) fn reworded(failure: Failure, message: String) -> Failure {
    match failure {
        Failure::Sql(error) if error.code == "42846" => Failure::sql("42804", message),
        other => other,
    }
}

/// The common type of some expressions. A length or precision stays only if all of them have it: a literal beside a
/// `varchar(10)` may be longer than that.
pub(super) fn common(types: &[Type], context: &str) -> Result<Type> {
    let common = match function::unify(types, context)? {
        Type::Unknown => Type::Text,
        common => common,
    };
    Ok(if types.iter().all(|ty| *ty == common) { common } else { bare(&common) })
}

/// Wraps an expression in a cast.
fn applied(expr: Expr, cast: Option<Cast>) -> Result<Expr> {
    Ok(match cast {
        None => expr,
        Some(Cast::Plain(apply)) => Expr::Apply { apply, strict: true, args: vec![expr] },
        Some(Cast::Modified(apply, extra)) => {
            Expr::Apply { apply, strict: true, args: vec![expr, Expr::Const(Value::Int(extra))] }
        }
        Some(Cast::Elements(inner)) => {
            let (apply, extra) = match *inner {
                Cast::Plain(apply) => (apply, None),
                Cast::Modified(apply, extra) => (apply, Some(extra)),
                Cast::Elements(_) => return Err(Failure::not_modelled("an array of arrays")),
            };
            Expr::Elements { apply, extra, array: Box::new(expr) }
        }
    })
}

/// Applies a cast to a literal at once: the server reads literals during parse analysis.
fn read(text: Value, cast: Option<Cast>) -> Result<Expr> {
    let read = match cast {
        None => text,
        Some(Cast::Plain(apply)) => apply(&[text])?,
        Some(Cast::Modified(apply, extra)) => apply(&[text, Value::Int(extra)])?,
        Some(Cast::Elements(_)) => return Err(Failure::not_modelled("a literal cast element by element")),
    };
    Ok(Expr::Const(read))
}

impl Binder<'_> {
    /// Casts to a type; the type modifier, a length or precision, is a second cast, as in the server.
    pub(super) fn coerce(&mut self, typed: Typed, to: &Type, context: CastContext) -> Result<Expr> {
        if typed.ty == *to {
            return Ok(typed.expr);
        }
        let base = bare(to);
        let expr = match (&typed.ty, typed.expr) {
            (Type::Unknown, Expr::Const(Value::Null)) => return Ok(Expr::Const(Value::Null)),
            (Type::Unknown, Expr::Const(text)) => {
                read(text, function::cast(&Type::Unknown, &base, context)?)?
            }
            (Type::Unknown, Expr::Param(number)) => {
                self.decide(number, &base)?;
                Expr::Param(number)
            }
            (from, expr) => {
                self.mutable |= !function::is_immutable_cast(from, &base);
                applied(expr, function::cast(from, &base, context)?)?
            }
        };
        if *to == base { Ok(expr) } else { applied(expr, function::cast(&base, to, context)?) }
    }

    /// An implicit cast.
    pub(super) fn implicit(&mut self, typed: Typed, to: &Type) -> Result<Expr> {
        self.coerce(typed, to, CastContext::Implicit)
    }

    /// A cast to the argument type of a chosen operator or function. Since it has been chosen, every cast is allowed:
    /// text `||` takes any type.
    pub(super) fn argument(&mut self, typed: Typed, to: &Type) -> Result<Expr> {
        self.coerce(typed, to, CastContext::Explicit)
    }

    /// Types a still untyped literal or parameter as text.
    pub(super) fn known(&mut self, typed: Typed) -> Result<Typed> {
        if typed.ty != Type::Unknown {
            return Ok(typed);
        }
        Ok(Typed { expr: self.implicit(typed, &Type::Text)?, ty: Type::Text })
    }

    /// Binds a use of a parameter.
    pub(super) fn param(&mut self, number: u32) -> Result<Typed> {
        if let Some(variables) = self.variables {
            return self.argument_of_body(variables, number);
        }
        let missing = || Failure::sql("42P02", format!("there is no parameter ${number}"));
        let index =
            usize::try_from(number).ok().and_then(|number| number.checked_sub(1)).ok_or_else(missing)?;
        // The protocol counts parameters in 16 bits.
        let params = self.params.as_mut().filter(|_| index < 65_535).ok_or_else(missing)?;
        if params.len() <= index {
            params.resize(index + 1, Parameter { ty: Type::Unknown, pending: 0 });
        }
        let param = &mut params[index];
        if param.ty == Type::Unknown {
            param.pending += 1;
        }
        Ok(Typed { expr: Expr::Param(index), ty: param.ty.clone() })
    }

    /// Types a use of a parameter that was seen while its type was unknown.
    fn decide(&mut self, index: usize, ty: &Type) -> Result<()> {
        let Some(param) = self.params.as_mut().and_then(|params| params.get_mut(index)) else {
            return Err(Failure::sql("42P02", format!("there is no parameter ${}", index + 1)));
        };
        if param.ty == Type::Unknown {
            param.ty = ty.clone();
        } else if param.ty != *ty {
            let message = format!("inconsistent types deduced for parameter ${}", index + 1);
            let detail = format!("{} versus {}", param.ty.name(), ty.name());
            return Err(Failure::detailed("42P08", message, detail));
        }
        param.pending = param.pending.saturating_sub(1);
        Ok(())
    }

    /// A condition; `what` is the clause or operator that requires it.
    pub(super) fn condition(&mut self, expr: &ast::Expr, what: &str) -> Result<Expr> {
        let typed = self.expr(expr)?;
        self.demanded(typed, &Type::Bool, what)
    }

    /// An assignment cast to the type that `what` requires.
    pub(super) fn demanded(&mut self, typed: Typed, to: &Type, what: &str) -> Result<Expr> {
        let message = format!("argument of {what} must be type {}, not type {}", to.name(), typed.ty.name());
        let expr =
            self.coerce(typed, to, CastContext::Assignment).map_err(|failure| reworded(failure, message))?;
        if self.top().set_calls > 0 && has_set(&expr) {
            return Err(Failure::sql("42804", format!("argument of {what} must not return a set")));
        }
        Ok(expr)
    }

    /// An assignment cast to the type of the column that stores the value.
    pub(super) fn assign(&mut self, typed: Typed, column: &Column) -> Result<Expr> {
        let message = format!(
            "column \"{}\" is of type {} but expression is of type {}",
            column.name,
            column.ty.name(),
            typed.ty.name()
        );
        self.coerce(typed, &column.ty, CastContext::Assignment).map_err(|failure| reworded(failure, message))
    }

    /// Casts some expressions to their common type.
    pub(super) fn unified(&mut self, typed: Vec<Typed>, context: &str) -> Result<(Vec<Expr>, Type)> {
        let types: Vec<_> = typed.iter().map(|typed| typed.ty.clone()).collect();
        let common = common(&types, context)?;
        let cast = typed.into_iter().map(|typed| self.implicit(typed, &common)).collect::<Result<_>>()?;
        Ok((cast, common))
    }

    /// Casts a column of a query's result, inside the query. Implicit casts preserve distinctness and order, so the
    /// query's DISTINCT, set operations and ORDER BY are not affected.
    pub(super) fn coerce_output(&mut self, query: &mut Query, column: usize, to: &Type) -> Result<()> {
        let Some(output) = query.columns.get_mut(column) else { return Ok(()) };
        let from = std::mem::replace(&mut output.ty, to.clone());
        if from == *to {
            return Ok(());
        }
        let mut cast = |exprs: &mut Vec<Expr>| -> Result<()> {
            let Some(expr) = exprs.get_mut(column) else { return Ok(()) };
            let old = std::mem::replace(expr, Expr::Const(Value::Null));
            *expr = self.implicit(Typed { expr: old, ty: from.clone() }, to)?;
            Ok(())
        };
        match &mut query.core {
            Core::Select(select) => cast(&mut select.output),
            Core::Values(rows) => rows.iter_mut().try_for_each(cast),
            Core::Insert(insert) => cast(&mut insert.returning),
            Core::Update(update) => cast(&mut update.returning),
            Core::Delete(delete) => cast(&mut delete.returning),
            Core::Set { left, right, .. } => {
                for side in [left, right] {
                    let side = Rc::get_mut(side)
                        .ok_or_else(|| Failure::not_modelled("a set operation that is shared"))?;
                    self.coerce_output(side, column, to)?;
                }
                Ok(())
            }
        }
    }

    /// A copy of a column's default for one use; its calls get new numbers.
    pub(super) fn default(&mut self, column: &Column) -> Expr {
        let Some(default) = &column.default else { return Expr::Const(Value::Null) };
        let mut default = default.clone();
        self.renumber(&mut default);
        default
    }

    fn renumber(&mut self, expr: &mut Expr) {
        if let Expr::System { site, .. } | Expr::Routine { site, .. } = expr {
            *site = self.site();
        }
        // The visitor cannot fail.
        let _ = walk::children(expr, &mut |child| {
            self.renumber(child);
            Ok(())
        });
    }
}
