//! Stored expressions: defaults, CHECKs, index keys and predicates, type conversions and trigger conditions. Each sees
//! only the columns that its kind allows, whatever else is in scope.

use crate::error::{Failure, Result};

use super::Binder;

/// The kind of a stored expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored<'a> {
    /// The default of the named column; it sees no columns.
    Default(&'a str),
    /// A CHECK.
    Check,
    /// An index key.
    Key,
    /// The predicate of a partial index.
    Predicate,
    /// The conversion of the named column to a new type; true if given by USING.
    Type(&'a str, bool),
    /// WHEN of a trigger.
    When,
}

impl Stored<'_> {
    /// The kind in the server's wording: singular and plural.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Stored::Default(_) => ("DEFAULT expression", "DEFAULT expressions"),
            Stored::Check => ("check constraint", "check constraints"),
            Stored::Key => ("index expression", "index expressions"),
            Stored::Predicate => ("index predicate", "index predicates"),
            Stored::Type(..) => ("transform expression", "transform expressions"),
            Stored::When => ("trigger WHEN condition", "trigger WHEN conditions"),
        }
    }

    /// 42P17: a function in an index must be immutable, or an entry might not be found again.
    pub(super) fn not_immutable(self) -> Failure {
        let place = self.names().0;
        Failure::sql("42P17", format!("functions in {place} must be marked IMMUTABLE"))
    }

    /// The server's message for an expression of type `from` where `to` is required.
    pub(super) fn mistyped(self, from: &str, to: &str) -> String {
        match self {
            Stored::Default(column) => {
                format!("column \"{column}\" is of type {to} but default expression is of type {from}")
            }
            Stored::Type(column, false) => {
                format!("column \"{column}\" cannot be cast automatically to type {to}")
            }
            Stored::Type(column, true) => {
                format!(
                    "result of USING clause for column \"{column}\" cannot be cast automatically to type {to}"
                )
            }
            Stored::Check => format!("argument of CHECK must be type boolean, not type {from}"),
            Stored::Key | Stored::Predicate | Stored::When => {
                format!("argument of WHERE must be type boolean, not type {from}")
            }
        }
    }
}

impl<'n> Binder<'n> {
    /// Runs `bind` for a stored expression of that kind.
    pub(super) fn storing<T>(
        &mut self,
        place: Stored<'n>,
        bind: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let outer = self.stored.replace(place);
        let bound = bind(self);
        self.stored = outer;
        bound
    }

    /// 0A000 if columns are not allowed; raised before any column name is looked up.
    pub(super) fn demand_columns(&self) -> Result<()> {
        match self.stored {
            Some(Stored::Default(_)) => {
                Err(Failure::sql("0A000", "cannot use column reference in DEFAULT expression"))
            }
            _ => Ok(()),
        }
    }

    /// 0A000 if subqueries are not allowed.
    pub(super) fn demand_subqueries(&self) -> Result<()> {
        self.stored.map_or(Ok(()), |place| {
            Err(Failure::sql("0A000", format!("cannot use subquery in {}", place.names().0)))
        })
    }

    /// 42803 if aggregates are not allowed.
    pub(super) fn demand_aggregates(&self) -> Result<()> {
        self.stored.map_or(Ok(()), |place| {
            let message = format!("aggregate functions are not allowed in {}", place.names().1);
            Err(Failure::sql("42803", message))
        })
    }

    /// 0A000 if set-returning functions are not allowed.
    pub(super) fn demand_sets(&self) -> Result<()> {
        self.stored.map_or(Ok(()), |place| {
            let message = format!("set-returning functions are not allowed in {}", place.names().1);
            Err(Failure::sql("0A000", message))
        })
    }
}
