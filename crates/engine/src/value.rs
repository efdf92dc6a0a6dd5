//! SQL values, rows, and what a commit did to a row.

use std::fmt;
use std::rc::Rc;

use crate::digest::Digest;

/// An SQL value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// SQL's NULL.
    Null,
    /// A signed 64-bit integer.
    Integer(i64),
    /// A text.
    Text(Rc<str>),
    /// Bytes.
    Blob(Rc<[u8]>),
    /// A boolean, for engines that have the type.
    Bool(bool),
    /// Microseconds since 2000-01-01 00:00:00 UTC, as Postgres counts a `timestamptz`.
    Timestamp(i64),
    /// A one-dimensional array.
    Array(Rc<[Value]>),
}

impl Value {
    /// The integer, if it is one.
    #[inline]
    pub fn integer(&self) -> Option<i64> {
        if let Value::Integer(number) = self { Some(*number) } else { None }
    }

    /// The text, if it is one.
    #[inline]
    pub fn text(&self) -> Option<&str> {
        if let Value::Text(text) = self { Some(text) } else { None }
    }

    /// Adds the value to a digest.
    #[inline]
    pub fn digest(&self, digest: &mut Digest) {
        match self {
            Value::Null => digest.word(0),
            Value::Integer(number) => {
                digest.word(1);
                digest.word(*number as u64);
            }
            Value::Text(text) => {
                digest.word(2);
                digest.text(text);
            }
            Value::Blob(bytes) => {
                digest.word(3);
                bytes.iter().for_each(|byte| digest.word(u64::from(*byte)));
            }
            Value::Bool(truth) => {
                digest.word(4);
                digest.word(u64::from(*truth));
            }
            // Only the kind counts: a live server has its own clock, and the model's timestamps follow from the times
            // of the events.
            Value::Timestamp(_) => digest.word(5),
            Value::Array(items) => {
                digest.word(6);
                digest.word(items.len() as u64);
                items.iter().for_each(|item| item.digest(digest));
            }
        }
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Integer(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text.into())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("NULL"),
            Value::Integer(number) => write!(f, "{number}"),
            Value::Text(text) => write!(f, "'{text}'"),
            Value::Blob(bytes) => write!(f, "{} bytes", bytes.len()),
            Value::Bool(truth) => write!(f, "{truth}"),
            Value::Timestamp(time) => write!(f, "time {time}"),
            Value::Array(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
        }
    }
}

/// One row of a result or a table.
pub type Row = Rc<[Value]>;

/// A table's name and its columns in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<String>,
}

impl Table {
    /// The value of the named column in one of this table's rows.
    #[inline]
    pub fn value<'r>(&self, row: &'r Row, column: &str) -> Option<&'r Value> {
        row.get(self.columns.iter().position(|name| name == column)?)
    }
}

/// What a committed transaction did to one row, as the store reports it, in commit order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowChange {
    /// The table.
    pub table: Rc<Table>,
    /// Identifies the row within its table: SQLite's rowid; in Postgres a primary key of one number, or a digest of any
    /// other key.
    pub key: i64,
    /// The row before the statement; none for an insert.
    pub before: Option<Row>,
    /// The row after the statement; none for a delete.
    pub after: Option<Row>,
}

impl RowChange {
    /// The named column's value before, if the row existed.
    #[inline]
    pub fn value_before(&self, column: &str) -> Option<&Value> {
        self.table.value(self.before.as_ref()?, column)
    }

    /// The named column's value after, if the row still exists.
    #[inline]
    pub fn value_after(&self, column: &str) -> Option<&Value> {
        self.table.value(self.after.as_ref()?, column)
    }
}
