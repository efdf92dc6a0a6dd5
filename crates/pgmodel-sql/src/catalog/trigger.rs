//! Definitions of triggers.

use super::TableDef;
use crate::plan::Expr;

/// A trigger.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// BEFORE if true, AFTER otherwise.
    pub before: bool,
    /// FOR EACH ROW if true, FOR EACH STATEMENT otherwise.
    pub row: bool,
    /// The operations that it fires for, indexed by [`Operation`].
    pub events: [bool; 3],
    /// The columns of UPDATE OF; empty for any column.
    pub columns: Vec<usize>,
    /// WHEN, with the old row in slot 0 and the new one in slot 1.
    pub when: Option<Expr>,
    /// The name of its function.
    pub function: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Whether it is enabled.
    pub enabled: bool,
}

/// The operation of a statement on a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// INSERT.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
}

impl Operation {
    /// The SQL keyword.
    pub fn word(self) -> &'static str {
        match self {
            Operation::Insert => "INSERT",
            Operation::Update => "UPDATE",
            Operation::Delete => "DELETE",
        }
    }
}

impl Trigger {
    /// Whether it is a trigger of this timing, level and operation, enabled or not.
    #[inline]
    pub fn is(&self, before: bool, row: bool, operation: Operation) -> bool {
        self.before == before && self.row == row && self.events[operation as usize]
    }
}

impl TableDef {
    /// Whether it has a BEFORE ROW trigger for the operation; disabled ones count too.
    #[inline]
    pub fn has_before_row(&self, operation: Operation) -> bool {
        self.triggers.iter().any(|trigger| trigger.is(true, true, operation))
    }
}
