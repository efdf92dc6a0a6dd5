//! Values and types of the model: their names, order and text forms. Nothing is rounded through binary floating point,
//! and unknown text forms are refused.

use std::cmp::Ordering;
use std::rc::Rc;

use crate::error::{Failure, Result};

mod array;
mod calendar;
mod date;
mod interval;
mod json;
mod json_text;
mod numeric;
mod scalar;
mod timestamp;

pub(crate) use calendar::DAY;
pub(crate) use calendar::{Moment, days_from_civil, days_in_month};
pub(crate) use date::{in_range as date_in_range, midnight};
pub(crate) use interval::{interval_span, interval_text};
pub use json::Json;
pub(crate) use json_text::{DEPTH as JSON_DEPTH, too_deep as json_too_deep};
pub use numeric::Numeric;
pub(crate) use timestamp::{in_range as timestamp_in_range, iso_text as timestamp_iso_text, local_iso_text};

/// A supported Postgres type (manual, chapter 8).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    /// `boolean`.
    Bool,
    /// `smallint`.
    Int2,
    /// `integer`.
    Int4,
    /// `bigint`.
    Int8,
    /// `text`.
    Text,
    /// `character varying`, with its length if given.
    Varchar(Option<u32>),
    /// `character`, with its length; without one it is `bpchar`, which is not padded.
    Char(Option<u32>),
    /// `date`.
    Date,
    /// `timestamp without time zone`.
    Timestamp,
    /// `timestamp with time zone`; the session's zone is UTC.
    Timestamptz,
    /// `interval`.
    Interval,
    /// `numeric`, with precision and scale if given.
    Numeric(Option<(u16, u16)>),
    /// `uuid`.
    Uuid,
    /// `jsonb`.
    Jsonb,
    /// `bytea`.
    Bytea,
    /// A one-dimensional array.
    Array(Box<Type>),
    /// `void`, the result of `pg_sleep` and of blocking advisory lock functions.
    Void,
    /// A literal or parameter whose type comes from the context (manual, 10.1).
    Unknown,
}

/// A value of one of the types. Equality and order are those of the type's btree operators, so `1.0` equals `1`.
#[derive(Clone, Debug)]
pub enum Value {
    /// SQL's NULL, of any type.
    Null,
    /// `boolean`.
    Bool(bool),
    /// `smallint`, `integer` or `bigint`; the type says which.
    Int(i64),
    /// `text`, `character varying`, or a literal of type unknown.
    Text(Rc<str>),
    /// `character`: a text whose trailing spaces are ignored in comparisons.
    Padded(Rc<str>),
    /// Days since 2000-01-01.
    Date(i32),
    /// Microseconds since 2000-01-01 00:00:00, without a time zone.
    Timestamp(i64),
    /// Microseconds since 2000-01-01 00:00:00 UTC, as on the server.
    Timestamptz(i64),
    /// Months, days and microseconds.
    Interval(i32, i32, i64),
    /// `numeric`.
    Numeric(Rc<Numeric>),
    /// `uuid`.
    Uuid(u128),
    /// `jsonb`.
    Json(Rc<Json>),
    /// `bytea`.
    Bytes(Rc<[u8]>),
    /// A one-dimensional array.
    Array(Rc<[Value]>),
    /// `void`.
    Void,
}

/// A tuple: the values of a row in the order of its columns.
pub type Tuple = Rc<[Value]>;

impl Type {
    /// The name in the server's error messages, without length or precision.
    pub fn name(&self) -> String {
        let name = match self {
            Type::Bool => "boolean",
            Type::Int2 => "smallint",
            Type::Int4 => "integer",
            Type::Int8 => "bigint",
            Type::Text => "text",
            Type::Varchar(_) => "character varying",
            Type::Char(_) => "character",
            Type::Date => "date",
            Type::Timestamp => "timestamp without time zone",
            Type::Timestamptz => "timestamp with time zone",
            Type::Interval => "interval",
            Type::Numeric(_) => "numeric",
            Type::Uuid => "uuid",
            Type::Jsonb => "jsonb",
            Type::Bytea => "bytea",
            Type::Array(element) => return format!("{}[]", element.name()),
            Type::Void => "void",
            Type::Unknown => "unknown",
        };
        name.to_owned()
    }

    /// The type's OID in `pg_type`; 0 for an array without an array type.
    pub fn oid(&self) -> u32 {
        match self {
            Type::Bool => 16,
            Type::Int2 => 21,
            Type::Int4 => 23,
            Type::Int8 => 20,
            Type::Text => 25,
            Type::Varchar(_) => 1043,
            Type::Char(_) => 1042,
            Type::Date => 1082,
            Type::Timestamp => 1114,
            Type::Timestamptz => 1184,
            Type::Interval => 1186,
            Type::Numeric(_) => 1700,
            Type::Uuid => 2950,
            Type::Jsonb => 3802,
            Type::Bytea => 17,
            Type::Array(element) => element.array_oid(),
            Type::Void => 2278,
            Type::Unknown => 705,
        }
    }

    fn array_oid(&self) -> u32 {
        match self {
            Type::Bool => 1000,
            Type::Int2 => 1005,
            Type::Int4 => 1007,
            Type::Int8 => 1016,
            Type::Text => 1009,
            Type::Varchar(_) => 1015,
            Type::Char(_) => 1014,
            Type::Date => 1182,
            Type::Timestamp => 1115,
            Type::Timestamptz => 1185,
            Type::Interval => 1187,
            Type::Numeric(_) => 1231,
            Type::Uuid => 2951,
            Type::Jsonb => 3807,
            Type::Bytea => 1001,
            Type::Array(_) | Type::Void | Type::Unknown => 0,
        }
    }

    /// The type without length, precision and scale, which is used to choose operators, functions and casts.
    pub fn base(&self) -> Type {
        match self {
            Type::Varchar(_) => Type::Varchar(None),
            Type::Char(_) => Type::Char(None),
            Type::Numeric(_) => Type::Numeric(None),
            Type::Array(element) => Type::Array(Box::new(element.base())),
            other => other.clone(),
        }
    }
}

impl Value {
    /// The value in the server's text form; empty for NULL.
    pub fn output(&self, ty: &Type) -> String {
        let _ = ty;
        self.text()
    }

    /// The text form, which does not depend on the type.
    pub(crate) fn text(&self) -> String {
        match self {
            Value::Null | Value::Void => String::new(),
            Value::Bool(true) => "t".to_owned(),
            Value::Bool(false) => "f".to_owned(),
            Value::Int(int) => int.to_string(),
            Value::Text(text) | Value::Padded(text) => text.to_string(),
            Value::Date(days) => date::text(*days),
            Value::Timestamp(micros) => timestamp::local_text(*micros),
            Value::Timestamptz(micros) => timestamp::text(*micros),
            Value::Interval(months, days, micros) => interval_text(*months, *days, *micros),
            Value::Numeric(numeric) => numeric.to_string(),
            Value::Uuid(uuid) => scalar::uuid_text(*uuid),
            Value::Json(json) => json.to_string(),
            Value::Bytes(bytes) => scalar::bytea_text(bytes),
            Value::Array(elements) => array::text(elements),
        }
    }

    /// Parses a text by the type's input function; length and precision are not applied.
    ///
    /// # Errors
    /// 22P02, 22003, 22007, 22008 as on the server; a refusal of an unsupported form.
    pub(crate) fn input(text: &str, ty: &Type) -> Result<Value> {
        match ty {
            Type::Bool => scalar::bool_input(text),
            Type::Int2 => scalar::int_input(text, i64::from(i16::MIN), i64::from(i16::MAX), "smallint"),
            Type::Int4 => scalar::int_input(text, i64::from(i32::MIN), i64::from(i32::MAX), "integer"),
            Type::Int8 => scalar::int_input(text, i64::MIN, i64::MAX, "bigint"),
            Type::Text | Type::Varchar(_) | Type::Unknown => Ok(Value::Text(text.into())),
            Type::Char(_) => Ok(Value::Padded(text.into())),
            Type::Date => date::input(text),
            Type::Timestamp => timestamp::local_input(text),
            Type::Timestamptz => timestamp::input(text),
            Type::Interval => interval::input(text),
            Type::Numeric(_) => Ok(Value::Numeric(Rc::new(Numeric::input(text)?))),
            Type::Uuid => scalar::uuid_input(text),
            Type::Jsonb => Ok(Value::Json(Rc::new(Json::input(text)?))),
            Type::Bytea => scalar::bytea_input(text),
            Type::Array(element) => array::input(text, element),
            Type::Void => Err(Failure::not_modelled("input of type void")),
        }
    }

    /// The btree order of two values of one type. NULLs sort last and equal each other, as in an array or an index.
    #[inline]
    pub fn compare(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Int(a), Value::Int(b)) => a.cmp(b),
            (Value::Text(a), Value::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Value::Padded(a), Value::Padded(b)) => unpadded(a).as_bytes().cmp(unpadded(b).as_bytes()),
            (Value::Date(a), Value::Date(b)) => a.cmp(b),
            (Value::Timestamp(a), Value::Timestamp(b)) => a.cmp(b),
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Timestamptz(a), Value::Timestamptz(b)) => a.cmp(b),
            (Value::Interval(am, ad, au), Value::Interval(bm, bd, bu)) => {
                interval_span(*am, *ad, *au).cmp(&interval_span(*bm, *bd, *bu))
            }
            (Value::Numeric(a), Value::Numeric(b)) => a.cmp(b),
            (Value::Uuid(a), Value::Uuid(b)) => a.cmp(b),
            (Value::Json(a), Value::Json(b)) => a.cmp(b),
            (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
            (Value::Array(a), Value::Array(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    /// The order among values of different kinds, which no query compares.
    fn rank(&self) -> u8 {
        match self {
            Value::Bool(_) => 0,
            Value::Int(_) => 1,
            Value::Text(_) => 2,
            Value::Timestamptz(_) => 3,
            Value::Interval(..) => 4,
            Value::Numeric(_) => 5,
            Value::Uuid(_) => 6,
            Value::Json(_) => 7,
            Value::Bytes(_) => 8,
            Value::Array(_) => 9,
            Value::Void => 10,
            Value::Null => 11,
            Value::Padded(_) => 12,
            Value::Date(_) => 13,
            Value::Timestamp(_) => 14,
        }
    }
}

impl PartialEq for Value {
    #[inline]
    fn eq(&self, other: &Value) -> bool {
        self.compare(other) == Ordering::Equal
    }
}

impl Eq for Value {}

impl PartialOrd for Value {
    #[inline]
    fn partial_cmp(&self, other: &Value) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value {
    #[inline]
    fn cmp(&self, other: &Value) -> Ordering {
        self.compare(other)
    }
}

/// 22P02 with the message of most input functions.
fn invalid_input(name: &str, text: &str) -> Failure {
    Failure::sql("22P02", format!("invalid input syntax for type {name}: \"{text}\""))
}

/// A text of type `character` without trailing spaces.
pub(crate) fn unpadded(text: &str) -> &str {
    text.trim_end_matches(' ')
}

/// The white space that the server's input functions skip.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}
