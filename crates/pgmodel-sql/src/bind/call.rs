//! Function calls other than aggregates: plain functions, session functions, and special syntax that looks like a
//! function. A DISTINCT or FILTER that does not apply is an error, never dropped.

use crate::ast;
use crate::error::{Failure, Result};
use crate::function::{self, CastContext};
use crate::parse::relation_name;
use crate::plan::{Expr, System};
use crate::value::{Type, Value};

use super::aggregate::is_aggregate;
use super::coerce::bare;
use super::sets::demand_none;
use super::{Binder, Typed, naming};

impl Binder<'_> {
    /// Binds a call; any other expression is a mistake of the caller and is refused.
    pub(super) fn call(&mut self, expr: &ast::Expr) -> Result<Typed> {
        let ast::Expr::Call { name, args, star, distinct, order, filter } = expr else {
            return Err(Failure::not_modelled("a call of something that is no function"));
        };
        if is_aggregate(name) {
            return self.aggregate(name, args, *star, *distinct, order, filter.as_deref());
        }
        let wrong = |what: &str| {
            let message = format!("{what} specified, but {name} is not an aggregate function");
            Err(Failure::sql("42809", message))
        };
        if *star {
            function::function(name, &[])?;
            let message = format!("{name}(*) specified, but {name} is not an aggregate function");
            return Err(Failure::sql("42809", message));
        }
        if *distinct {
            return wrong("DISTINCT");
        }
        if !order.is_empty() {
            return wrong("ORDER BY");
        }
        if filter.is_some() {
            return wrong("FILTER");
        }
        if name == "nullif" {
            return self.nullif(args);
        }
        let sets = self.top().set_calls;
        let args: Vec<_> = args.iter().map(|arg| self.expr(arg)).collect::<Result<_>>()?;
        match name.as_str() {
            name if function::is_set(name) => self.set_value(name, args),
            "coalesce" => {
                demand_none(sets, self.top().set_calls, "COALESCE")?;
                let (args, ty) = self.unified(args, "COALESCE")?;
                Ok(Typed { expr: Expr::Coalesce(args), ty })
            }
            "greatest" | "least" => {
                let greatest = name == "greatest";
                let (args, ty) = self.unified(args, if greatest { "GREATEST" } else { "LEAST" })?;
                Ok(Typed { expr: Expr::Extreme { greatest, args }, ty })
            }
            _ => self.function(name, args),
        }
    }

    fn nullif(&mut self, args: &[ast::Expr]) -> Result<Typed> {
        let [left, right] = args else {
            return Err(Failure::sql("42601", "syntax error at or near \")\""));
        };
        let sites = self.sites;
        let left = self.expr(left)?;
        if self.sites != sites {
            return Err(Failure::not_modelled("NULLIF of a value that depends on the session or the clock"));
        }
        let right = self.expr(right)?;
        let chosen = function::operator("=", Some(&left.ty), &right.ty)?;
        let [to_left, to_right] = chosen.args.as_slice() else {
            return Err(Failure::not_modelled("NULLIF of these types"));
        };
        let value = self.argument(left, to_left)?;
        let args = vec![self.copied(&value)?, self.argument(right, to_right)?];
        let equal = Expr::Apply { apply: chosen.apply, strict: chosen.strict, args };
        let arms = vec![(equal, Expr::Const(Value::Null))];
        // The result has the type that the comparison uses.
        Ok(Typed { expr: Expr::Case { arms, otherwise: Box::new(value) }, ty: to_left.clone() })
    }

    /// 42P01 if a text that names a relation, such as the argument of `nextval`, names none: the server looks it up
    /// during analysis.
    fn demand_relation(&self, text: &str) -> Result<()> {
        let name = relation_name(text)?;
        if self.names.has_relation(&name) {
            return Ok(());
        }
        Err(Failure::sql("42P01", format!("relation \"{name}\" does not exist")))
    }

    fn function(&mut self, name: &str, args: Vec<Typed>) -> Result<Typed> {
        let routines = self.names.routines(name);
        if !routines.is_empty() {
            return self.routine(name, &routines, args);
        }
        let types: Vec<_> = args.iter().map(|arg| arg.ty.clone()).collect();
        if args.is_empty() && matches!(name, "current_date" | "localtimestamp") {
            let now = self.function("now", args)?;
            let ty = if name == "current_date" { Type::Date } else { Type::Timestamp };
            return Ok(Typed { expr: self.coerce(now, &ty, CastContext::Explicit)?, ty });
        }
        if let Some((call, to, result)) = function::system(name, args.len()) {
            let mut cast = Vec::new();
            for (arg, to) in args.into_iter().zip(&to) {
                let unfit =
                    arg.ty != Type::Unknown && function::cast(&arg.ty, to, CastContext::Implicit).is_err();
                if unfit && bare(&arg.ty) != *to {
                    return naming::no_function(name, &types);
                }
                cast.push(self.implicit(arg, to)?);
            }
            self.mutable = true;
            if let (
                System::NextVal | System::CurrVal | System::SetVal,
                Some(Expr::Const(Value::Text(text))),
            ) = (call, cast.first())
            {
                self.demand_relation(text)?;
            }
            let site = self.site();
            return Ok(Typed { expr: Expr::System { call, args: cast, site }, ty: result });
        }
        let chosen = function::function(name, &types)?;
        self.mutable |= !chosen.immutable;
        if chosen.args.len() != args.len() {
            return Err(Failure::not_modelled(naming::signature(name, &types)));
        }
        let args = args
            .into_iter()
            .zip(&chosen.args)
            .map(|(arg, to)| self.argument(arg, to))
            .collect::<Result<_>>()?;
        Ok(Typed {
            expr: Expr::Apply { apply: chosen.apply, strict: chosen.strict, args },
            ty: chosen.result,
        })
    }
}
