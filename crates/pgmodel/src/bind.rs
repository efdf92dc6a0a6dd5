//! Names to tables, columns and functions; types to every expression. It must never look at a row, and never
//! leave out a clause that it cannot express: such a clause is refused by name.

mod aggregate;
mod call;
mod coerce;
mod comparison;
mod conflict;
mod expression;
mod from;
mod grouping;
mod insert;
mod locking;
mod membership;
mod naming;
mod ordering;
mod scope;
mod select;
mod set;
mod subquery;
#[cfg(test)]
mod tests;
mod update;
mod walk;
mod with;

use std::rc::Rc;

use crate::ast;
use crate::catalog::{Names, TableDef};
use crate::error::{Failure, Result};
use crate::function::CastContext;
use crate::plan::{Expr, Plan};
use crate::value::Type;

use scope::{Clause, Level};

/// An expression and its type; [`Type::Unknown`] for a literal or parameter that the context has yet to type.
#[derive(Clone, Debug)]
struct Typed {
    expr: Expr,
    ty: Type,
}

/// What is known of a parameter so far.
#[derive(Clone, Debug)]
struct Parameter {
    /// Its type, unknown until a context gives it one.
    ty: Type,
    /// The uses that were met while the type was unknown and that nothing has typed since.
    pending: usize,
}

/// The state of planning one statement.
struct Binder<'a> {
    names: &'a dyn Names,
    /// The query levels around what is being bound, outermost first.
    levels: Vec<Level>,
    /// The parameters met; none where parameters have no place.
    params: Option<Vec<Parameter>>,
    /// How many calls of [`Expr::System`] have been numbered.
    sites: usize,
    /// The columns that were resolved, as level and slot, in the order of their binding. Who must know what
    /// an expression refers to compares the log before and after it.
    touched: Vec<(usize, usize)>,
}

/// Plans a query or data-modifying statement.
///
/// # Errors
/// The server's errors of parse analysis, 42P01, 42703, 42883, 42804 and their kin; a refusal by name.
pub fn statement(with: &ast::With, names: &dyn Names) -> Result<Plan> {
    let mut binder =
        Binder { names, levels: Vec::new(), params: Some(Vec::new()), sites: 0, touched: Vec::new() };
    let query = binder.query(with, true)?;
    Ok(Plan { query, params: binder.parameters()? })
}

/// An expression over one row of a table, slot 0, cast to `to` if that is given: a default, a CHECK, an index
/// key.
///
/// # Errors
/// As [`statement`].
pub fn row_expr(expr: &ast::Expr, table: &TableDef, to: Option<&Type>) -> Result<Expr> {
    let mut binder =
        Binder { names: &NoTables, levels: Vec::new(), params: None, sites: 0, touched: Vec::new() };
    let mut level = Level::new(Clause::Row);
    level.items.push(scope::table_item(table, &table.name, 0));
    binder.levels.push(level);
    let typed = binder.expr(expr)?;
    let Some(to) = to else {
        // An index key may be a bare literal, which is text to the server.
        return if typed.ty == Type::Unknown {
            binder.coerce(typed, &Type::Text, CastContext::Implicit)
        } else {
            Ok(typed.expr)
        };
    };
    let from = typed.ty.clone();
    binder.coerce(typed, to, CastContext::Assignment).map_err(|failure| {
        let (from, into) = (from.name(), to.name());
        let message = match to {
            Type::Bool => format!("argument of CHECK must be type boolean, not type {from}"),
            _ => format!("column is of type {into} but default expression is of type {from}"),
        };
        coerce::reworded(failure, message)
    })
}

/// A row's expression may name no other table.
struct NoTables;

impl Names for NoTables {
    fn table(&self, _: &str) -> Option<Rc<TableDef>> {
        None
    }
}

impl Binder<'_> {
    /// The level that is being bound. There is one whenever an expression is.
    fn top(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.levels.push(Level::new(Clause::Row));
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    /// The index of the level that is being bound.
    fn depth(&self) -> usize {
        self.levels.len().saturating_sub(1)
    }

    /// Does something while the level's clause is another, for what depends on where it stands.
    fn within<T>(&mut self, clause: Clause, bind: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let outer = std::mem::replace(&mut self.top().clause, clause);
        let bound = bind(self)?;
        self.top().clause = outer;
        Ok(bound)
    }

    /// A number for a call that depends on session, clock or sequence.
    fn site(&mut self) -> usize {
        self.sites += 1;
        self.sites - 1
    }

    /// The types of the parameters once everything is bound.
    fn parameters(self) -> Result<Vec<Type>> {
        let params = self.params.unwrap_or_default();
        let unknown = |number: usize, code| {
            Failure::sql(code, format!("could not determine data type of parameter ${}", number + 1))
        };
        for (number, param) in params.iter().enumerate() {
            if param.ty != Type::Unknown && param.pending > 0 {
                return Err(unknown(number, "42P08"));
            }
        }
        if let Some(number) = params.iter().position(|param| param.ty == Type::Unknown) {
            return Err(unknown(number, "42P18"));
        }
        Ok(params.into_iter().map(|param| param.ty).collect())
    }
}
