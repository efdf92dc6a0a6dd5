//! Functions that build `jsonb` from other values. Times are written in ISO form, whatever their text form is.

use std::rc::Rc;

use super::json::json;
use super::mistyped;
use super::signature::Kind::{AnyElement, Jsonb, Rest};
use super::signature::{Entry, lax, strict};
use crate::error::{Failure, Result};
use crate::value::{JSON_DEPTH, Json, Numeric, Value, json_too_deep, local_iso_text, timestamp_iso_text};

/// The functions.
pub(super) const FUNCTIONS: &[Entry] = &[
    strict("to_jsonb", &[AnyElement], Jsonb, |args| made(&of(args.first().ok_or_else(mistyped)?))),
    lax("jsonb_build_object", &[], Jsonb, object),
    lax("jsonb_build_object", &[Rest], Jsonb, object),
    lax("jsonb_build_array", &[], Jsonb, array),
    lax("jsonb_build_array", &[Rest], Jsonb, array),
    strict("jsonb_strip_nulls", &[Jsonb], Jsonb, |args| made(&stripped(json(args, 0)?))),
];

/// The `jsonb` as a value.
pub(super) fn made(json: &Json) -> Result<Value> {
    // Repeated wrapping of one value in another would otherwise exceed the depth that traversals can handle.
    if json.depth() > JSON_DEPTH {
        return Err(json_too_deep());
    }
    Ok(Value::Json(Rc::new(json.clone())))
}

/// The `jsonb` for a value.
fn of(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(bool) => Json::Bool(*bool),
        Value::Int(int) => Json::Number(Numeric::from_int(*int)),
        Value::Numeric(numeric) => Json::Number((**numeric).clone()),
        Value::Json(json) => (**json).clone(),
        Value::Array(elements) => Json::Array(elements.iter().map(of).collect()),
        Value::Timestamptz(micros) => Json::String(timestamp_iso_text(*micros).into()),
        Value::Timestamp(micros) => Json::String(local_iso_text(*micros).into()),
        Value::Text(text) | Value::Padded(text) => Json::String(text.clone()),
        Value::Date(_) | Value::Interval(..) | Value::Uuid(_) | Value::Bytes(_) | Value::Void => {
            Json::String(value.text().into())
        }
    }
}

fn key(value: &Value, position: usize) -> Result<Rc<str>> {
    match value {
        Value::Null => Err(Failure::sql("22023", format!("argument {position}: key must not be null"))),
        Value::Array(_) | Value::Json(_) => {
            Err(Failure::sql("22023", "key value must be scalar, not array, composite, or json"))
        }
        other => Ok(match of(other) {
            Json::String(text) => text,
            scalar => scalar.to_string().into(),
        }),
    }
}

pub(super) fn object(args: &[Value]) -> Result<Value> {
    if !args.len().is_multiple_of(2) {
        return Err(Failure::sql("22023", "argument list must have even number of elements"));
    }
    let mut pairs = Vec::with_capacity(args.len() / 2);
    for (index, pair) in args.chunks_exact(2).enumerate() {
        pairs.push((key(&pair[0], 2 * index + 1)?, of(&pair[1])));
    }
    made(&Json::object(pairs))
}

pub(super) fn array(args: &[Value]) -> Result<Value> {
    made(&Json::Array(args.iter().map(of).collect()))
}

/// The value without the object fields, at any depth, whose value is null.
fn stripped(json: &Json) -> Json {
    match json {
        Json::Object(pairs) => {
            let kept = pairs.iter().filter(|(_, value)| !matches!(value, Json::Null));
            Json::Object(kept.map(|(key, value)| (key.clone(), stripped(value))).collect())
        }
        Json::Array(elements) => Json::Array(elements.iter().map(stripped).collect()),
        scalar => scalar.clone(),
    }
}
