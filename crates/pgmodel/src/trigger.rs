//! Triggers (manual, chapter 39; `src/backend/commands/trigger.c`): BEFORE and AFTER, for each row and for the
//! statement. A table without triggers costs only the check whether it has any.

use std::rc::Rc;

use crate::catalog::TableDef;
use crate::plan::{Expr, OutputColumn};

mod create;
mod fire;
mod lock;
mod queue;
mod when;

pub(crate) use self::create::switched;
pub(crate) use self::fire::strength;
pub(crate) use self::lock::Locked;
pub(crate) use self::queue::Firing;

/// A trigger.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// Its name.
    pub(crate) name: String,
    /// BEFORE if true, AFTER otherwise.
    pub(crate) before: bool,
    /// FOR EACH ROW if true, FOR EACH STATEMENT otherwise.
    pub(crate) row: bool,
    /// The operations that it fires for, indexed by [`Operation`].
    pub(crate) events: [bool; 3],
    /// The columns of UPDATE OF; empty for any column.
    pub(crate) columns: Vec<usize>,
    /// WHEN, with the old row in slot 0 and the new one in slot 1.
    pub(crate) when: Option<Expr>,
    /// The name of its function.
    pub(crate) function: String,
    /// Its arguments.
    pub(crate) args: Vec<String>,
    /// Whether it is enabled.
    pub(crate) enabled: bool,
}

/// The operation of a statement on a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// INSERT.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
}

impl Operation {
    /// The SQL keyword.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Operation::Insert => "INSERT",
            Operation::Update => "UPDATE",
            Operation::Delete => "DELETE",
        }
    }
}

impl Trigger {
    /// Whether it is a trigger of this timing, level and operation, enabled or not.
    pub(crate) fn is(&self, before: bool, row: bool, operation: Operation) -> bool {
        self.before == before && self.row == row && self.events[operation as usize]
    }
}

impl TableDef {
    /// Whether it has a BEFORE ROW trigger for the operation; disabled ones count too.
    pub(crate) fn has_before_row(&self, operation: Operation) -> bool {
        self.triggers.iter().any(|trigger| trigger.is(true, true, operation))
    }
}

/// The columns of a table's rows as seen by triggers. Dropped columns keep their positions, without a name.
pub(crate) fn columns(table: &TableDef) -> Rc<[OutputColumn]> {
    let column =
        |column: &crate::catalog::Column| OutputColumn { name: column.name.clone(), ty: column.ty.clone() };
    table.columns.iter().map(column).collect()
}
