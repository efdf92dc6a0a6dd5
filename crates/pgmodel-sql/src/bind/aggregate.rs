//! Aggregate calls: which exist, where they are allowed and what they return. An aggregate over rows of an outer level
//! is refused.

use crate::ast;
use crate::error::{Failure, Result};
use crate::plan::{Aggregate, AggregateFunction, Expr};
use crate::value::Type;

use super::coerce::bare;
use super::scope::Clause;
use super::{Binder, Typed, naming, walk};

/// Whether the model has an aggregate of that name.
pub(super) fn is_aggregate(name: &str) -> bool {
    matches!(
        name,
        "count"
            | "sum"
            | "avg"
            | "min"
            | "max"
            | "bool_and"
            | "every"
            | "bool_or"
            | "array_agg"
            | "string_agg"
            | "jsonb_agg"
            | "jsonb_object_agg"
    )
}

/// An error if an aggregate is not allowed in the clause.
fn misplaced(clause: Clause) -> Result<()> {
    let place = match clause {
        Clause::Select | Clause::Having | Clause::Order | Clause::DistinctOn => return Ok(()),
        Clause::Aggregate => {
            return Err(Failure::sql("42803", "aggregate function calls cannot be nested"));
        }
        Clause::Row => return Err(Failure::not_modelled("an aggregate in an expression over one row")),
        Clause::Where => "WHERE",
        Clause::Join => "JOIN conditions",
        Clause::From => "functions in FROM",
        Clause::Group => "GROUP BY",
        Clause::Limit => "LIMIT",
        Clause::Offset => "OFFSET",
        Clause::Values => "VALUES",
        Clause::Update | Clause::Conflict => "UPDATE",
        Clause::Returning => "RETURNING",
        Clause::Filter => "FILTER",
    };
    Err(Failure::sql("42803", format!("aggregate functions are not allowed in {place}")))
}

/// The aggregate for an argument type, and its result type.
fn chosen(name: &str, ty: &Type) -> Option<(AggregateFunction, Type)> {
    let numeric = Type::Numeric(None);
    Some(match (name, ty) {
        ("count", _) => (AggregateFunction::Count, Type::Int8),
        ("sum", Type::Int2 | Type::Int4) => (AggregateFunction::SumInt, Type::Int8),
        ("sum", Type::Int8) => (AggregateFunction::SumInt, numeric),
        ("sum", Type::Numeric(_)) => (AggregateFunction::SumNumeric, numeric),
        ("avg", Type::Int2 | Type::Int4 | Type::Int8 | Type::Numeric(_)) => (AggregateFunction::Avg, numeric),
        ("min" | "max", ty) => {
            let function = if name == "min" { AggregateFunction::Min } else { AggregateFunction::Max };
            let result = match ty {
                Type::Varchar(_) => Type::Text,
                Type::Bool | Type::Uuid | Type::Jsonb | Type::Bytea | Type::Void | Type::Unknown => {
                    return None;
                }
                other => bare(other),
            };
            (function, result)
        }
        ("bool_and" | "every", Type::Bool) => (AggregateFunction::BoolAnd, Type::Bool),
        ("bool_or", Type::Bool) => (AggregateFunction::BoolOr, Type::Bool),
        ("jsonb_agg", Type::Void | Type::Unknown) => return None,
        ("jsonb_agg", _) => (AggregateFunction::JsonAgg, Type::Jsonb),
        ("array_agg", Type::Void | Type::Unknown | Type::Array(_)) => return None,
        ("array_agg", ty) => (AggregateFunction::ArrayAgg, Type::Array(Box::new(bare(ty)))),
        _ => return None,
    })
}

/// 42P10 if a DISTINCT aggregate is sorted by an expression that is not one of its arguments. A second argument that is
/// not a constant is refused.
fn demand_sortable(aggregate: &Aggregate, written: &[Expr]) -> Result<()> {
    if !aggregate.distinct {
        return Ok(());
    }
    if aggregate.second.as_ref().is_some_and(|second| !matches!(second, Expr::Const(_))) {
        return Err(Failure::not_modelled("DISTINCT in an aggregate of two arguments"));
    }
    if aggregate.order.iter().all(|key| written.iter().any(|arg| walk::same(arg, &key.expr))) {
        return Ok(());
    }
    let message = "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list";
    Err(Failure::sql("42P10", message))
}

impl Binder<'_> {
    pub(super) fn aggregate(
        &mut self,
        name: &str,
        args: &[ast::Expr],
        star: bool,
        distinct: bool,
        order: &[ast::OrderBy],
        filter: Option<&ast::Expr>,
    ) -> Result<Typed> {
        let clause = self.top().clause;
        let touched = self.touched.len();
        let args: Vec<_> =
            self.within(Clause::Aggregate, |binder| args.iter().map(|arg| binder.expr(arg)).collect())?;
        let order = self.within(Clause::Aggregate, |binder| binder.aggregate_order(order))?;
        let filter = match filter {
            Some(filter) => Some(self.within(Clause::Filter, |binder| binder.condition(filter, "FILTER"))?),
            None => None,
        };
        // An aggregate belongs to the innermost level that its argument references.
        let depth = self.depth();
        let mut around = self.touched[touched..].iter().filter(|(level, _)| *level <= depth).peekable();
        if around.peek().is_some() && around.all(|(level, _)| *level < depth) {
            return Err(Failure::not_modelled(format!("{name} over columns of an outer query")));
        }
        self.demand_aggregates()?;
        misplaced(clause)?;
        let written: Vec<Expr> = args.iter().map(|arg| arg.expr.clone()).collect();
        let mut aggregate = self.aggregate_of(name, args, star, distinct, filter)?;
        aggregate.order = order;
        demand_sortable(&aggregate, &written)?;
        let ty = aggregate.ty.clone();
        let aggregates = &mut self.top().aggregates;
        aggregates.push(aggregate);
        Ok(Typed { expr: Expr::Aggregate { up: 0, index: aggregates.len() - 1 }, ty })
    }

    fn aggregate_of(
        &mut self,
        name: &str,
        args: Vec<Typed>,
        star: bool,
        distinct: bool,
        filter: Option<Expr>,
    ) -> Result<Aggregate> {
        let types: Vec<_> = args.iter().map(|arg| arg.ty.clone()).collect();
        if star {
            if name != "count" {
                return naming::no_function(name, &[]);
            }
            let function = AggregateFunction::Count;
            return Ok(Aggregate {
                function,
                argument: None,
                second: None,
                order: Vec::new(),
                distinct,
                filter,
                ty: Type::Int8,
            });
        }
        if name == "jsonb_object_agg" {
            return self.json_object_agg(args, &types, distinct, filter);
        }
        if name == "string_agg" {
            return self.string_agg(args, &types, distinct, filter);
        }
        let mut args = args.into_iter();
        let (Some(mut argument), None) = (args.next(), args.next()) else {
            if name == "count" && types.is_empty() {
                let message = "count(*) must be used to call a parameterless aggregate function";
                return Err(Failure::sql("42809", message));
            }
            return naming::no_function(name, &types);
        };
        if argument.ty == Type::Unknown {
            argument = self.untyped(name, argument)?;
        }
        if argument.ty == Type::Interval && matches!(name, "sum" | "avg") {
            return Err(Failure::not_modelled(format!("{name}(interval)")));
        }
        if matches!(argument.ty, Type::Array(_)) && name == "array_agg" {
            return Err(Failure::not_modelled("an array of more than one dimension"));
        }
        let Some((function, ty)) = chosen(name, &argument.ty) else {
            return naming::no_function(name, &types);
        };
        let argument = match (&argument.ty, name) {
            (Type::Varchar(_), "min" | "max") => self.implicit(argument, &Type::Text)?,
            _ => argument.expr,
        };
        let order = Vec::new();
        Ok(Aggregate { function, argument: Some(argument), second: None, order, distinct, filter, ty })
    }

    /// An argument that is an untyped literal or parameter.
    fn untyped(&mut self, name: &str, argument: Typed) -> Result<Typed> {
        match name {
            // Any type will do, so the argument stays unchanged.
            "count" => Ok(argument),
            "bool_and" | "every" | "bool_or" => {
                Ok(Typed { expr: self.implicit(argument, &Type::Bool)?, ty: Type::Bool })
            }
            "min" | "max" => self.known(argument),
            "array_agg" | "jsonb_agg" => Err(Failure::sql(
                "42804",
                "could not determine polymorphic type because input has type unknown",
            )),
            _ => Err(Failure::sql("42725", format!("function {name}(unknown) is not unique"))),
        }
    }

    fn string_agg(
        &mut self,
        args: Vec<Typed>,
        types: &[Type],
        distinct: bool,
        filter: Option<Expr>,
    ) -> Result<Aggregate> {
        let ty = match types {
            [left, right] if [left, right].contains(&&Type::Bytea) => Type::Bytea,
            [_, _] => Type::Text,
            _ => return naming::no_function("string_agg", types),
        };
        let fits = |arg: &Type| {
            *arg == Type::Unknown || bare(arg) == ty || {
                ty == Type::Text && matches!(arg, Type::Varchar(_) | Type::Char(_))
            }
        };
        if !types.iter().all(fits) {
            return naming::no_function("string_agg", types);
        }
        let mut cast = Vec::new();
        for arg in args {
            cast.push(self.implicit(arg, &ty)?);
        }
        let second = cast.pop();
        let argument = cast.pop();
        let function = AggregateFunction::StringAgg;
        Ok(Aggregate { function, argument, second, order: Vec::new(), distinct, filter, ty })
    }

    fn json_object_agg(
        &mut self,
        args: Vec<Typed>,
        types: &[Type],
        distinct: bool,
        filter: Option<Expr>,
    ) -> Result<Aggregate> {
        if types.len() != 2 {
            return naming::no_function("jsonb_object_agg", types);
        }
        let mut known = Vec::new();
        for arg in args {
            known.push(self.known(arg)?.expr);
        }
        let second = known.pop();
        let argument = known.pop();
        let (function, ty) = (AggregateFunction::JsonObjectAgg, Type::Jsonb);
        Ok(Aggregate { function, argument, second, order: Vec::new(), distinct, filter, ty })
    }
}
