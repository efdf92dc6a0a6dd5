//! What tables there are and what they demand of their rows.

use std::rc::Rc;

use crate::ast::{KeyAction, Serial, TableLockMode};
use crate::error::Result;
use crate::plan::Expr;
use crate::routine::Routine;
use crate::trigger::Trigger;
use crate::value::{Type, Value};

/// A table's identity; a dropped and re-created table has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableId(pub u32);

/// A table as it is now. Changing it makes another `TableDef` of the same identity.
#[derive(Debug)]
pub struct TableDef {
    /// Its identity.
    pub id: TableId,
    /// Its name.
    pub name: String,
    /// Its columns by position; a dropped one keeps its place.
    pub columns: Vec<Column>,
    /// Its indexes, in the order of their making.
    pub indexes: Vec<Rc<IndexDef>>,
    /// Its CHECK constraints, in the order of their names, as the server checks them.
    pub checks: Vec<Check>,
    /// Its foreign keys, in the order of their making.
    pub foreign_keys: Vec<Rc<ForeignKey>>,
    /// Its triggers, in the order of their names.
    pub triggers: Vec<Rc<Trigger>>,
    /// How full its pages get.
    pub layout: Layout,
}

/// What is said of how full pages get; a serializable transaction marks pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// How full INSERT makes a page of the table, in percent; the rest is for updates.
    pub fillfactor: u8,
    /// Whether an index was made with a `fillfactor` of its own.
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
    /// Its default, cast to its type, over no slot.
    pub default: Option<Expr>,
    /// How it numbers itself; its default then is `nextval` of its sequence.
    pub serial: Option<Serial>,
    /// Dropped by ALTER TABLE: no name finds it and `*` leaves it out.
    pub dropped: bool,
}

/// An index.
#[derive(Clone, Debug)]
pub struct IndexDef {
    /// Its name.
    pub name: String,
    /// Its keys over slot 0, the row; a plain column is an [`Expr::Column`].
    pub keys: Vec<Expr>,
    /// The columns of INCLUDE, which no statement sees but the one that drops them.
    pub included: Vec<usize>,
    /// UNIQUE.
    pub unique: bool,
    /// The index of a primary key.
    pub primary: bool,
    /// Whether a constraint owns it: PRIMARY KEY or UNIQUE, not CREATE UNIQUE INDEX.
    pub constraint: bool,
    /// The predicate of a partial index, over slot 0.
    pub filter: Option<Expr>,
    /// Whether rows that are written are exercised into it; a concurrent build makes it ready when it has read the table.
    pub ready: bool,
    /// Whether queries may use it; a concurrent build makes it valid last.
    pub valid: bool,
}

impl IndexDef {
    /// The columns that are its keys, where every key is a plain column.
    pub fn columns(&self) -> Option<Vec<usize>> {
        self.keys.iter().map(plain_column).collect()
    }

    /// The same, one after the other; none at all where a key is no plain column.
    pub fn plain_columns(&self) -> impl Iterator<Item = usize> + '_ {
        let is_plain = self.keys.iter().all(|key| plain_column(key).is_some());
        self.keys.iter().filter(move |_| is_plain).filter_map(plain_column)
    }

    /// Whether those columns are its keys, in that order.
    pub(crate) fn is_over(&self, columns: &[usize]) -> bool {
        self.keys.len() == columns.len()
            && self.keys.iter().zip(columns).all(|(key, column)| plain_column(key) == Some(*column))
    }
}

fn plain_column(key: &Expr) -> Option<usize> {
    if let Expr::Column { column, .. } = key { Some(*column) } else { None }
}

/// A CHECK constraint.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// What must not be false, over slot 0, the row.
    pub condition: Expr,
    /// Whether the rows that were there have been held against it.
    pub validated: bool,
}

/// A foreign key.
#[derive(Clone, Debug)]
pub struct ForeignKey {
    /// Its name.
    pub name: String,
    /// Its place in the order in which all foreign keys were made.
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
    /// Whether the rows that were there have been held against it.
    pub validated: bool,
}

impl TableDef {
    /// Whether a row keeps its place in every index: all of them are over whole columns, and those are the same.
    pub(crate) fn leaves_keys_alone(&self, before: &[Value], after: &[Value]) -> bool {
        let same =
            |key: &Expr| matches!(key, Expr::Column { column, .. } if before[*column] == after[*column]);
        self.indexes.iter().all(|index| index.filter.is_none() && index.keys.iter().all(same))
    }

    /// Adds a CHECK, in the order of names.
    pub(crate) fn add_check(&mut self, check: Check) {
        let place = self.checks.partition_point(|other| other.name <= check.name);
        self.checks.insert(place, check);
    }

    /// The position of a column that has not been dropped.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| !column.dropped && column.name == name)
    }
}

/// Where names are looked up. The answer must be what the statement's own transaction may see, and stay so: a table
/// is locked when its name is met, before anything else is made of it.
pub trait Names {
    /// The table of that name, locked in that mode; none where there is none.
    ///
    /// # Errors
    /// Where somebody has to be waited for; then the statement is to be analysed again.
    fn table(&self, name: &str, mode: TableLockMode) -> Result<Option<Rc<TableDef>>>;

    /// Whether there is a table or a sequence of that name.
    fn has_relation(&self, name: &str) -> bool;

    /// Whether statements may have parameters: those of the simple query protocol have none.
    fn has_parameters(&self) -> bool {
        true
    }

    /// The functions of that name that CREATE FUNCTION has made.
    fn routines(&self, name: &str) -> Vec<Rc<Routine>> {
        let _ = name;
        Vec::new()
    }
}
