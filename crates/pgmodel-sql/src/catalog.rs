//! Table definitions: columns, indexes, constraints, and the lookup of names.

use std::rc::Rc;

use crate::ast::{KeyAction, Serial, TableLockMode};
use crate::error::Result;
use crate::plan::Expr;
use crate::value::{Type, Value};

pub use self::routine::Routine;
pub use self::trigger::{Operation, Trigger};

mod routine;
mod trigger;

/// A table's identity; a table that is dropped and re-created gets another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableId(pub u32);

/// A table definition. A change makes another `TableDef` with the same identity.
#[derive(Debug)]
pub struct TableDef {
    /// Its identity.
    pub id: TableId,
    /// Its name.
    pub name: String,
    /// Its columns by position; a dropped column keeps its position.
    pub columns: Vec<Column>,
    /// Its indexes, in the order of creation.
    pub indexes: Vec<Rc<IndexDef>>,
    /// Its CHECK constraints, in the order of their names, which is the order in which the server checks them.
    pub checks: Vec<Check>,
    /// Its foreign keys, in the order of creation.
    pub foreign_keys: Vec<Rc<ForeignKey>>,
    /// Its triggers, in the order of their names.
    pub triggers: Vec<Rc<Trigger>>,
    /// Its page layout.
    pub layout: Layout,
}

/// The page layout, which matters because a serializable transaction marks pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The table's fillfactor in percent: how full INSERT makes a page; the rest is for updates.
    pub fillfactor: u8,
    /// Whether any index was created with a `fillfactor` of its own.
    pub sparse_indexes: bool,
}

impl Default for Layout {
    fn default() -> Layout {
        Layout { fillfactor: 100, sparse_indexes: false }
    }
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name; empty once dropped.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// NOT NULL.
    pub not_null: bool,
    /// Its default, cast to its type; it references no slot.
    pub default: Option<Expr>,
    /// How it is numbered automatically; then its default is `nextval` of its sequence.
    pub serial: Option<Serial>,
    /// Dropped by ALTER TABLE: no name resolves to it and `*` skips it.
    pub dropped: bool,
}

/// An index.
#[derive(Clone, Debug)]
pub struct IndexDef {
    /// Its name.
    pub name: String,
    /// Its keys over slot 0, the row; a plain column is an [`Expr::Column`].
    pub keys: Vec<Expr>,
    /// The columns of INCLUDE; they matter to DROP COLUMN and to the marks of serializable transactions.
    pub included: Vec<usize>,
    /// UNIQUE.
    pub unique: bool,
    /// Whether it is the index of a primary key.
    pub primary: bool,
    /// Whether a constraint owns it: PRIMARY KEY or UNIQUE, not CREATE UNIQUE INDEX.
    pub constraint: bool,
    /// The predicate of a partial index, over slot 0.
    pub filter: Option<Expr>,
    /// Whether written rows are inserted into it; a concurrent build sets this once it has read the table.
    pub ready: bool,
    /// Whether queries may use it; a concurrent build sets this last.
    pub valid: bool,
}

impl IndexDef {
    /// Its key columns, if every key is a plain column.
    #[inline]
    pub fn columns(&self) -> Option<Vec<usize>> {
        self.keys.iter().map(plain_column).collect()
    }

    /// The same as an iterator; empty if a key is not a plain column.
    #[inline]
    pub fn plain_columns(&self) -> impl Iterator<Item = usize> + '_ {
        let is_plain = self.keys.iter().all(|key| plain_column(key).is_some());
        self.keys.iter().filter(move |_| is_plain).filter_map(plain_column)
    }

    /// Whether its keys are exactly these columns, in this order.
    #[inline]
    pub fn is_over(&self, columns: &[usize]) -> bool {
        self.keys.len() == columns.len()
            && self.keys.iter().zip(columns).all(|(key, column)| plain_column(key) == Some(*column))
    }
}

#[inline]
fn plain_column(key: &Expr) -> Option<usize> {
    if let Expr::Column { column, .. } = key { Some(*column) } else { None }
}

/// A CHECK constraint.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// The condition that must not be false, over slot 0, the row.
    pub condition: Expr,
    /// Whether the rows that existed before it have been checked.
    pub validated: bool,
}

/// A foreign key.
#[derive(Clone, Debug)]
pub struct ForeignKey {
    /// Its name.
    pub name: String,
    /// Its position in the order in which all foreign keys were created.
    pub made: u32,
    /// The referencing table.
    pub from: TableId,
    /// The referencing columns.
    pub columns: Vec<usize>,
    /// The referenced table.
    pub to: TableId,
    /// The referenced columns.
    pub referenced: Vec<usize>,
    /// ON DELETE.
    pub on_delete: KeyAction,
    /// ON UPDATE.
    pub on_update: KeyAction,
    /// Whether the rows that existed before it have been checked.
    pub validated: bool,
}

impl TableDef {
    /// Whether an update leaves the row's entry in every index unchanged: all indexes are over plain columns of all
    /// rows, and those columns are the same.
    #[inline]
    pub fn leaves_keys_alone(&self, before: &[Value], after: &[Value]) -> bool {
        let same =
            |key: &Expr| matches!(key, Expr::Column { column, .. } if before[*column] == after[*column]);
        self.indexes.iter().all(|index| index.filter.is_none() && index.keys.iter().all(same))
    }

    /// Adds a CHECK, keeping the order of names.
    pub fn add_check(&mut self, check: Check) {
        let place = self.checks.partition_point(|other| other.name <= check.name);
        self.checks.insert(place, check);
    }

    /// The position of a column that has not been dropped.
    #[inline]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| !column.dropped && column.name == name)
    }
}

/// Name lookup. An answer must be what the statement's own transaction may see, and must stay true: a table is locked
/// when its name is resolved, before it is used.
pub trait Names {
    /// The table of that name, locked in that mode; `None` if there is none.
    ///
    /// # Errors
    /// An error if the lock must be waited for; the statement is then analysed again.
    fn table(&self, name: &str, mode: TableLockMode) -> Result<Option<Rc<TableDef>>>;

    /// Whether a table or sequence of that name exists.
    fn has_relation(&self, name: &str) -> bool;

    /// Whether statements may have parameters: not in the simple query protocol.
    fn has_parameters(&self) -> bool {
        true
    }

    /// The user-defined functions of that name.
    fn routines(&self, name: &str) -> Vec<Rc<Routine>> {
        let _ = name;
        Vec::new()
    }
}
