//! Variables of a function's body in its statements: what a name denotes if no column has it, or if both do (manual,
//! 43.11.1). An ambiguous name is 42702, as on the server.

use crate::ast;
use crate::catalog::Names;
use crate::error::{Failure, Result};
use crate::function::{self, CastContext};
use crate::plan::{Expr, Plan, planner};
use crate::value::{Type, Value};

use super::{Binder, Parameter, Typed};

/// Where a variable's value is: its number, and a field of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The variable.
    pub slot: usize,
    /// The field, if the variable is a row.
    pub field: Option<usize>,
}

/// The meaning of a name.
#[derive(Clone, Debug)]
pub enum Found {
    /// A value of that type.
    Value(Place, Type),
    /// A row.
    Record,
}

/// The variables in scope of a statement.
pub trait Variables {
    /// The variable of that name.
    fn find(&self, name: &str) -> Option<Found>;
    /// `of.name`: a field of a record, or a variable by the label of its block.
    fn member(&self, of: &str, name: &str) -> Result<Option<Found>>;
    /// `$n`.
    fn param(&self, number: u32) -> Option<Found>;
    /// Whether a column of the same name takes precedence; otherwise the name is ambiguous.
    fn yields(&self) -> bool;
}

/// A planned statement of a body.
#[derive(Debug)]
pub struct Inner {
    /// Its plan.
    pub plan: Plan,
    /// Where the values of its parameters are.
    pub places: Vec<Place>,
    /// Whether it calls user-defined functions.
    pub calls: bool,
}

/// Plans a statement of a body.
pub fn inner(with: &ast::With, names: &dyn Names, variables: &dyn Variables) -> Result<Inner> {
    let mut binder = Binder::new(names, Some(Vec::new()));
    binder.variables = Some(variables);
    let query = binder.query(with, true)?;
    let places = std::mem::take(&mut binder.places);
    let calls = binder.routines > 0;
    let locks = std::mem::take(&mut binder.locks);
    binder.unplannable.take().map_or(Ok(()), Err)?;
    if planner::judge(&query)? {
        // Nothing that runs a body can ask which plan to use.
        let what = "a subquery in a function's body that the plan may run once for each row";
        return Err(Failure::not_modelled(what));
    }
    Ok(Inner { plan: Plan { query, params: binder.parameters()?, locks, reruns: false }, places, calls })
}

/// Whether a value of one type can be assigned to another.
pub fn is_assignable(from: &Type, to: &Type) -> bool {
    from.base() == to.base()
        || *from == Type::Unknown
        || function::cast(&from.base(), &to.base(), CastContext::Assignment).is_ok()
}

/// An expression that converts the value to the other type as an assignment does; through its text if there is no cast
/// (the coercion of PL/pgSQL).
pub fn converted(value: Value, from: &Type, to: &Type) -> Result<Expr> {
    let mut binder = Binder::new(&super::Nothing, None);
    if value == Value::Null {
        return Ok(Expr::Const(value));
    }
    let text = Value::Text(value.output(from).into());
    let typed = Typed { expr: Expr::Const(value), ty: from.clone() };
    match binder.coerce(typed, to, CastContext::Assignment) {
        Err(Failure::Sql(error)) if error.code == "42846" => {
            let unknown = Typed { expr: Expr::Const(text), ty: Type::Unknown };
            binder.coerce(unknown, to, CastContext::Assignment)
        }
        result => result,
    }
}

impl Binder<'_> {
    /// Binds a name that may denote a column or a variable.
    pub(super) fn column_or_variable(
        &mut self,
        variables: &dyn Variables,
        table: Option<&str>,
        name: &str,
    ) -> Result<Typed> {
        let (column, variable) = match table {
            None => (self.unqualified_column(name, 0)?, variables.find(name)),
            Some(of) => match (self.item(of).is_ok(), variables.member(of, name)) {
                (true, Ok(Some(member))) => (self.qualified_column(of, name).ok(), Some(member)),
                (true, _) => return self.qualified_column(of, name),
                (false, member) => (None, member?),
            },
        };
        match (column, variable) {
            (Some(_), Some(_)) if !variables.yields() => {
                let shown = table.map_or(String::new(), |table| format!("{table}."));
                let message = format!("column reference \"{shown}{name}\" is ambiguous");
                let detail = "It could refer to either a PL/pgSQL variable or a table column.";
                Err(Failure::detailed("42702", message, detail))
            }
            (Some(column), _) => Ok(column),
            (None, Some(found)) => self.variable(&found, name),
            (None, None) => match table {
                Some(table) => self.qualified_column(table, name),
                None => Err(self.missing_column(name)),
            },
        }
    }

    /// Binds a use of `$n` in a body.
    pub(super) fn argument_of_body(&mut self, variables: &dyn Variables, number: u32) -> Result<Typed> {
        match variables.param(number) {
            Some(found) => self.variable(&found, &format!("${number}")),
            None => Err(Failure::sql("42P02", format!("there is no parameter ${number}"))),
        }
    }

    fn variable(&mut self, found: &Found, name: &str) -> Result<Typed> {
        let Found::Value(place, ty) = found else {
            return Err(Failure::not_modelled(format!("a whole row in an expression: {name}")));
        };
        let params = self.params.get_or_insert_default();
        let index = self.places.iter().position(|known| known == place).unwrap_or_else(|| {
            self.places.push(*place);
            params.push(Parameter { ty: ty.clone(), pending: 0 });
            self.places.len() - 1
        });
        Ok(Typed { expr: Expr::Param(index), ty: ty.clone() })
    }
}
