//! Operators and functions of one-dimensional arrays with lower bound 1. No function returns an array of arrays.

use super::signature::Kind::{AnyArray, Bool, Compat, CompatArray, Int4, Text};
use super::signature::{Entry, lax, refused, strict};
use super::text::{count, text};
use super::{demand_length, int, mistyped, str};
use crate::error::Result;
use crate::limit;
use crate::value::Value;

/// The operators.
pub(super) const OPERATORS: &[Entry] = &[
    lax("||", &[CompatArray, CompatArray], CompatArray, joined),
    lax("||", &[CompatArray, Compat], CompatArray, appended),
    lax("||", &[Compat, CompatArray], CompatArray, prepended),
    strict("@>", &[AnyArray, AnyArray], Bool, |args| Ok(Value::Bool(contains(args, 0, 1)?))),
    strict("<@", &[AnyArray, AnyArray], Bool, |args| Ok(Value::Bool(contains(args, 1, 0)?))),
    strict("&&", &[AnyArray, AnyArray], Bool, overlap),
];

/// The functions.
pub(super) const FUNCTIONS: &[Entry] = &[
    strict("array_length", &[AnyArray, Int4], Int4, length),
    strict("array_upper", &[AnyArray, Int4], Int4, length),
    strict("array_lower", &[AnyArray, Int4], Int4, lower),
    strict("array_ndims", &[AnyArray], Int4, dimensions),
    strict("cardinality", &[AnyArray], Int4, |args| count(elements(args, 0)?.len())),
    lax("array_append", &[CompatArray, Compat], CompatArray, appended),
    lax("array_prepend", &[Compat, CompatArray], CompatArray, prepended),
    lax("array_cat", &[CompatArray, CompatArray], CompatArray, joined),
    lax("array_remove", &[CompatArray, Compat], CompatArray, removed),
    lax("array_replace", &[CompatArray, Compat, Compat], CompatArray, replaced),
    lax("array_position", &[CompatArray, Compat], Int4, position),
    refused("array_position", &[CompatArray, Compat, Int4], Int4),
    strict("array_to_string", &[AnyArray, Text], Text, written),
    lax("array_to_string", &[AnyArray, Text, Text], Text, written),
];

/// The elements of an array argument.
fn elements(args: &[Value], index: usize) -> Result<&[Value]> {
    match args.get(index) {
        Some(Value::Array(elements)) => Ok(elements),
        _ => Err(mistyped()),
    }
}

/// The elements of an array argument; `None` for NULL.
fn elements_or_null(args: &[Value], index: usize) -> Result<Option<&[Value]>> {
    if matches!(args.get(index), Some(Value::Null)) { Ok(None) } else { elements(args, index).map(Some) }
}

/// The element at an index; NULL if the index is out of bounds.
pub(super) fn element(args: &[Value]) -> Result<Value> {
    let index = usize::try_from(int(args, 1)? - 1).ok();
    let elements = elements(args, 0)?;
    Ok(index.and_then(|index| elements.get(index)).cloned().unwrap_or(Value::Null))
}

/// The elements between two indexes.
pub(super) fn slice(args: &[Value]) -> Result<Value> {
    let (elements, lower, upper) = (elements(args, 0)?, int(args, 1)?.max(1), int(args, 2)?);
    let upper = usize::try_from(upper).unwrap_or(0).min(elements.len());
    let lower = usize::try_from(lower - 1).unwrap_or(usize::MAX).min(upper);
    Ok(Value::Array(elements[lower..upper].into()))
}

fn joined(args: &[Value]) -> Result<Value> {
    match (elements_or_null(args, 0)?, elements_or_null(args, 1)?) {
        (None, None) => Ok(Value::Null),
        (Some(one), None) | (None, Some(one)) => Ok(Value::Array(one.into())),
        (Some(left), Some(right)) => {
            limit::demand_elements(left.len() + right.len())?;
            Ok(Value::Array([left, right].concat().into()))
        }
    }
}

fn appended(args: &[Value]) -> Result<Value> {
    let element = args.get(1).ok_or_else(mistyped)?;
    let array = elements_or_null(args, 0)?.unwrap_or(&[]);
    limit::demand_elements(array.len() + 1)?;
    Ok(Value::Array(array.iter().chain([element]).cloned().collect()))
}

fn prepended(args: &[Value]) -> Result<Value> {
    let element = args.first().ok_or_else(mistyped)?;
    let array = elements_or_null(args, 1)?.unwrap_or(&[]);
    limit::demand_elements(array.len() + 1)?;
    Ok(Value::Array([element].into_iter().chain(array).cloned().collect()))
}

/// Whether every element of `inner` is an element of `outer`; NULL equals no element.
fn contains(args: &[Value], outer: usize, inner: usize) -> Result<bool> {
    let (outer, inner) = (elements(args, outer)?, elements(args, inner)?);
    limit::demand_comparisons(outer.len(), inner.len())?;
    Ok(inner.iter().all(|element| !matches!(element, Value::Null) && outer.contains(element)))
}

fn overlap(args: &[Value]) -> Result<Value> {
    let (left, right) = (elements(args, 0)?, elements(args, 1)?);
    limit::demand_comparisons(left.len(), right.len())?;
    let shared = left.iter().any(|element| !matches!(element, Value::Null) && right.contains(element));
    Ok(Value::Bool(shared))
}

fn length(args: &[Value]) -> Result<Value> {
    let array = elements(args, 0)?;
    if int(args, 1)? != 1 || array.is_empty() { Ok(Value::Null) } else { count(array.len()) }
}

fn lower(args: &[Value]) -> Result<Value> {
    let array = elements(args, 0)?;
    Ok(if int(args, 1)? != 1 || array.is_empty() { Value::Null } else { Value::Int(1) })
}

fn dimensions(args: &[Value]) -> Result<Value> {
    Ok(if elements(args, 0)?.is_empty() { Value::Null } else { Value::Int(1) })
}

fn removed(args: &[Value]) -> Result<Value> {
    let Some(array) = elements_or_null(args, 0)? else { return Ok(Value::Null) };
    let element = args.get(1).ok_or_else(mistyped)?;
    Ok(Value::Array(array.iter().filter(|other| *other != element).cloned().collect()))
}

fn replaced(args: &[Value]) -> Result<Value> {
    let Some(array) = elements_or_null(args, 0)? else { return Ok(Value::Null) };
    let (Some(from), Some(to)) = (args.get(1), args.get(2)) else { return Err(mistyped()) };
    Ok(Value::Array(array.iter().map(|other| if other == from { to } else { other }).cloned().collect()))
}

fn position(args: &[Value]) -> Result<Value> {
    let Some(array) = elements_or_null(args, 0)? else { return Ok(Value::Null) };
    let element = args.get(1).ok_or_else(mistyped)?;
    match array.iter().position(|other| other == element) {
        Some(index) => count(index + 1),
        None => Ok(Value::Null),
    }
}

fn written(args: &[Value]) -> Result<Value> {
    if args.iter().take(2).any(|value| matches!(value, Value::Null)) {
        return Ok(Value::Null);
    }
    let (array, delimiter) = (elements(args, 0)?, str(args, 1)?);
    let null = match args.get(2) {
        None | Some(Value::Null) => None,
        Some(_) => Some(str(args, 2)?.to_owned()),
    };
    let part = |value: &Value| if *value == Value::Null { null.clone() } else { Some(value.text()) };
    let parts: Vec<String> = array.iter().filter_map(part).collect();
    let whole: usize = parts.iter().map(|part| part.len() + delimiter.len()).sum();
    demand_length(whole)?;
    text(parts.join(delimiter))
}
