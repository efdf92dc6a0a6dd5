//! The metadata of a document: a text that should be a JSON object, but need not be.

use std::cell::OnceCell;
use std::rc::Rc;

use serde_json::{Map, Value as Json};

use retrial_sim::engine::Value;

/// The fields of a JSON object.
pub type Fields = Map<String, Json>;

/// A metadata text. Cheap to clone; parsed at most once.
#[derive(Clone, Debug)]
pub struct Metadata(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    text: Rc<str>,
    /// `None` if the text is not a JSON object.
    fields: OnceCell<Option<Fields>>,
}

impl Metadata {
    /// Wraps a text without parsing it.
    pub fn from_text(text: impl Into<Rc<str>>) -> Metadata {
        Metadata(Rc::new(Inner { text: text.into(), fields: OnceCell::new() }))
    }

    /// Serializes the fields.
    pub fn from_fields(fields: Fields) -> Metadata {
        let text = serde_json::to_string(&fields).expect("a map with string keys can be written");
        Metadata(Rc::new(Inner { text: text.into(), fields: OnceCell::from(Some(fields)) }))
    }

    /// The text.
    pub fn text(&self) -> &Rc<str> {
        &self.0.text
    }

    /// The fields, if the text is a JSON object.
    pub fn fields(&self) -> Option<&Fields> {
        self.0.fields.get_or_init(|| serde_json::from_str(&self.0.text).ok()).as_ref()
    }

    /// Fills columns of the trace, which are NULL so far, from the fields. Absent fields stay NULL, and so do all of
    /// them if the text is not an object. One pass over the fields costs less than a lookup per column.
    pub(super) fn show(&self, shows: &[&str], columns: &mut [Value]) {
        for (field, value) in self.fields().into_iter().flatten() {
            if let Some(column) = shows.iter().position(|shown| shown == field) {
                columns[column] = column_of(value);
            }
        }
    }
}

fn column_of(field: &Json) -> Value {
    match field {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::String(text) => Value::from(text.as_str()),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::from(number.to_string()), Value::Integer)
        }
        other => Value::from(other.to_string()),
    }
}
