//! Functions that split or pad texts. Positions count characters from 1, not bytes.

use super::signature::Kind::{Bytea, Int4, Text, TextArray};
use super::signature::{Entry, lax, refused, strict};
use super::text::{LONGEST, count, text, too_long};
use super::{int, mistyped, str};
use crate::error::{Failure, Result};
use crate::limit;
use crate::value::Value;

/// The functions.
pub(super) const FUNCTIONS: &[Entry] = &[
    strict("substr", &[Text, Int4], Text, substring),
    strict("substr", &[Text, Int4, Int4], Text, substring),
    strict("substring", &[Text, Int4], Text, substring),
    strict("substring", &[Text, Int4, Int4], Text, substring),
    refused("substring", &[Text, Text], Text),
    refused("substring", &[Text, Text, Text], Text),
    refused("substring", &[Bytea, Int4], Bytea),
    refused("substring", &[Bytea, Int4, Int4], Bytea),
    refused("substr", &[Bytea, Int4], Bytea),
    refused("substr", &[Bytea, Int4, Int4], Bytea),
    strict("left", &[Text, Int4], Text, left),
    strict("right", &[Text, Int4], Text, right),
    strict("lpad", &[Text, Int4], Text, |args| padded(args, true)),
    strict("lpad", &[Text, Int4, Text], Text, |args| padded(args, true)),
    strict("rpad", &[Text, Int4], Text, |args| padded(args, false)),
    strict("rpad", &[Text, Int4, Text], Text, |args| padded(args, false)),
    strict("split_part", &[Text, Text, Int4], Text, field),
    strict("strpos", &[Text, Text], Int4, position),
    strict("position", &[Text, Text], Int4, position),
    refused("position", &[Bytea, Bytea], Int4),
    lax("string_to_array", &[Text, Text], TextArray, fields),
    lax("string_to_array", &[Text, Text, Text], TextArray, fields),
];

/// The characters from `start` up to but not including `end`, counted from 1; positions outside the text are ignored.
fn slice(source: &str, start: i64, end: i64) -> String {
    let first = usize::try_from(start.max(1) - 1).unwrap_or(usize::MAX);
    let length = usize::try_from(end.saturating_sub(start.max(1))).unwrap_or(0);
    source.chars().skip(first).take(length).collect()
}

fn substring(args: &[Value]) -> Result<Value> {
    let (source, start) = (str(args, 0)?, int(args, 1)?);
    let end = match args.get(2) {
        None => i64::MAX,
        Some(_) => {
            let length = int(args, 2)?;
            if length < 0 {
                return Err(Failure::sql("22011", "negative substring length not allowed"));
            }
            start + length
        }
    };
    text(slice(source, start, end))
}

fn characters(source: &str) -> i64 {
    i64::try_from(source.chars().count()).unwrap_or(i64::MAX)
}

fn left(args: &[Value]) -> Result<Value> {
    let (source, length) = (str(args, 0)?, int(args, 1)?);
    let end = if length < 0 { characters(source) + length } else { length };
    text(slice(source, 1, end.saturating_add(1)))
}

fn right(args: &[Value]) -> Result<Value> {
    let (source, length) = (str(args, 0)?, int(args, 1)?);
    // The server's negation of the smallest integer overflows to itself, so the result is the whole text.
    let least = i64::from(i32::MIN);
    let skipped = match length {
        _ if length == least => 0,
        ..0 => -length,
        _ => characters(source) - length,
    };
    text(slice(source, skipped.saturating_add(1), i64::MAX))
}

fn padded(args: &[Value], before: bool) -> Result<Value> {
    let (source, length) = (str(args, 0)?, usize::try_from(int(args, 1)?).unwrap_or(0));
    let fill = if args.len() > 2 { str(args, 2)? } else { " " };
    if length.saturating_mul(4) > LONGEST {
        return Err(too_long());
    }
    let kept: String = source.chars().take(length).collect();
    let missing = length - kept.chars().count();
    let padding: String = fill.chars().cycle().take(missing).collect();
    text(if before { padding + &kept } else { kept + &padding })
}

fn field(args: &[Value]) -> Result<Value> {
    let (source, delimiter, index) = (str(args, 0)?, str(args, 1)?, int(args, 2)?);
    if index == 0 {
        return Err(Failure::sql("22023", "field position must not be zero"));
    }
    let parts: Vec<&str> =
        if delimiter.is_empty() { vec![source] } else { source.split(delimiter).collect() };
    let distance = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
    let found = if index > 0 { parts.get(distance - 1) } else { parts.iter().rev().nth(distance - 1) };
    text(found.copied().unwrap_or("").to_owned())
}

fn position(args: &[Value]) -> Result<Value> {
    let source = str(args, 0)?;
    match source.find(str(args, 1)?) {
        Some(at) => count(source[..at].chars().count() + 1),
        None => Ok(Value::Int(0)),
    }
}

/// The fields of a text. A NULL delimiter makes each character a field; a field equal to the third argument is NULL.
fn fields(args: &[Value]) -> Result<Value> {
    let source = match args.first() {
        Some(Value::Null) => return Ok(Value::Null),
        _ => str(args, 0)?,
    };
    let null = match args.get(2) {
        None | Some(Value::Null) => None,
        Some(_) => Some(str(args, 2)?),
    };
    let fields = match args.get(1) {
        Some(Value::Null) => source.len(),
        Some(Value::Text(delimiter)) if !delimiter.is_empty() => source.matches(&**delimiter).count() + 1,
        _ => 1,
    };
    limit::demand_elements(fields)?;
    let parts: Vec<String> = match args.get(1) {
        _ if source.is_empty() => Vec::new(),
        Some(Value::Null) => source.chars().map(String::from).collect(),
        Some(Value::Text(delimiter)) if delimiter.is_empty() => vec![source.to_owned()],
        Some(Value::Text(delimiter)) => source.split(&**delimiter).map(ToOwned::to_owned).collect(),
        _ => return Err(mistyped()),
    };
    let value =
        |part: String| if null == Some(part.as_str()) { Value::Null } else { Value::Text(part.into()) };
    Ok(Value::Array(parts.into_iter().map(value).collect()))
}
