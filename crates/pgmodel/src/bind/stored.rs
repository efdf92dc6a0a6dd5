//! Expressions that are kept with a table: defaults, CHECKs, index keys and predicates. They are about one row, or
//! about none at all: one must never see what its place hides from it, whatever its scope holds.

use crate::error::{Failure, Result};

use super::Binder;

/// What an expression that is kept with a table is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored<'a> {
    /// The default of the column of that name, which sees no column.
    Default(&'a str),
    /// A CHECK.
    Check,
    /// A key of an index.
    Key,
    /// The predicate of a partial index.
    Predicate,
    /// What a column of that name gets its new type by, which may be said with USING.
    Type(&'a str, bool),
    /// WHEN of a trigger.
    When,
}

impl Stored<'_> {
    /// The place as the server words it: one of them, and all of them.
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

    /// 42P17: an index would not be found again by what it was made of.
    pub(super) fn not_immutable(self) -> Failure {
        let place = self.names().0;
        Failure::sql("42P17", format!("functions in {place} must be marked IMMUTABLE"))
    }

    /// What the server says of an expression of type `from` where the place wants `to`.
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
    /// Binds what stands in such a place.
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

    /// 0A000 where the place sees no columns, which comes before any look at their names.
    pub(super) fn demand_columns(&self) -> Result<()> {
        match self.stored {
            Some(Stored::Default(_)) => {
                Err(Failure::sql("0A000", "cannot use column reference in DEFAULT expression"))
            }
            _ => Ok(()),
        }
    }

    /// 0A000 where a subquery may not stand.
    pub(super) fn demand_subqueries(&self) -> Result<()> {
        self.stored.map_or(Ok(()), |place| {
            Err(Failure::sql("0A000", format!("cannot use subquery in {}", place.names().0)))
        })
    }

    /// 42803 where an aggregate may not stand.
    pub(super) fn demand_aggregates(&self) -> Result<()> {
        self.stored.map_or(Ok(()), |place| {
            let message = format!("aggregate functions are not allowed in {}", place.names().1);
            Err(Failure::sql("42803", message))
        })
    }

    /// 0A000 where a set-returning function may not stand.
    pub(super) fn demand_sets(&self) -> Result<()> {
        self.stored.map_or(Ok(()), |place| {
            let message = format!("set-returning functions are not allowed in {}", place.names().1);
            Err(Failure::sql("0A000", message))
        })
    }
}
