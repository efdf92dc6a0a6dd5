//! Triggers (manual, chapter 39; `src/backend/commands/trigger.c`): BEFORE and AFTER, for each row and for the
//! statement. A table without triggers must pay nothing but the look whether it has any.

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
    /// BEFORE; AFTER otherwise.
    pub(crate) before: bool,
    /// FOR EACH ROW.
    pub(crate) row: bool,
    /// What it is called for.
    pub(crate) events: [bool; 3],
    /// UPDATE OF: these columns; any where there are none.
    pub(crate) columns: Vec<usize>,
    /// WHEN, over the old row in slot 0 and the new one in slot 1.
    pub(crate) when: Option<Expr>,
    /// Its function.
    pub(crate) function: String,
    /// Its arguments.
    pub(crate) args: Vec<String>,
    /// Whether it is called at all.
    pub(crate) enabled: bool,
}

/// What a statement does to a row.
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
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Operation::Insert => "INSERT",
            Operation::Update => "UPDATE",
            Operation::Delete => "DELETE",
        }
    }
}

impl Trigger {
    /// Whether it is one of these, enabled or not.
    pub(crate) fn is(&self, before: bool, row: bool, operation: Operation) -> bool {
        self.before == before && self.row == row && self.events[operation as usize]
    }
}

impl TableDef {
    /// Whether it has a BEFORE trigger for each row; a disabled one counts, too.
    pub(crate) fn has_before_row(&self, operation: Operation) -> bool {
        self.triggers.iter().any(|trigger| trigger.is(true, true, operation))
    }
}

/// The columns of a table's rows as triggers know them; dropped ones keep their places, without a name.
pub(crate) fn columns(table: &TableDef) -> Rc<[OutputColumn]> {
    let column =
        |column: &crate::catalog::Column| OutputColumn { name: column.name.clone(), ty: column.ty.clone() };
    table.columns.iter().map(column).collect()
}
