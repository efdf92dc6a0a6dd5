//! Operators and functions on whole texts, in the C locale: only ASCII letters have case, and lengths count characters.

use std::collections::BTreeSet;

use super::signature::Kind::{AnyNonArray, Bool, Bytea, Char, Int4, Jsonb, Rest, Text};
use super::signature::{Entry, lax, refused, strict};
use super::{cast, demand_length, int, mistyped, str};
use crate::error::{Failure, Result};
use crate::value::Value;

/// The maximum length in bytes of a text in the model; the server's limit is one gigabyte.
pub(super) const LONGEST: usize = 1 << 24;

/// `||` on operands that are not arrays.
pub(super) const OPERATORS: &[Entry] = &[
    strict("||", &[Text, Text], Text, joined),
    strict("||", &[Text, AnyNonArray], Text, joined),
    strict("||", &[AnyNonArray, Text], Text, joined),
    strict("||", &[Bytea, Bytea], Bytea, joined_bytes),
];

/// The functions.
pub(super) const FUNCTIONS: &[Entry] = &[
    strict("length", &[Text], Int4, length),
    strict("length", &[Bytea], Int4, octets),
    refused("length", &[Bytea, Text], Int4),
    strict("char_length", &[Text], Int4, length),
    strict("character_length", &[Text], Int4, length),
    strict("octet_length", &[Text], Int4, octets),
    strict("octet_length", &[Char], Int4, octets),
    strict("octet_length", &[Bytea], Int4, octets),
    strict("lower", &[Text], Text, |args| text(str(args, 0)?.to_ascii_lowercase())),
    strict("upper", &[Text], Text, |args| text(str(args, 0)?.to_ascii_uppercase())),
    strict("initcap", &[Text], Text, capitalised),
    strict("replace", &[Text, Text, Text], Text, replaced),
    strict("repeat", &[Text, Int4], Text, repeated),
    strict("reverse", &[Text], Text, |args| text(str(args, 0)?.chars().rev().collect())),
    strict("ascii", &[Text], Int4, first_code),
    strict("chr", &[Int4], Text, of_code),
    strict("starts_with", &[Text, Text], Bool, |args| {
        Ok(Value::Bool(str(args, 0)?.starts_with(str(args, 1)?)))
    }),
    strict("btrim", &[Text], Text, |args| trimmed(args, true, true)),
    strict("btrim", &[Text, Text], Text, |args| trimmed(args, true, true)),
    strict("ltrim", &[Text], Text, |args| trimmed(args, true, false)),
    strict("ltrim", &[Text, Text], Text, |args| trimmed(args, true, false)),
    strict("rtrim", &[Text], Text, |args| trimmed(args, false, true)),
    strict("rtrim", &[Text, Text], Text, |args| trimmed(args, false, true)),
    refused("btrim", &[Bytea, Bytea], Bytea),
    refused("ltrim", &[Bytea, Bytea], Bytea),
    refused("rtrim", &[Bytea, Bytea], Bytea),
    lax("concat", &[Rest], Text, |args| concatenated(args, "")),
    lax("concat_ws", &[Text, Rest], Text, separated),
    refused("jsonb_pretty", &[Jsonb], Text),
];

/// The text as a value.
pub(super) fn text(text: String) -> Result<Value> {
    Ok(Value::Text(text.into()))
}

/// A length or position as a value.
pub(super) fn count(count: usize) -> Result<Value> {
    i64::try_from(count).map(Value::Int).map_err(|_| too_long())
}

pub(super) fn too_long() -> Failure {
    Failure::not_modelled("a text longer than 16 MB")
}

fn joined(args: &[Value]) -> Result<Value> {
    let [left, right] = args else { return Err(mistyped()) };
    if let (Value::Text(left), Value::Text(right)) = (left, right) {
        let mut joined = String::with_capacity(left.len() + right.len());
        joined.push_str(left);
        joined.push_str(right);
        return if joined.len() > LONGEST { Err(too_long()) } else { text(joined) };
    }
    let joined = cast::written(left) + &cast::written(right);
    demand_length(joined.len())?;
    text(joined)
}

fn joined_bytes(args: &[Value]) -> Result<Value> {
    match args {
        [Value::Bytes(left), Value::Bytes(right)] => {
            demand_length(left.len() + right.len())?;
            Ok(Value::Bytes([&left[..], &right[..]].concat().into()))
        }
        _ => Err(mistyped()),
    }
}

fn length(args: &[Value]) -> Result<Value> {
    count(str(args, 0)?.chars().count())
}

fn octets(args: &[Value]) -> Result<Value> {
    match args.first() {
        Some(Value::Text(text) | Value::Padded(text)) => count(text.len()),
        Some(Value::Bytes(bytes)) => count(bytes.len()),
        _ => Err(mistyped()),
    }
}

fn capitalised(args: &[Value]) -> Result<Value> {
    let mut inside = false;
    let letter = |c: char| {
        let cased = if inside { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() };
        inside = c.is_ascii_alphanumeric();
        cased
    };
    text(str(args, 0)?.chars().map(letter).collect())
}

fn replaced(args: &[Value]) -> Result<Value> {
    let (source, from, to) = (str(args, 0)?, str(args, 1)?, str(args, 2)?);
    if from.is_empty() {
        return text(source.to_owned());
    }
    let grown = source.matches(from).count().saturating_mul(to.len());
    if grown.saturating_add(source.len()) > LONGEST {
        Err(too_long())
    } else {
        text(source.replace(from, to))
    }
}

fn repeated(args: &[Value]) -> Result<Value> {
    let (part, times) = (str(args, 0)?, usize::try_from(int(args, 1)?).unwrap_or(0));
    if part.len().saturating_mul(times) > LONGEST { Err(too_long()) } else { text(part.repeat(times)) }
}

fn first_code(args: &[Value]) -> Result<Value> {
    Ok(Value::Int(str(args, 0)?.chars().next().map_or(0, |c| i64::from(u32::from(c)))))
}

fn of_code(args: &[Value]) -> Result<Value> {
    match int(args, 0)? {
        0 => Err(Failure::sql("54000", "null character not permitted")),
        code => match u32::try_from(code).ok().and_then(char::from_u32) {
            Some(c) => text(c.to_string()),
            None => Err(Failure::not_modelled("chr of what is no character")),
        },
    }
}

fn trimmed(args: &[Value], left: bool, right: bool) -> Result<Value> {
    let source = str(args, 0)?;
    let set = if args.len() > 1 { str(args, 1)? } else { " " };
    let set: BTreeSet<char> = set.chars().collect();
    let is_cut = |c: char| set.contains(&c);
    let source = if left { source.trim_start_matches(is_cut) } else { source };
    text(if right { source.trim_end_matches(is_cut) } else { source }.to_owned())
}

/// The output forms of the non-NULL arguments, concatenated.
fn concatenated(args: &[Value], separator: &str) -> Result<Value> {
    let mut joined = String::new();
    let mut first = true;
    for value in args.iter().filter(|value| !matches!(value, Value::Null)) {
        if !first {
            joined.push_str(separator);
        }
        first = false;
        joined.push_str(&value.text());
        demand_length(joined.len())?;
    }
    text(joined)
}

fn separated(args: &[Value]) -> Result<Value> {
    match args.split_first() {
        Some((Value::Text(separator), rest)) => concatenated(rest, separator),
        Some((Value::Null, _)) => Ok(Value::Null),
        _ => Err(mistyped()),
    }
}
