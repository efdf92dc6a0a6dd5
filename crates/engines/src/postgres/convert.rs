//! Conversion between the server's types and [`Value`]: one line per type, for both directions. A value of an
//! unsupported type is refused by name, never passed on as a similar type.
//!
//! Integers and OIDs become integers, booleans booleans, `timestamptz` timestamps, and `bytea` bytes. Everything else
//! becomes the text that the server itself would print, in UTC and ISO style, whether it arrived in binary or as text.

use std::rc::Rc;

use retrial_engine::Value;
use retrial_engine::error::Error;

use super::wire_format;

/// How a type is encoded in the binary format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Bool,
    /// A signed integer with this number of bytes.
    Integer(usize),
    /// An unsigned integer of four bytes, like an OID.
    Oid,
    /// A float with this number of bytes.
    Float(usize),
    Numeric,
    Text,
    Bytes,
    Jsonb,
    Uuid,
    Date,
    Time,
    /// A timestamp; true if it has a time zone, which is UTC here.
    Timestamp(bool),
    Void,
    /// An array whose elements have the type with this OID.
    Array(u32),
}

/// The encoding of a type, by its OID in `pg_type.dat`.
pub(super) fn form(oid: u32) -> Option<Form> {
    Some(match oid {
        16 => Form::Bool,
        17 => Form::Bytes,
        20 => Form::Integer(8),
        21 => Form::Integer(2),
        23 => Form::Integer(4),
        26 | 28 => Form::Oid,
        18 | 19 | 25 | 114 | 142 | 705 | 1042 | 1043 => Form::Text,
        700 => Form::Float(4),
        701 => Form::Float(8),
        1082 => Form::Date,
        1083 => Form::Time,
        1114 => Form::Timestamp(false),
        1184 => Form::Timestamp(true),
        1700 => Form::Numeric,
        2278 => Form::Void,
        2950 => Form::Uuid,
        3802 => Form::Jsonb,
        199 => Form::Array(114),
        1000 => Form::Array(16),
        1001 => Form::Array(17),
        1003 => Form::Array(19),
        1005 => Form::Array(21),
        1007 => Form::Array(23),
        1009 => Form::Array(25),
        1014 => Form::Array(1042),
        1015 => Form::Array(1043),
        1016 => Form::Array(20),
        1021 => Form::Array(700),
        1022 => Form::Array(701),
        1028 => Form::Array(26),
        1115 => Form::Array(1114),
        1182 => Form::Array(1082),
        1185 => Form::Array(1184),
        1231 => Form::Array(1700),
        2951 => Form::Array(2950),
        3807 => Form::Array(3802),
        _ => return None,
    })
}

/// A value that can be sent to another thread.
#[derive(Clone, Debug)]
pub(super) enum Plain {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
    Bool(bool),
    /// Microseconds since 2000-01-01 00:00:00 UTC.
    Timestamp(i64),
}

impl From<&Value> for Plain {
    fn from(value: &Value) -> Plain {
        match value {
            Value::Null => Plain::Null,
            Value::Integer(number) => Plain::Integer(*number),
            Value::Text(text) => Plain::Text((**text).to_owned()),
            Value::Blob(bytes) => Plain::Bytes(bytes.to_vec()),
            Value::Bool(truth) => Plain::Bool(*truth),
            Value::Timestamp(time) => Plain::Timestamp(*time),
            Value::Array(items) => Plain::Text(Plain::array(items)),
        }
    }
}

impl Plain {
    /// The array as a Postgres array literal.
    fn array(items: &[Value]) -> String {
        let texts: Vec<Option<String>> = items.iter().map(|item| Plain::from(item).text()).collect();
        wire_format::array_literal(&texts)
    }

    /// The value as input text for the server; `None` is NULL.
    fn text(&self) -> Option<String> {
        Some(match self {
            Plain::Null => return None,
            Plain::Integer(number) => number.to_string(),
            Plain::Text(text) => text.clone(),
            Plain::Bytes(bytes) => wire_format::hex(bytes),
            Plain::Bool(truth) => (if *truth { "t" } else { "f" }).to_owned(),
            Plain::Timestamp(time) => wire_format::timestamp_text(*time, true),
        })
    }

    /// The value as an SQL literal, whose type follows from its context.
    pub(super) fn literal(&self) -> String {
        self.text().map_or("NULL".to_owned(), |text| wire_format::quoted(&text))
    }

    /// The value in the type's binary format; the inner `None` is NULL.
    pub(super) fn binary(&self, form: Form) -> Result<Option<Vec<u8>>, String> {
        let text = match (self, form) {
            (Plain::Null, _) => return Ok(None),
            (Plain::Bytes(bytes), Form::Bytes) => return Ok(Some(bytes.clone())),
            (Plain::Bytes(_), _) => return Err("bytes for a parameter of another type".to_owned()),
            (Plain::Integer(number), Form::Text | Form::Jsonb | Form::Numeric | Form::Float(_)) => {
                number.to_string()
            }
            (Plain::Integer(number), Form::Bool) if (0..=1).contains(number) => {
                return Ok(Some(vec![*number as u8]));
            }
            (Plain::Integer(number), Form::Integer(_) | Form::Oid) => number.to_string(),
            (Plain::Integer(number), _) => {
                return Err(format!("the integer {number} for a parameter of another type"));
            }
            (Plain::Bool(truth), Form::Bool) => return Ok(Some(vec![u8::from(*truth)])),
            (Plain::Bool(_), _) => return Err("a truth value for a parameter of another type".to_owned()),
            (Plain::Timestamp(time), Form::Timestamp(true)) => return Ok(Some(time.to_be_bytes().to_vec())),
            (Plain::Timestamp(_), _) => return Err("a time for a parameter of another type".to_owned()),
            (Plain::Text(text), _) => text.clone(),
        };
        binary(form, &text).map(Some)
    }
}

/// Encodes a text in the type's binary format.
fn binary(form: Form, text: &str) -> Result<Vec<u8>, String> {
    let wrong = || format!("'{text}' for a parameter of another type");
    Ok(match form {
        Form::Bool => vec![u8::from(wire_format::boolean(text).ok_or_else(wrong)?)],
        Form::Integer(size) => {
            let number: i64 = text.trim().parse().map_err(|_| wrong())?;
            let bytes = number.to_be_bytes();
            let fits = match size {
                2 => i16::try_from(number).is_ok(),
                4 => i32::try_from(number).is_ok(),
                _ => true,
            };
            if !fits {
                return Err(format!("{number} is out of range for a parameter of {size} bytes"));
            }
            bytes[8 - size..].to_vec()
        }
        Form::Oid => text.parse::<u32>().map_err(|_| wrong())?.to_be_bytes().to_vec(),
        Form::Float(4) => text.parse::<f32>().map_err(|_| wrong())?.to_be_bytes().to_vec(),
        Form::Float(_) => text.parse::<f64>().map_err(|_| wrong())?.to_be_bytes().to_vec(),
        Form::Numeric => wire_format::numeric_binary(text).ok_or_else(wrong)?,
        Form::Text => text.as_bytes().to_vec(),
        Form::Bytes => wire_format::unhex(text).unwrap_or_else(|| text.as_bytes().to_vec()),
        Form::Jsonb => [b"\x01", text.as_bytes()].concat(),
        Form::Uuid => wire_format::uuid_binary(text).ok_or_else(wrong)?,
        Form::Date => wire_format::date_binary(text).ok_or_else(wrong)?.to_be_bytes().to_vec(),
        Form::Time => wire_format::time_binary(text).ok_or_else(wrong)?.to_be_bytes().to_vec(),
        Form::Timestamp(_) => wire_format::timestamp_binary(text).ok_or_else(wrong)?.to_be_bytes().to_vec(),
        Form::Void => Vec::new(),
        Form::Array(oid) => array_binary(oid, text)?,
    })
}

fn array_binary(oid: u32, text: &str) -> Result<Vec<u8>, String> {
    let elements =
        wire_format::array_elements(text).ok_or_else(|| format!("'{text}' is no array of one dimension"))?;
    let inner = form(oid).ok_or_else(|| format!("an array of type {oid}"))?;
    let holes = elements.iter().any(Option::is_none);
    let word = |number: usize| (number as u32).to_be_bytes();
    let dimensions = usize::from(!elements.is_empty());
    let mut bytes = [word(dimensions), word(usize::from(holes)), oid.to_be_bytes()].concat();
    if dimensions > 0 {
        bytes.extend([word(elements.len()), word(1)].concat());
    }
    for element in &elements {
        match element {
            None => bytes.extend((-1_i32).to_be_bytes()),
            Some(text) => {
                let element = binary(inner, text)?;
                bytes.extend(word(element.len()));
                bytes.extend(element);
            }
        }
    }
    Ok(bytes)
}

/// Decodes a value that the server sent in the binary format.
pub(super) fn from_binary(oid: u32, bytes: &[u8]) -> Result<Value, Error> {
    let unknown =
        || Error::refused(format!("a value of the type with OID {oid} is not converted; cast it to text"));
    let form = form(oid).ok_or_else(unknown)?;
    let broken = || Error::refused(format!("a value of the type with OID {oid} has {} bytes", bytes.len()));
    match form {
        Form::Bytes => Ok(Value::Blob(bytes.into())),
        Form::Void => Ok(Value::Null),
        _ => from_text(oid, &text_of(form, bytes).ok_or_else(broken)?),
    }
}

/// The text that the server would print for the value.
fn text_of(form: Form, bytes: &[u8]) -> Option<String> {
    Some(match form {
        Form::Bool => (if *bytes.first()? == 0 { "f" } else { "t" }).to_owned(),
        Form::Integer(2) => i16::from_be_bytes(bytes.try_into().ok()?).to_string(),
        Form::Integer(4) => i32::from_be_bytes(bytes.try_into().ok()?).to_string(),
        Form::Integer(_) => i64::from_be_bytes(bytes.try_into().ok()?).to_string(),
        Form::Oid => u32::from_be_bytes(bytes.try_into().ok()?).to_string(),
        Form::Float(4) => {
            let number = f32::from_be_bytes(bytes.try_into().ok()?);
            wire_format::float_text(&format!("{number:e}"), 6)
        }
        Form::Float(_) => {
            let number = f64::from_be_bytes(bytes.try_into().ok()?);
            wire_format::float_text(&format!("{number:e}"), 15)
        }
        Form::Numeric => wire_format::numeric_text(bytes)?,
        Form::Text => String::from_utf8(bytes.to_vec()).ok()?,
        Form::Bytes => wire_format::hex(bytes),
        Form::Jsonb => String::from_utf8(bytes.get(1..)?.to_vec()).ok()?,
        Form::Uuid => wire_format::uuid_text(bytes)?,
        Form::Date => wire_format::date_text(i32::from_be_bytes(bytes.try_into().ok()?)),
        Form::Time => wire_format::time_text(i64::from_be_bytes(bytes.try_into().ok()?)),
        Form::Timestamp(zone) => {
            wire_format::timestamp_text(i64::from_be_bytes(bytes.try_into().ok()?), zone)
        }
        Form::Void => String::new(),
        Form::Array(_) => array_text(bytes)?,
    })
}

fn array_text(bytes: &[u8]) -> Option<String> {
    let word = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let inner = form(word(8)?)?;
    match word(0)? {
        0 => return Some("{}".to_owned()),
        1 => {}
        _ => return None,
    }
    let mut at = 20;
    let elements: Option<Vec<Option<String>>> = (0..word(12)?)
        .map(|_| {
            let length = word(at)?;
            at += 4;
            if length == u32::MAX {
                return Some(None);
            }
            let element = bytes.get(at..at + length as usize)?;
            at += length as usize;
            text_of(inner, element).map(Some)
        })
        .collect();
    Some(wire_format::array_literal(&elements?))
}

/// Parses a value that the server printed.
pub(super) fn from_text(oid: u32, text: &str) -> Result<Value, Error> {
    let broken = || Error::refused(format!("'{text}' is no value of the type with OID {oid}"));
    Ok(match form(oid) {
        Some(Form::Integer(_) | Form::Oid) => Value::Integer(text.parse().map_err(|_| broken())?),
        Some(Form::Bool) => Value::Bool(text == "t"),
        Some(Form::Timestamp(true)) => {
            Value::Timestamp(wire_format::timestamp_binary(text).ok_or_else(broken)?)
        }
        Some(Form::Bytes) => Value::Blob(Rc::from(wire_format::unhex(text).ok_or_else(broken)?)),
        Some(Form::Void) => Value::Null,
        _ => Value::Text(text.into()),
    })
}
