//! Operators and functions that change `jsonb`: `||`, `-`, `#-` and `jsonb_set`. The keys of an object stay sorted.

use std::rc::Rc;

use super::json::{json, path_index, texts};
use super::json_build::made;
use super::signature::Kind::{Bool, Int4, Jsonb, Text, TextArray};
use super::signature::{Entry, refused, strict};
use super::{int, str};
use crate::error::{Failure, Result};
use crate::value::{Json, Value};

/// The operators.
pub(super) const OPERATORS: &[Entry] = &[
    strict("||", &[Jsonb, Jsonb], Jsonb, joined),
    strict("-", &[Jsonb, Text], Jsonb, |args| without_keys(json(args, 0)?, &[str(args, 1)?])),
    strict("-", &[Jsonb, Int4], Jsonb, without_index),
    strict("-", &[Jsonb, TextArray], Jsonb, without_list),
    refused("#-", &[Jsonb, TextArray], Jsonb),
];

/// The functions.
pub(super) const FUNCTIONS: &[Entry] = &[
    strict("jsonb_set", &[Jsonb, TextArray, Jsonb], Jsonb, set),
    strict("jsonb_set", &[Jsonb, TextArray, Jsonb, Bool], Jsonb, set),
];

/// Two objects are merged; anything else is concatenated as arrays, with a non-array as one element.
fn joined(args: &[Value]) -> Result<Value> {
    let (left, right) = (json(args, 0)?, json(args, 1)?);
    if let (Json::Object(left), Json::Object(right)) = (left, right) {
        return made(&Json::object([left.as_slice(), right].concat()));
    }
    let elements = |json: &Json| match json {
        Json::Array(elements) => elements.clone(),
        other => vec![other.clone()],
    };
    made(&Json::Array([elements(left), elements(right)].concat()))
}

fn without_keys(json: &Json, keys: &[&str]) -> Result<Value> {
    match json {
        Json::Object(pairs) => {
            let kept = pairs.iter().filter(|(key, _)| !keys.contains(&&**key));
            made(&Json::Object(kept.cloned().collect()))
        }
        Json::Array(elements) => {
            let is_gone = |element: &&Json| matches!(element, Json::String(text) if keys.contains(&&**text));
            made(&Json::Array(elements.iter().filter(|element| !is_gone(element)).cloned().collect()))
        }
        _ => Err(Failure::sql("22023", "cannot delete from scalar")),
    }
}

fn without_list(args: &[Value]) -> Result<Value> {
    let keys = texts(args, 1)?;
    let keys: Vec<&str> = keys.iter().flatten().map(|key| &**key).collect();
    without_keys(json(args, 0)?, &keys)
}

fn without_index(args: &[Value]) -> Result<Value> {
    match json(args, 0)? {
        Json::Array(elements) => {
            let mut elements = elements.clone();
            if let Some(Ok(index)) = place(int(args, 1)?, elements.len()) {
                elements.remove(index);
            }
            made(&Json::Array(elements))
        }
        Json::Object(_) => Err(Failure::sql("22023", "cannot delete from object using integer index")),
        _ => Err(Failure::sql("22023", "cannot delete from scalar")),
    }
}

/// The position of an index: inside the array (`Ok`), or past one of its ends (`Err`, true for the front).
type Place = std::result::Result<usize, bool>;

/// The position of an index, which counts from the end if negative.
fn place(index: i64, length: usize) -> Option<Place> {
    let length = i64::try_from(length).ok()?;
    let index = if index < 0 { index + length } else { index };
    Some(match usize::try_from(index) {
        Err(_) => Err(true),
        Ok(_) if index >= length => Err(false),
        Ok(index) => Ok(index),
    })
}

fn set(args: &[Value]) -> Result<Value> {
    let (target, path, value) = (json(args, 0)?, texts(args, 1)?, json(args, 2)?);
    let create = !matches!(args.get(3), Some(Value::Bool(false)));
    if target.is_scalar() {
        return Err(Failure::sql("22023", "cannot set path in scalar"));
    }
    if path.is_empty() {
        return made(target);
    }
    made(&replaced(target, &path, 0, value, create)?)
}

/// Replaces the value at a path. A missing key or element is added only for the last step of the path.
fn replaced(at: &Json, path: &[Option<Rc<str>>], depth: usize, value: &Json, create: bool) -> Result<Json> {
    if at.is_scalar() {
        return Ok(at.clone());
    }
    let position = depth + 1;
    let Some(step) = &path[depth] else {
        return Err(Failure::sql("22004", format!("path element at position {position} is null")));
    };
    let is_last = position == path.len();
    let inner = |old: &Json| {
        if is_last { Ok(value.clone()) } else { replaced(old, path, position, value, create) }
    };
    match at {
        Json::Object(pairs) => {
            let mut pairs = pairs.clone();
            match pairs.iter_mut().find(|(key, _)| key == step) {
                Some((_, old)) => *old = inner(old)?,
                None if is_last && create => pairs.push((step.clone(), value.clone())),
                None => {}
            }
            Ok(Json::object(pairs))
        }
        Json::Array(elements) => {
            let message = || format!("path element at position {position} is not an integer: \"{step}\"");
            let index = path_index(step).ok_or_else(|| Failure::sql("22P02", message()))?;
            let mut elements = elements.clone();
            match place(index, elements.len()) {
                Some(Ok(index)) => elements[index] = inner(&elements[index])?,
                Some(Err(front)) if is_last && create => {
                    elements.insert(if front { 0 } else { elements.len() }, value.clone());
                }
                _ => {}
            }
            Ok(Json::Array(elements))
        }
        scalar => Ok(scalar.clone()),
    }
}
