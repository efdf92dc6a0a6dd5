//! `jsonb`: values, order and text. Objects contain each key once, sorted by length and then by bytes; all functions
//! here keep that order.

use std::cmp::Ordering;
use std::fmt;
use std::rc::Rc;

use super::Numeric;

/// A `jsonb` value. Equality and order are those of the type's btree operators (manual, 8.14.4).
#[derive(Clone, Debug)]
pub enum Json {
    /// null.
    Null,
    /// A string.
    String(Rc<str>),
    /// A number.
    Number(Numeric),
    /// true or false.
    Bool(bool),
    /// An array.
    Array(Vec<Json>),
    /// An object with unique keys, sorted by length and then by bytes.
    Object(Vec<(Rc<str>, Json)>),
}

/// A key of an object and its value.
type Pair = (Rc<str>, Json);

/// The order of keys in an object.
fn key_order(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.as_bytes().cmp(b.as_bytes()))
}

impl Json {
    /// Builds an object from pairs in any order; of duplicate keys the last one counts.
    pub(crate) fn object(mut pairs: Vec<(Rc<str>, Json)>) -> Json {
        // The sort is stable, so the last of equal keys is the last one written.
        pairs.sort_by(|a, b| key_order(&a.0, &b.0));
        pairs.reverse();
        pairs.dedup_by(|a, b| a.0 == b.0);
        pairs.reverse();
        Json::Object(pairs)
    }

    /// The value of a key of an object.
    pub(crate) fn get(&self, key: &str) -> Option<&Json> {
        let Json::Object(pairs) = self else { return None };
        let found = pairs.binary_search_by(|pair| key_order(&pair.0, key)).ok()?;
        Some(&pairs[found].1)
    }

    /// The element of an array; a negative index counts from its end.
    pub(crate) fn at(&self, index: i64) -> Option<&Json> {
        let Json::Array(elements) = self else { return None };
        let length = i64::try_from(elements.len()).ok()?;
        let index = if index < 0 { index.checked_add(length)? } else { index };
        elements.get(usize::try_from(index).ok()?)
    }

    /// The nesting depth of its arrays and objects.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Json::Array(elements) => 1 + elements.iter().map(Json::depth).max().unwrap_or(0),
            Json::Object(pairs) => 1 + pairs.iter().map(|(_, value)| value.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// Approximate size in bytes.
    pub fn weight(&self) -> u64 {
        let inside = match self {
            Json::Array(elements) => elements.iter().map(Json::weight).sum(),
            Json::Object(pairs) => {
                pairs.iter().map(|(key, value)| 32 + key.len() as u64 + value.weight()).sum()
            }
            Json::String(text) => 16 + text.len() as u64,
            _ => 0,
        };
        48 + inside
    }

    /// Its type as returned by `jsonb_typeof`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::String(_) => "string",
            Json::Number(_) => "number",
            Json::Bool(_) => "boolean",
            Json::Array(_) => "array",
            Json::Object(_) => "object",
        }
    }

    /// Whether it is neither an array nor an object.
    pub(crate) fn is_scalar(&self) -> bool {
        !matches!(self, Json::Array(_) | Json::Object(_))
    }

    fn rank(&self) -> u8 {
        match self {
            Json::Null => 0,
            Json::String(_) => 1,
            Json::Number(_) => 2,
            Json::Bool(_) => 3,
            Json::Array(_) => 4,
            Json::Object(_) => 5,
        }
    }

    /// The order of two nested values.
    fn compare_nested(&self, other: &Json) -> Ordering {
        match (self, other) {
            (Json::String(a), Json::String(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Json::Number(a), Json::Number(b)) => a.cmp(b),
            (Json::Bool(a), Json::Bool(b)) => a.cmp(b),
            (Json::Array(a), Json::Array(b)) => {
                let pairs = || a.iter().zip(b).map(|(a, b)| a.compare_nested(b));
                a.len().cmp(&b.len()).then_with(|| pairs().find(|o| o.is_ne()).unwrap_or(Ordering::Equal))
            }
            (Json::Object(a), Json::Object(b)) => a.len().cmp(&b.len()).then_with(|| {
                let pair = |a: &Pair, b: &Pair| {
                    a.0.as_bytes().cmp(b.0.as_bytes()).then_with(|| a.1.compare_nested(&b.1))
                };
                a.iter()
                    .zip(b)
                    .map(|(a, b)| pair(a, b))
                    .find(|order| order.is_ne())
                    .unwrap_or(Ordering::Equal)
            }),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::String(text) => write_string(text, out),
            Json::Number(number) => out.push_str(&number.to_string()),
            Json::Bool(true) => out.push_str("true"),
            Json::Bool(false) => out.push_str("false"),
            Json::Array(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        out.push_str(", ");
                    }
                    element.write(out);
                }
                out.push(']');
            }
            Json::Object(pairs) => {
                out.push('{');
                for (index, (key, value)) in pairs.iter().enumerate() {
                    if index > 0 {
                        out.push_str(", ");
                    }
                    write_string(key, out);
                    out.push_str(": ");
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        self.write(&mut out);
        f.write_str(&out)
    }
}

impl Ord for Json {
    fn cmp(&self, other: &Json) -> Ordering {
        // A top-level empty array is less than any scalar: a historical exception in the server.
        let is_empty = |json: &Json| matches!(json, Json::Array(elements) if elements.is_empty());
        match (is_empty(self), is_empty(other)) {
            (true, false) if other.is_scalar() => Ordering::Less,
            (false, true) if self.is_scalar() => Ordering::Greater,
            _ => self.compare_nested(other),
        }
    }
}

impl PartialOrd for Json {
    fn partial_cmp(&self, other: &Json) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Json) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Json {}
