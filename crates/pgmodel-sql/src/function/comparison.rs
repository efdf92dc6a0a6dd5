//! `=` and the other comparison operators. All use the one order of values, so they agree with sorting and indexes.

use std::cmp::Ordering;

use super::mistyped;
use super::signature::{Entry, Kind, refused, strict};
use crate::error::Result;
use crate::plan::Apply;
use crate::value::{DAY, Value};

/// The pairs of types that can be compared; in each pair both sides are represented alike.
const PAIRS: &[&[Kind]] = &[
    &[Kind::Bool, Kind::Bool],
    &[Kind::Bytea, Kind::Bytea],
    &[Kind::Int2, Kind::Int2],
    &[Kind::Int2, Kind::Int4],
    &[Kind::Int2, Kind::Int8],
    &[Kind::Int4, Kind::Int2],
    &[Kind::Int4, Kind::Int4],
    &[Kind::Int4, Kind::Int8],
    &[Kind::Int8, Kind::Int2],
    &[Kind::Int8, Kind::Int4],
    &[Kind::Int8, Kind::Int8],
    &[Kind::Text, Kind::Text],
    &[Kind::Char, Kind::Char],
    &[Kind::Date, Kind::Date],
    &[Kind::Timestamp, Kind::Timestamp],
    &[Kind::Timestamptz, Kind::Timestamptz],
    &[Kind::Interval, Kind::Interval],
    &[Kind::Numeric, Kind::Numeric],
    &[Kind::AnyArray, Kind::AnyArray],
    &[Kind::Uuid, Kind::Uuid],
    &[Kind::Jsonb, Kind::Jsonb],
];

/// The pairs of types whose sides are represented differently: date and timestamp types, converted in the session's
/// time zone, which is UTC.
const MIXED: &[&[Kind]] = &[
    &[Kind::Date, Kind::Timestamp],
    &[Kind::Timestamp, Kind::Date],
    &[Kind::Date, Kind::Timestamptz],
    &[Kind::Timestamptz, Kind::Date],
    &[Kind::Timestamp, Kind::Timestamptz],
    &[Kind::Timestamptz, Kind::Timestamp],
];

/// The comparison operators with that symbol.
pub(super) fn operators(symbol: &str) -> Vec<Entry> {
    let (name, apply, mixed): (&'static str, Apply, Apply) = match symbol {
        "=" => ("=", |args| compared(args, Ordering::is_eq), |args| in_time(args, Ordering::is_eq)),
        "<>" => ("<>", |args| compared(args, Ordering::is_ne), |args| in_time(args, Ordering::is_ne)),
        "<" => ("<", |args| compared(args, Ordering::is_lt), |args| in_time(args, Ordering::is_lt)),
        "<=" => ("<=", |args| compared(args, Ordering::is_le), |args| in_time(args, Ordering::is_le)),
        ">" => (">", |args| compared(args, Ordering::is_gt), |args| in_time(args, Ordering::is_gt)),
        ">=" => (">=", |args| compared(args, Ordering::is_ge), |args| in_time(args, Ordering::is_ge)),
        _ => return Vec::new(),
    };
    let mut entries: Vec<Entry> = PAIRS.iter().map(|pair| strict(name, pair, Kind::Bool, apply)).collect();
    entries.extend(MIXED.iter().map(|pair| strict(name, pair, Kind::Bool, mixed)));
    entries.push(refused(name, &[Kind::Float8, Kind::Float8], Kind::Bool));
    entries
}

#[inline]
fn compared(args: &[Value], test: fn(Ordering) -> bool) -> Result<Value> {
    match args {
        [a, b] => Ok(Value::Bool(test(a.compare(b)))),
        _ => Err(mistyped()),
    }
}

/// A point in time in microseconds since 2000; that of a date may be outside the range of timestamps.
fn instant(value: &Value) -> Result<i128> {
    match value {
        Value::Date(days) => Ok(i128::from(*days) * i128::from(DAY)),
        Value::Timestamp(micros) | Value::Timestamptz(micros) => Ok(i128::from(*micros)),
        _ => Err(mistyped()),
    }
}

fn in_time(args: &[Value], test: fn(Ordering) -> bool) -> Result<Value> {
    match args {
        [a, b] => Ok(Value::Bool(test(instant(a)?.cmp(&instant(b)?)))),
        _ => Err(mistyped()),
    }
}
