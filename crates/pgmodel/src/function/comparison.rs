//! `=` and its kin. They must agree with the order of values everywhere: one order serves them all.

use std::cmp::Ordering;

use super::mistyped;
use super::signature::{Entry, Kind, refused, strict};
use crate::error::Result;
use crate::plan::Apply;
use crate::value::Value;

/// The pairs of types that are compared; in all of them both sides have the same form of value.
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
    &[Kind::Timestamptz, Kind::Timestamptz],
    &[Kind::Interval, Kind::Interval],
    &[Kind::Numeric, Kind::Numeric],
    &[Kind::AnyArray, Kind::AnyArray],
    &[Kind::Uuid, Kind::Uuid],
    &[Kind::Jsonb, Kind::Jsonb],
];

/// The comparison operators of that symbol.
pub(super) fn operators(symbol: &str) -> Vec<Entry> {
    let (name, apply): (&'static str, Apply) = match symbol {
        "=" => ("=", |args| compared(args, Ordering::is_eq)),
        "<>" => ("<>", |args| compared(args, Ordering::is_ne)),
        "<" => ("<", |args| compared(args, Ordering::is_lt)),
        "<=" => ("<=", |args| compared(args, Ordering::is_le)),
        ">" => (">", |args| compared(args, Ordering::is_gt)),
        ">=" => (">=", |args| compared(args, Ordering::is_ge)),
        _ => return Vec::new(),
    };
    let mut entries: Vec<Entry> = PAIRS.iter().map(|pair| strict(name, pair, Kind::Bool, apply)).collect();
    entries.push(refused(name, &[Kind::Float8, Kind::Float8], Kind::Bool));
    entries.push(refused(name, &[Kind::Timestamp, Kind::Timestamp], Kind::Bool));
    entries
}

#[inline]
fn compared(args: &[Value], test: fn(Ordering) -> bool) -> Result<Value> {
    match args {
        [a, b] => Ok(Value::Bool(test(a.compare(b)))),
        _ => Err(mistyped()),
    }
}
