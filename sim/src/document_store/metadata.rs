//! The metadata of a document: a text that ought to be a JSON object. It must never take anything else for one.

use std::cell::OnceCell;
use std::rc::Rc;

use serde_json::{Map, Value as Json};

use crate::engine::Value;

/// The fields of a JSON object.
pub type Fields = Map<String, Json>;

/// A metadata text; cloning it is cheap, and it is read once.
#[derive(Clone, Debug)]
pub struct Metadata(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    text: Rc<str>,
    /// None where the text is no JSON object.
    fields: OnceCell<Option<Fields>>,
}

impl Metadata {
    /// Takes a text as it is.
    pub fn from_text(text: impl Into<Rc<str>>) -> Metadata {
        Metadata(Rc::new(Inner { text: text.into(), fields: OnceCell::new() }))
    }

    /// Writes the fields down.
    pub fn from_fields(fields: Fields) -> Metadata {
        let text = serde_json::to_string(&fields).expect("a map with string keys can be written");
        Metadata(Rc::new(Inner { text: text.into(), fields: OnceCell::from(Some(fields)) }))
    }

    /// The text.
    pub fn text(&self) -> &Rc<str> {
        &self.0.text
    }

    /// The fields, where the text is a JSON object.
    pub fn fields(&self) -> Option<&Fields> {
        self.0.fields.get_or_init(|| serde_json::from_str(&self.0.text).ok()).as_ref()
    }

    /// The fields as columns of the trace, which are NULL so far: those that are absent stay so, and all where the text
    /// is no object. One walk over what there is costs less than a search for each.
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
