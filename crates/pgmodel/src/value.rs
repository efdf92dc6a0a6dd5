//! Values and their types, as the model computes with them.

use std::rc::Rc;

mod json;
mod numeric;

pub use json::Json;
pub use numeric::Numeric;

/// A type of Postgres' that the model knows (manual, chapter 8).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    /// `boolean`.
    Bool,
    /// `smallint`.
    Int2,
    /// `integer`.
    Int4,
    /// `bigint`.
    Int8,
    /// `text`.
    Text,
    /// `character varying`, with its length if one is given.
    Varchar(Option<u32>),
    /// `timestamp with time zone`; the session's zone is UTC.
    Timestamptz,
    /// `interval`.
    Interval,
    /// `numeric`, with precision and scale if they are given.
    Numeric(Option<(u16, u16)>),
    /// `uuid`.
    Uuid,
    /// `jsonb`.
    Jsonb,
    /// `bytea`.
    Bytea,
    /// A one-dimensional array.
    Array(Box<Type>),
    /// `void`, what `pg_sleep` and waiting advisory locks return.
    Void,
    /// A literal or parameter whose type the context must give (manual, 10.1).
    Unknown,
}

/// A value of one of the types.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// SQL's NULL, of any type.
    Null,
    /// `boolean`.
    Bool(bool),
    /// `smallint`, `integer` or `bigint`; the type says which.
    Int(i64),
    /// `text`, `character varying`, or a literal of type unknown.
    Text(Rc<str>),
    /// Microseconds since 2000-01-01 00:00:00 UTC, as the server counts.
    Timestamptz(i64),
    /// Months, days and microseconds.
    Interval(i32, i32, i64),
    /// `numeric`.
    Numeric(Rc<Numeric>),
    /// `uuid`.
    Uuid(u128),
    /// `jsonb`.
    Json(Rc<Json>),
    /// `bytea`.
    Bytes(Rc<[u8]>),
    /// A one-dimensional array.
    Array(Rc<[Value]>),
    /// `void`.
    Void,
}

/// A tuple: the values of a row in the order of its columns.
pub type Tuple = Rc<[Value]>;
