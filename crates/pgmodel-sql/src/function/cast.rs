//! Casts: which exist, in which contexts, and what they do. A cast that the server lacks is never emulated by another.

use std::rc::Rc;

use super::signature::category;
use super::{Cast, CastContext, demand_length, int, integer, mistyped, str};
use crate::error::{Failure, Result};
use crate::plan::Apply;
use crate::value::{DAY, Json, Numeric, Type, Value, midnight, unpadded};

/// The offset that the server adds to a length when it packs a type modifier (VARHDRSZ).
const HEADER: i64 = 4;

/// The cast from one type to another.
pub(super) fn cast(from: &Type, to: &Type, context: CastContext) -> Result<Option<Cast>> {
    let missing = || Failure::sql("42846", format!("cannot cast type {} to {}", from.name(), to.name()));
    if from == to {
        return Ok(None);
    }
    let (least, step) = pathway(&from.base(), &to.base()).ok_or_else(missing)?;
    if context < least {
        return Err(missing());
    }
    if let (Type::Array(from), Type::Array(to)) = (from, to) {
        return Ok(cast(from, to, context)?.map(|each| Cast::Elements(Box::new(each))));
    }
    let explicit = context == CastContext::Explicit;
    let modified = |modifier: i64, truncating: Apply, checking: Apply| {
        Ok(Some(Cast::Modified(if explicit { truncating } else { checking }, modifier)))
    };
    let element = if let Type::Array(element) = to { Some(element.as_ref()) } else { None };
    match (to, element) {
        (Type::Varchar(Some(length)), _) => modified(i64::from(*length) + HEADER, truncated, checked),
        (Type::Char(Some(length)), _) => modified(i64::from(*length) + HEADER, filled_up, filled_if_it_fits),
        (_, Some(Type::Char(Some(length)))) => {
            modified(i64::from(*length) + HEADER, filled_elements, checked_filled_elements)
        }
        (_, Some(Type::Varchar(Some(length)))) => {
            modified(i64::from(*length) + HEADER, truncated_elements, checked_elements)
        }
        (Type::Numeric(Some(sizes)), _) => modified(packed(*sizes), fitted, fitted),
        (_, Some(Type::Numeric(Some(sizes)))) => modified(packed(*sizes), fitted_elements, fitted_elements),
        _ => Ok(step.map(Cast::Plain)),
    }
}

/// Whether such a cast between types without lengths exists.
pub(super) fn exists(from: &Type, to: &Type, context: CastContext) -> bool {
    pathway(from, to).is_some_and(|(least, _)| least <= context)
}

/// Whether the cast's result does not depend on settings. Dates and timestamps depend on TimeZone and DateStyle, and
/// the text form of an array is treated like that of any element type.
pub(super) fn is_immutable(from: &Type, to: &Type) -> bool {
    let is_text = |ty: &Type| category(ty) == 'S';
    match (from, to) {
        (from, to) if from.base() == to.base() => true,
        (Type::Array(from), Type::Array(to)) => is_immutable(from, to),
        (from, Type::Interval | Type::Array(_)) if is_text(from) => false,
        (Type::Interval | Type::Array(_), to) if is_text(to) => false,
        (Type::Date, Type::Timestamp) | (Type::Timestamp, Type::Date) => true,
        (from, to) => category(from) != 'D' && category(to) != 'D',
    }
}

/// Precision and scale, packed as in the server's type modifier.
fn packed((precision, scale): (u16, u16)) -> i64 {
    (i64::from(precision) << 16 | i64::from(scale)) + HEADER
}

/// The weakest context in which a cast is allowed, and its function; `None` if the value stays unchanged.
type Pathway = (CastContext, Option<Apply>);

fn pathway(from: &Type, to: &Type) -> Option<Pathway> {
    use CastContext::{Assignment, Explicit, Implicit};
    use Type::{Array, Bool, Char, Date, Int2, Int4, Int8, Jsonb, Timestamp, Timestamptz, Unknown, Void};
    Some(match (from, to) {
        (from, to) if from == to => (Implicit, None),
        (_, Unknown | Void) | (Void, _) => return None,
        (Unknown, to) => (Implicit, reader(to)),
        (Type::Text, Type::Varchar(_)) | (Type::Varchar(_), Type::Text) => (Implicit, None),
        (Type::Text | Type::Varchar(_), Char(_)) => (Implicit, Some(to_padded)),
        (Char(_), Type::Text | Type::Varchar(_)) => (Implicit, Some(to_text)),
        (Date, Timestamp) => (Implicit, Some(date_to_local)),
        (Date, Timestamptz) => (Implicit, Some(date_to_zoned)),
        (Timestamp, Timestamptz) => (Implicit, Some(local_to_zoned)),
        (Timestamptz, Timestamp) => (Assignment, Some(zoned_to_local)),
        (Timestamp | Timestamptz, Date) => (Assignment, Some(to_date)),
        (Int2, Int4 | Int8) | (Int4, Int8) => (Implicit, None),
        (Int2 | Int4 | Int8, Type::Numeric(_)) => (Implicit, Some(int_to_numeric)),
        (Int4 | Int8, Int2) => (Assignment, Some(narrowed::<16>)),
        (Int8, Int4) => (Assignment, Some(narrowed::<32>)),
        (Type::Numeric(_), Int2) => (Assignment, Some(numeric_to_int::<16>)),
        (Type::Numeric(_), Int4) => (Assignment, Some(numeric_to_int::<32>)),
        (Type::Numeric(_), Int8) => (Assignment, Some(numeric_to_int::<64>)),
        (Bool, Int4) => (Explicit, Some(bool_to_int)),
        (Int4, Bool) => (Explicit, Some(int_to_bool)),
        (Jsonb, Bool) => (Explicit, Some(json_to_bool)),
        (Jsonb, Int2) => (Explicit, Some(json_to_int::<16>)),
        (Jsonb, Int4) => (Explicit, Some(json_to_int::<32>)),
        (Jsonb, Int8) => (Explicit, Some(json_to_int::<64>)),
        (Jsonb, Type::Numeric(_)) => (Explicit, Some(json_to_numeric)),
        (Array(from), Array(to)) => pathway(from, to)?,
        (_, Char(_)) => (Assignment, Some(to_padded)),
        (_, to) if category(to) == 'S' => (Assignment, Some(to_text)),
        (from, to) if category(from) == 'S' => (Explicit, reader(to)),
        _ => return None,
    })
}

/// The type's input function; `None` for text types, whose values stay unchanged.
fn reader(to: &Type) -> Option<Apply> {
    let (element, is_array) = match to {
        Type::Array(element) => (element.as_ref(), true),
        plain => (plain, false),
    };
    // `Apply` is a plain function pointer without captured type, so each type needs a function of its own.
    let (plain, array): (Apply, Apply) = match element {
        Type::Bool => (read::<0>, read_array::<0>),
        Type::Int2 => (read::<1>, read_array::<1>),
        Type::Int4 => (read::<2>, read_array::<2>),
        Type::Int8 => (read::<3>, read_array::<3>),
        Type::Timestamptz => (read::<4>, read_array::<4>),
        Type::Interval => (read::<5>, read_array::<5>),
        Type::Numeric(_) => (read::<6>, read_array::<6>),
        Type::Uuid => (read::<7>, read_array::<7>),
        Type::Jsonb => (read::<8>, read_array::<8>),
        Type::Bytea => (read::<9>, read_array::<9>),
        Type::Date => (read::<11>, read_array::<11>),
        Type::Timestamp => (read::<12>, read_array::<12>),
        Type::Char(_) => (read::<13>, read_array::<13>),
        _ if is_array => return Some(read_array::<10>),
        _ => return None,
    };
    Some(if is_array { array } else { plain })
}

const READ: [Type; 14] = [
    Type::Bool,
    Type::Int2,
    Type::Int4,
    Type::Int8,
    Type::Timestamptz,
    Type::Interval,
    Type::Numeric(None),
    Type::Uuid,
    Type::Jsonb,
    Type::Bytea,
    Type::Text,
    Type::Date,
    Type::Timestamp,
    Type::Char(None),
];

fn read<const TYPE: usize>(args: &[Value]) -> Result<Value> {
    Value::input(str(args, 0)?, &READ[TYPE])
}

fn read_array<const TYPE: usize>(args: &[Value]) -> Result<Value> {
    Value::input(str(args, 0)?, &Type::Array(Box::new(READ[TYPE].clone())))
}

/// The value as a cast to text writes it; it differs from the output form for booleans and `character`.
pub(super) fn written(value: &Value) -> String {
    match value {
        Value::Bool(bool) => bool.to_string(),
        Value::Padded(text) => unpadded(text).to_owned(),
        other => other.text(),
    }
}

fn to_text(args: &[Value]) -> Result<Value> {
    Ok(Value::Text(written(args.first().ok_or_else(mistyped)?).into()))
}

fn to_padded(args: &[Value]) -> Result<Value> {
    Ok(Value::Padded(raw(args.first().ok_or_else(mistyped)?).into()))
}

/// The value as a cast to text writes it, but with trailing spaces kept.
fn raw(value: &Value) -> String {
    if let Value::Padded(text) = value { text.to_string() } else { written(value) }
}

fn date_to_local(args: &[Value]) -> Result<Value> {
    if let Some(Value::Date(days)) = args.first() {
        midnight(*days).map(Value::Timestamp)
    } else {
        Err(mistyped())
    }
}

fn date_to_zoned(args: &[Value]) -> Result<Value> {
    if let Some(Value::Date(days)) = args.first() {
        midnight(*days).map(Value::Timestamptz)
    } else {
        Err(mistyped())
    }
}

fn local_to_zoned(args: &[Value]) -> Result<Value> {
    if let Some(Value::Timestamp(at)) = args.first() { Ok(Value::Timestamptz(*at)) } else { Err(mistyped()) }
}

fn zoned_to_local(args: &[Value]) -> Result<Value> {
    if let Some(Value::Timestamptz(at)) = args.first() { Ok(Value::Timestamp(*at)) } else { Err(mistyped()) }
}

fn to_date(args: &[Value]) -> Result<Value> {
    match args.first() {
        Some(Value::Timestamp(at) | Value::Timestamptz(at)) => {
            i32::try_from(at.div_euclid(DAY)).map(Value::Date).map_err(|_| mistyped())
        }
        _ => Err(mistyped()),
    }
}

fn int_to_numeric(args: &[Value]) -> Result<Value> {
    Ok(Value::Numeric(Rc::new(Numeric::from_int(int(args, 0)?))))
}

/// The integer, if it fits a type of `BITS` bits.
fn sized<const BITS: u8>(value: i128) -> Result<Value> {
    let limit = 1i128 << (BITS - 1);
    match i64::try_from(value) {
        Ok(int) if (-limit..limit).contains(&value) => Ok(Value::Int(int)),
        _ => Err(integer::out_of_range(BITS)),
    }
}

fn narrowed<const BITS: u8>(args: &[Value]) -> Result<Value> {
    sized::<BITS>(i128::from(int(args, 0)?))
}

fn numeric_to_int<const BITS: u8>(args: &[Value]) -> Result<Value> {
    match args.first() {
        Some(Value::Numeric(numeric)) => sized::<BITS>(numeric.to_integer()?),
        _ => Err(mistyped()),
    }
}

fn bool_to_int(args: &[Value]) -> Result<Value> {
    match args.first() {
        Some(Value::Bool(bool)) => Ok(Value::Int(i64::from(*bool))),
        _ => Err(mistyped()),
    }
}

fn int_to_bool(args: &[Value]) -> Result<Value> {
    Ok(Value::Bool(int(args, 0)? != 0))
}

/// The scalar that `pick` finds in a JSON value, or the server's error for any other value.
fn json_scalar<'a, T>(args: &'a [Value], name: &str, pick: fn(&'a Json) -> Option<T>) -> Result<T> {
    let Some(Value::Json(json)) = args.first() else { return Err(mistyped()) };
    let kind = if matches!(**json, Json::Number(_)) { "numeric" } else { json.kind() };
    pick(json).ok_or_else(|| Failure::sql("22023", format!("cannot cast jsonb {kind} to type {name}")))
}

fn json_to_bool(args: &[Value]) -> Result<Value> {
    let bool =
        json_scalar(args, "boolean", |json| if let Json::Bool(bool) = json { Some(*bool) } else { None })?;
    Ok(Value::Bool(bool))
}

fn number(json: &Json) -> Option<&Numeric> {
    if let Json::Number(number) = json { Some(number) } else { None }
}

fn json_to_int<const BITS: u8>(args: &[Value]) -> Result<Value> {
    let name = match BITS {
        16 => "smallint",
        32 => "integer",
        _ => "bigint",
    };
    sized::<BITS>(json_scalar(args, name, number)?.to_integer()?)
}

fn json_to_numeric(args: &[Value]) -> Result<Value> {
    Ok(Value::Numeric(Rc::new(json_scalar(args, "numeric", number)?.clone())))
}

/// The length that a type modifier encodes.
fn limit(args: &[Value]) -> Result<usize> {
    usize::try_from(int(args, 1)? - HEADER).map_err(|_| mistyped())
}

fn truncated(args: &[Value]) -> Result<Value> {
    let text = written(args.first().ok_or_else(mistyped)?);
    Ok(Value::Text(text.chars().take(limit(args)?).collect::<String>().into()))
}

/// A text that exceeds the limit only by spaces is cut; any other excess is an error.
fn checked(args: &[Value]) -> Result<Value> {
    let (text, limit) = (written(args.first().ok_or_else(mistyped)?), limit(args)?);
    match text.char_indices().nth(limit) {
        None => Ok(Value::Text(text.into())),
        Some((end, _)) if text[end..].bytes().all(|byte| byte == b' ') => Ok(Value::Text(text[..end].into())),
        Some(_) => {
            let message = format!("value too long for type character varying({limit})");
            Err(Failure::sql("22001", message))
        }
    }
}

fn filled_up(args: &[Value]) -> Result<Value> {
    let text = raw(args.first().ok_or_else(mistyped)?);
    filled(&text, limit(args)?)
}

/// A text that exceeds the limit by more than spaces is an error.
fn filled_if_it_fits(args: &[Value]) -> Result<Value> {
    let (text, limit) = (raw(args.first().ok_or_else(mistyped)?), limit(args)?);
    match text.char_indices().nth(limit) {
        Some((end, _)) if text[end..].bytes().any(|byte| byte != b' ') => {
            Err(Failure::sql("22001", format!("value too long for type character({limit})")))
        }
        _ => filled(&text, limit),
    }
}

/// The first `length` characters of a text, padded with spaces.
fn filled(text: &str, length: usize) -> Result<Value> {
    let mut filled: String = text.chars().take(length).collect();
    let lacking = length - filled.chars().count();
    demand_length(filled.len().saturating_add(lacking))?;
    filled.extend(std::iter::repeat_n(' ', lacking));
    Ok(Value::Padded(filled.into()))
}

fn fitted(args: &[Value]) -> Result<Value> {
    let packed = int(args, 1)? - HEADER;
    let part = |bits: i64| u32::try_from(bits).map_err(|_| mistyped());
    let (precision, scale) = (part(packed >> 16)?, part(packed & 0xFFFF)?);
    let numeric = match args.first() {
        Some(Value::Numeric(numeric)) => numeric.fit(precision, scale)?,
        Some(Value::Int(int)) => Numeric::from_int(*int).fit(precision, scale)?,
        Some(Value::Text(text)) => Numeric::input(text)?.fit(precision, scale)?,
        Some(Value::Json(_)) => json_scalar(args, "numeric", number)?.fit(precision, scale)?,
        _ => return Err(mistyped()),
    };
    Ok(Value::Numeric(Rc::new(numeric)))
}

/// Reads an array from a text and casts each element.
fn each(args: &[Value], apply: Apply) -> Result<Value> {
    let Value::Array(elements) = read_array::<10>(args)? else { return Err(mistyped()) };
    let modifier = args.get(1).ok_or_else(mistyped)?;
    let one = |element: &Value| match element {
        Value::Null => Ok(Value::Null),
        other => apply(&[other.clone(), modifier.clone()]),
    };
    Ok(Value::Array(elements.iter().map(one).collect::<Result<_>>()?))
}

fn truncated_elements(args: &[Value]) -> Result<Value> {
    each(args, truncated)
}

fn checked_elements(args: &[Value]) -> Result<Value> {
    each(args, checked)
}

fn filled_elements(args: &[Value]) -> Result<Value> {
    each(args, filled_up)
}

fn checked_filled_elements(args: &[Value]) -> Result<Value> {
    each(args, filled_if_it_fits)
}

fn fitted_elements(args: &[Value]) -> Result<Value> {
    each(args, fitted)
}
