//! Binding: resolves names to tables, columns and functions, and gives every expression a type. It reads no rows. A
//! clause that it cannot express is refused by name, never ignored.

mod aggregate;
mod call;
mod coerce;
mod comparison;
mod conflict;
mod conjuncts;
mod expression;
mod from;
mod grouping;
mod insert;
mod locking;
mod membership;
mod naming;
mod ordering;
mod recursive;
mod routine;
mod scope;
mod select;
mod set;
mod sets;
mod stored;
mod subquery;
mod subscript;
#[cfg(test)]
mod tests;
mod trigger;
mod update;
mod variable;
mod walk;
mod with;

use std::rc::Rc;

use crate::ast::{self, TableLockMode};
use crate::catalog::{Names, TableDef, TableId};
use crate::error::{Failure, Result};
use crate::function::CastContext;
use crate::plan::{Expr, Plan, planner};
use crate::value::Type;

pub use naming::{grammar_name, index_column};
use scope::{Clause, Level};
pub use stored::Stored;
pub use trigger::trigger_when;
pub use variable::{Found, Inner, Place, Variables, converted, inner, is_assignable};

/// An expression and its type; [`Type::Unknown`] for a literal or parameter that no context has typed yet.
#[derive(Clone, Debug)]
struct Typed {
    expr: Expr,
    ty: Type,
}

impl AsRef<Expr> for Typed {
    fn as_ref(&self) -> &Expr {
        &self.expr
    }
}

/// What is known of a parameter so far.
#[derive(Clone, Debug)]
struct Parameter {
    /// Its type, unknown until a context gives it one.
    ty: Type,
    /// The uses that were seen while the type was unknown and that nothing has typed since.
    pending: usize,
}

/// The state of planning one statement.
struct Binder<'a> {
    names: &'a dyn Names,
    /// The query levels around the expression being bound, outermost first.
    levels: Vec<Level>,
    /// The parameters seen; `None` where parameters are not allowed.
    params: Option<Vec<Parameter>>,
    /// How many calls of [`Expr::System`] have been numbered.
    sites: usize,
    /// The columns resolved so far, as level and slot, in binding order. To find what an expression references, compare
    /// the log before and after binding it.
    touched: Vec<(usize, usize)>,
    /// The kind of stored expression being bound, if it is one.
    stored: Option<Stored<'a>>,
    /// Whether a bound call may depend on the session's settings or the clock.
    mutable: bool,
    /// How many expressions have been bound or copied.
    parts: usize,
    /// The variables in scope, in a function body.
    variables: Option<&'a dyn Variables>,
    /// Where the values of the parameters are, in a function body.
    places: Vec<Place>,
    /// How many calls of user-defined functions have been bound.
    routines: usize,
    /// How many of them are VOLATILE.
    volatile: usize,
    /// The tables seen, with the modes they are locked in, without repetition.
    locks: Vec<(TableId, TableLockMode)>,
    /// How many nested expression subqueries are being bound.
    subqueries: usize,
    /// Whether the surrounding query locks the rows of the query that is bound next.
    locked_from_outside: bool,
    /// An error of the server's planner, raised once the whole statement has been analysed.
    unplannable: Option<Failure>,
}

/// Plans a query or data-modifying statement.
///
/// # Errors
/// The server's errors of parse analysis, such as 42P01, 42703, 42883 and 42804; a refusal by name.
pub fn statement(with: &ast::With, names: &dyn Names) -> Result<Plan> {
    let mut binder = Binder::new(names, names.has_parameters().then(Vec::new));
    let query = binder.query(with, true)?;
    let locks = std::mem::take(&mut binder.locks);
    let unplannable = binder.unplannable.take();
    let params = binder.parameters()?;
    unplannable.map_or(Ok(()), Err)?;
    let reruns = planner::judge(&query)?;
    Ok(Plan { query, params, locks, reruns })
}

/// Binds an expression stored with a table, over one row of it (slot 0), cast to `to` if given.
///
/// # Errors
/// As [`statement`].
pub fn row_expr(
    names: &dyn Names,
    expr: &ast::Expr,
    table: &TableDef,
    place: Stored<'_>,
    to: Option<&Type>,
) -> Result<Expr> {
    let mut binder = Binder::new(names, None);
    let mut level = Level::new(Clause::Row);
    level.items.push(scope::table_item(table, &table.name, 0));
    binder.levels.push(level);
    let typed = binder.storing(place, |binder| binder.expr(expr))?;
    if binder.mutable && matches!(place, Stored::Key | Stored::Predicate) {
        return Err(place.not_immutable());
    }
    let Some(to) = to else {
        // An index key may be a bare literal, which the server types as text.
        return if typed.ty == Type::Unknown {
            binder.coerce(typed, &Type::Text, CastContext::Implicit)
        } else {
            Ok(typed.expr)
        };
    };
    let from = typed.ty.clone();
    binder
        .coerce(typed, to, CastContext::Assignment)
        .map_err(|failure| coerce::reworded(failure, place.mistyped(&from.name(), &to.name())))
}

/// A scope without any names.
struct Nothing;

impl Names for Nothing {
    fn table(&self, _: &str, _: TableLockMode) -> Result<Option<Rc<TableDef>>> {
        Ok(None)
    }

    fn has_relation(&self, _: &str) -> bool {
        false
    }
}

/// The maximum number of parts of a statement. BETWEEN, NULLIF, IN and CASE duplicate their operands, so a short
/// statement can bind to a very long expression.
const PARTS_MAX: usize = 2_000_000;

impl<'n> Binder<'n> {
    fn new(names: &'n dyn Names, params: Option<Vec<Parameter>>) -> Binder<'n> {
        Binder {
            names,
            levels: Vec::new(),
            params,
            sites: 0,
            touched: Vec::new(),
            stored: None,
            mutable: false,
            parts: 0,
            variables: None,
            places: Vec::new(),
            routines: 0,
            volatile: 0,
            locks: Vec::new(),
            subqueries: 0,
            locked_from_outside: false,
            unplannable: None,
        }
    }
}

impl Binder<'_> {
    /// Counts parts of the statement.
    fn count(&mut self, parts: usize) -> Result<()> {
        self.parts += parts;
        if self.parts > PARTS_MAX {
            let what =
                format!("a statement of more than {PARTS_MAX} parts, those counted that it means twice");
            return Err(Failure::not_modelled(what));
        }
        Ok(())
    }

    /// Resolves a table by name and records its lock.
    fn opened(&mut self, name: &str, mode: TableLockMode) -> Result<Rc<TableDef>> {
        let Some(table) = self.names.table(name, mode)? else { return Err(self.no_table(name)) };
        if !self.locks.contains(&(table.id, mode)) {
            self.locks.push((table.id, mode));
        }
        Ok(table)
    }

    /// A copy of an expression, counted as further parts.
    fn copied<T: AsRef<Expr> + Clone>(&mut self, of: &T) -> Result<T> {
        self.count(walk::size(of.as_ref()))?;
        Ok(of.clone())
    }

    /// The level being bound. It is created if an expression stands alone.
    fn top(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.levels.push(Level::new(Clause::Row));
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    /// The index of the level being bound.
    fn depth(&self) -> usize {
        self.levels.len().saturating_sub(1)
    }

    /// Runs `bind` with another current clause, for checks that depend on the clause.
    fn within<T>(&mut self, clause: Clause, bind: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let outer = std::mem::replace(&mut self.top().clause, clause);
        let bound = bind(self)?;
        self.top().clause = outer;
        Ok(bound)
    }

    /// A number for a call that depends on the session, the clock or a sequence.
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
