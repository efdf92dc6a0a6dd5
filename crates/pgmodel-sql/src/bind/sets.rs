//! Set-returning functions: where they are allowed and what columns they have. A place where the server would not
//! produce their rows is an error or is refused.

use crate::error::{Failure, Result};
use crate::function;
use crate::plan::{Expr, SetCall, SetFunction, System};
use crate::value::Type;

use super::scope::Clause;
use super::{Binder, Typed, naming, walk};

/// A call with the names and types of its columns; a column without a name has the function's.
pub(super) type Columns = (SetCall, Vec<(Option<&'static str>, Type)>);

/// An error if a set-returning function is not allowed in the clause.
fn misplaced(clause: Clause) -> Result<()> {
    let place = match clause {
        Clause::Select | Clause::Order | Clause::DistinctOn | Clause::Group => return Ok(()),
        Clause::Aggregate => {
            let message = "aggregate function calls cannot contain set-returning function calls";
            return Err(Failure::sql("0A000", message));
        }
        Clause::From => {
            return Err(Failure::sql("0A000", "set-returning functions must appear at top level of FROM"));
        }
        Clause::Values => return Err(Failure::not_modelled("a set-returning function in VALUES")),
        Clause::Row => {
            return Err(Failure::not_modelled("a set-returning function in an expression over one row"));
        }
        Clause::Where => "WHERE",
        Clause::Join => "JOIN conditions",
        Clause::Having => "HAVING",
        Clause::Limit => "LIMIT",
        Clause::Offset => "OFFSET",
        Clause::Update | Clause::Conflict => "UPDATE",
        Clause::Returning => "RETURNING",
        Clause::Filter => "FILTER",
    };
    Err(Failure::sql("0A000", format!("set-returning functions are not allowed in {place}")))
}

/// The server looks for the single-array functions of a multi-array `unnest` in `pg_catalog`, and its message shows
/// that.
fn in_catalog(failure: Failure) -> Failure {
    match failure {
        Failure::Sql(mut error) if error.message.starts_with("function unnest(") => {
            error.message = error.message.replacen("unnest", "pg_catalog.unnest", 1);
            Failure::Sql(error)
        }
        other => other,
    }
}

/// 0A000 for a set-returning function in a construct that may not evaluate it.
pub(super) fn demand_none(before: usize, after: usize, construct: &str) -> Result<()> {
    if before == after {
        return Ok(());
    }
    Err(Failure::sql("0A000", format!("set-returning functions are not allowed in {construct}")))
}

/// Refuses calls with side effects beside a set-returning function: the server makes them once more than there are
/// rows, to find that the set has ended. `sites` is the number of calls, including those hidden in subqueries.
pub(super) fn demand_constant<'e>(exprs: impl Iterator<Item = &'e Expr>, sites: usize) -> Result<()> {
    fn constants(expr: &Expr) -> usize {
        let own = matches!(
            expr,
            Expr::System { call: System::Now | System::StatementTimestamp | System::BackendPid, .. }
        );
        usize::from(own) + crate::plan::parts(expr).into_iter().map(constants).sum::<usize>()
    }
    if exprs.map(constants).sum::<usize>() < sites {
        return Err(Failure::not_modelled("a set-returning function beside calls that have effects"));
    }
    Ok(())
}

/// Whether an expression contains a set-returning function of its own level.
pub(super) fn has_set(expr: &Expr) -> bool {
    matches!(expr, Expr::Set(_)) || crate::plan::parts(expr).into_iter().any(has_set)
}

impl Binder<'_> {
    /// A call in an expression, over bound arguments.
    pub(super) fn set_value(&mut self, name: &str, args: Vec<Typed>) -> Result<Typed> {
        if args.iter().any(|arg| has_set(&arg.expr)) && self.top().clause != Clause::From {
            function::set(name, &args.iter().map(|arg| arg.ty.clone()).collect::<Vec<_>>())?;
            return Err(Failure::not_modelled("a set-returning function of another's rows"));
        }
        if name == "unnest" && args.len() > 1 {
            return naming::no_function(name, &args.iter().map(|arg| arg.ty.clone()).collect::<Vec<_>>());
        }
        let (call, mut columns) = self.set_call(name, args)?;
        self.demand_sets()?;
        misplaced(self.top().clause)?;
        let (Some((_, ty)), true) = (columns.pop(), columns.is_empty()) else {
            return Err(Failure::not_modelled(format!(
                "{name} in a select list, where its rows are composite"
            )));
        };
        let same = |known: &SetCall| {
            known.function == call.function
                && known.args.len() == call.args.len()
                && known.args.iter().zip(&call.args).all(|(known, arg)| walk::same(known, arg))
        };
        let level = self.top();
        level.set_calls += 1;
        // Two calls of one function with the same arguments advance together, so they are one call, and ORDER BY finds
        // it in the select list.
        let index = level.sets.iter().position(same).unwrap_or(level.sets.len());
        if index == level.sets.len() {
            level.sets.push(call);
        }
        Ok(Typed { expr: Expr::Set(index), ty })
    }

    /// A call with its arguments cast.
    pub(super) fn set_call(&mut self, name: &str, args: Vec<Typed>) -> Result<Columns> {
        let types: Vec<_> = args.iter().map(|arg| arg.ty.clone()).collect();
        if name == "unnest" && args.len() > 1 {
            // In FROM this is one call per array, with their columns side by side.
            let mut columns = Vec::new();
            for ty in &types {
                let chosen = function::set(name, std::slice::from_ref(ty)).map_err(in_catalog)?;
                columns.extend(chosen.columns);
            }
            let args = args.into_iter().map(|arg| arg.expr).collect();
            return Ok((SetCall { function: SetFunction::Unnest, args }, columns));
        }
        let chosen = function::set(name, &types)?;
        let args = args.into_iter().zip(&chosen.args).map(|(arg, to)| self.argument(arg, to));
        let args = args.collect::<Result<_>>()?;
        Ok((SetCall { function: chosen.function, args }, chosen.columns))
    }
}
