//! Operators and functions that read `jsonb`. A missing key or element is NULL, not an error.

use std::rc::Rc;

use super::signature::Kind::{Bool, Int4, Json as PlainJson, Jsonb, Text, TextArray};
use super::signature::{Entry, refused, strict};
use super::text::{count, text};
use super::{int, mistyped, str};
use crate::error::{Failure, Result};
use crate::limit;
use crate::value::{Json, Value};

/// The operators; those of `json` matter only for overload resolution.
pub(super) const OPERATORS: &[Entry] = &[
    strict("->", &[Jsonb, Text], Jsonb, |args| Ok(as_json(json(args, 0)?.get(str(args, 1)?)))),
    strict("->", &[Jsonb, Int4], Jsonb, |args| Ok(as_json(indexed(args)?))),
    strict("->>", &[Jsonb, Text], Text, |args| Ok(as_text(json(args, 0)?.get(str(args, 1)?)))),
    strict("->>", &[Jsonb, Int4], Text, |args| Ok(as_text(indexed(args)?))),
    strict("#>", &[Jsonb, TextArray], Jsonb, |args| Ok(as_json(followed(args)?))),
    strict("#>>", &[Jsonb, TextArray], Text, |args| Ok(as_text(followed(args)?))),
    strict("?", &[Jsonb, Text], Bool, |args| Ok(Value::Bool(exists(json(args, 0)?, str(args, 1)?)))),
    strict("?|", &[Jsonb, TextArray], Bool, |args| Ok(Value::Bool(keys(args)?.any(|found| found)))),
    strict("?&", &[Jsonb, TextArray], Bool, |args| Ok(Value::Bool(keys(args)?.all(|found| found)))),
    strict("@>", &[Jsonb, Jsonb], Bool, |args| contains(json(args, 0)?, json(args, 1)?)),
    strict("<@", &[Jsonb, Jsonb], Bool, |args| contains(json(args, 1)?, json(args, 0)?)),
    refused("->", &[PlainJson, Text], PlainJson),
    refused("->", &[PlainJson, Int4], PlainJson),
    refused("->>", &[PlainJson, Text], Text),
    refused("->>", &[PlainJson, Int4], Text),
    refused("#>", &[PlainJson, TextArray], PlainJson),
    refused("#>>", &[PlainJson, TextArray], Text),
];

/// The functions.
pub(super) const FUNCTIONS: &[Entry] = &[
    strict("jsonb_typeof", &[Jsonb], Text, |args| text(json(args, 0)?.kind().to_owned())),
    strict("jsonb_array_length", &[Jsonb], Int4, length),
];

/// The argument as `jsonb`.
pub(super) fn json(args: &[Value], index: usize) -> Result<&Json> {
    match args.get(index) {
        Some(Value::Json(json)) => Ok(json),
        _ => Err(mistyped()),
    }
}

/// The elements of a `text[]` argument, including NULLs.
pub(super) fn texts(args: &[Value], index: usize) -> Result<Vec<Option<Rc<str>>>> {
    let Some(Value::Array(elements)) = args.get(index) else { return Err(mistyped()) };
    let text = |element: &Value| match element {
        Value::Text(text) => Ok(Some(text.clone())),
        Value::Null => Ok(None),
        _ => Err(mistyped()),
    };
    elements.iter().map(text).collect()
}

fn as_json(found: Option<&Json>) -> Value {
    found.map_or(Value::Null, |json| Value::Json(Rc::new(json.clone())))
}

/// A string without its quotes; JSON null becomes SQL NULL.
pub(super) fn as_text(found: Option<&Json>) -> Value {
    match found {
        None | Some(Json::Null) => Value::Null,
        Some(Json::String(text)) => Value::Text(text.clone()),
        Some(other) => Value::Text(other.to_string().into()),
    }
}

/// The element at an index. The server stores a top-level scalar as an array of one element, and this operator does not
/// distinguish the two.
fn indexed(args: &[Value]) -> Result<Option<&Json>> {
    let (json, index) = (json(args, 0)?, int(args, 1)?);
    if json.is_scalar() {
        return Ok(matches!(index, 0 | -1).then_some(json));
    }
    Ok(json.at(index))
}

/// The array index that a path element denotes.
pub(super) fn path_index(step: &str) -> Option<i64> {
    step.trim_start().parse::<i32>().ok().map(i64::from)
}

fn followed(args: &[Value]) -> Result<Option<&Json>> {
    let mut at = json(args, 0)?;
    let path = texts(args, 1)?;
    // A path with a NULL in it finds nothing.
    if path.iter().any(Option::is_none) {
        return Ok(None);
    }
    for step in path.iter().flatten() {
        let next = match at {
            Json::Object(_) => at.get(step),
            Json::Array(_) => path_index(step).and_then(|index| at.at(index)),
            _ => None,
        };
        match next {
            Some(json) => at = json,
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}

/// Whether a string is a key of the object, an element of the array, or the scalar itself.
fn exists(json: &Json, key: &str) -> bool {
    let is_key = |json: &Json| matches!(json, Json::String(text) if **text == *key);
    match json {
        Json::Object(_) => json.get(key).is_some(),
        Json::Array(elements) => elements.iter().any(is_key),
        scalar => is_key(scalar),
    }
}

/// For each non-NULL key of the second argument, whether it exists.
fn keys(args: &[Value]) -> Result<impl Iterator<Item = bool>> {
    let json = json(args, 0)?;
    Ok(texts(args, 1)?.into_iter().flatten().map(move |key| exists(json, &key)))
}

/// `@>`. As a special case, a top-level array contains a scalar that is one of its elements.
fn contains(outer: &Json, inner: &Json) -> Result<Value> {
    // Every value weighs at least 48 bytes.
    let values = |json: &Json| usize::try_from(json.weight() / 48).unwrap_or(usize::MAX);
    limit::demand_comparisons(values(outer), values(inner))?;
    Ok(Value::Bool(match (outer, inner) {
        (Json::Array(elements), scalar) if scalar.is_scalar() => {
            elements.iter().any(|element| element == scalar)
        }
        _ => contains_nested(outer, inner),
    }))
}

fn contains_nested(outer: &Json, inner: &Json) -> bool {
    match (outer, inner) {
        (Json::Object(_), Json::Object(pairs)) => {
            pairs.iter().all(|(key, value)| outer.get(key).is_some_and(|found| contains_nested(found, value)))
        }
        (Json::Array(elements), Json::Array(wanted)) => {
            wanted.iter().all(|value| elements.iter().any(|element| contains_nested(element, value)))
        }
        (outer, inner) => outer.is_scalar() && inner.is_scalar() && outer == inner,
    }
}

fn length(args: &[Value]) -> Result<Value> {
    match json(args, 0)? {
        Json::Array(elements) => count(elements.len()),
        Json::Object(_) => Err(Failure::sql("22023", "cannot get array length of a non-array")),
        _ => Err(Failure::sql("22023", "cannot get array length of a scalar")),
    }
}
