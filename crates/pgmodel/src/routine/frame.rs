//! The values of a body's variables at run time, and their use in its statements.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use retrial_pgmodel_sql::bind::{Found, Place, Variables};
use retrial_pgmodel_sql::error::{Failure, PgError, Result};
use retrial_pgmodel_sql::plan::OutputColumn;
use retrial_pgmodel_sql::value::{Tuple, Type, Value};

use super::scope::Scope;
use crate::transaction::Snapshot;

/// A row with its columns.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) columns: Rc<[OutputColumn]>,
    pub(crate) values: Tuple,
    /// The row is NULL as a whole, but its columns are known.
    pub(crate) is_null: bool,
}

/// The content of a variable.
#[derive(Clone, Debug)]
pub(super) enum Held {
    Value(Value),
    /// A row, or `None` if none has been assigned.
    Record(Option<Row>),
}

/// The variables of a running body.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) values: RefCell<Vec<Held>>,
    pub(super) types: RefCell<Vec<Type>>,
    pub(super) row_count: Cell<u64>,
    /// The snapshot of all its statements if the function is not VOLATILE.
    pub(super) snapshot: Option<Snapshot>,
    /// The error being handled.
    pub(super) caught: RefCell<Option<PgError>>,
}

impl Frame {
    pub(super) fn new(values: Vec<Held>, types: Vec<Type>, snapshot: Option<Snapshot>) -> Frame {
        Frame {
            values: RefCell::new(values),
            types: RefCell::new(types),
            row_count: Cell::new(0),
            snapshot,
            caught: RefCell::default(),
        }
    }

    /// The value at a place.
    pub(super) fn value(&self, place: Place) -> Value {
        match (&self.values.borrow()[place.slot], place.field) {
            (Held::Value(value), _) => value.clone(),
            (Held::Record(Some(row)), Some(field)) => row.values.get(field).cloned().unwrap_or(Value::Null),
            (Held::Record(_), _) => Value::Null,
        }
    }

    pub(super) fn set(&self, slot: usize, value: Value) {
        self.values.borrow_mut()[slot] = Held::Value(value);
    }

    /// The row in a record.
    pub(super) fn row(&self, slot: usize) -> Option<Row> {
        match &self.values.borrow()[slot] {
            Held::Record(row) => row.clone(),
            Held::Value(_) => None,
        }
    }

    pub(super) fn is_record(&self, slot: usize) -> bool {
        matches!(self.values.borrow()[slot], Held::Record(_))
    }

    pub(super) fn set_row(&self, slot: usize, row: Option<Row>) {
        self.values.borrow_mut()[slot] = Held::Record(row);
    }

    /// The part of the variables that plans depend on: the types of variables, and the columns of records.
    pub(super) fn shape(&self) -> Shape {
        let columns = |held: &Held| match held {
            Held::Record(Some(row)) => Some(row.columns.clone()),
            _ => None,
        };
        Shape {
            types: self.types.borrow().clone(),
            columns: self.values.borrow().iter().map(columns).collect(),
        }
    }
}

/// What plans depend on in addition to definitions.
#[derive(Debug, PartialEq)]
pub(super) struct Shape {
    types: Vec<Type>,
    columns: Vec<Option<Rc<[OutputColumn]>>>,
}

/// The names visible at a position of a body, with their values.
pub(super) struct Known<'a> {
    pub(super) scope: &'a Scope,
    pub(super) frame: &'a Frame,
    /// Whether columns take precedence over variables, as in a function in SQL.
    pub(super) yields: bool,
}

impl Known<'_> {
    fn at(&self, slot: usize) -> Found {
        if self.frame.is_record(slot) {
            return Found::Record;
        }
        Found::Value(Place { slot, field: None }, self.frame.types.borrow()[slot].clone())
    }
}

impl Variables for Known<'_> {
    fn find(&self, name: &str) -> Option<Found> {
        self.scope.find(name).map(|slot| self.at(slot))
    }

    fn member(&self, of: &str, name: &str) -> Result<Option<Found>> {
        let record = self.scope.find(of).filter(|slot| self.frame.is_record(*slot));
        let Some(slot) = record else {
            return Ok(self.scope.member(of, name).map(|slot| self.at(slot)));
        };
        let row = self.frame.row(slot).ok_or_else(|| unassigned(of))?;
        let field = row.columns.iter().position(|column| column.name == name);
        let field = field.ok_or_else(|| no_field(of, name))?;
        Ok(Some(Found::Value(Place { slot, field: Some(field) }, row.columns[field].ty.clone())))
    }

    fn param(&self, number: u32) -> Option<Found> {
        self.find(&format!("${number}"))
    }

    fn yields(&self) -> bool {
        self.yields
    }
}

/// The error for a record without a row.
pub(super) fn unassigned(name: &str) -> Failure {
    let message = format!("record \"{name}\" is not assigned yet");
    Failure::detailed("55000", message, "The tuple structure of a not-yet-assigned record is indeterminate.")
}

pub(super) fn no_field(record: &str, name: &str) -> Failure {
    Failure::sql("42703", format!("record \"{record}\" has no field \"{name}\""))
}
