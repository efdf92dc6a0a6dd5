//! A row in the oracle, and what it must look like in the trace.

use retrial_sim::engine::Value;

use super::Note;
use crate::document_store::SCOPES;

/// A row, as the marks of its contents.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) version: i64,
    /// The mark of its scope and its time.
    pub(super) base: i64,
    pub(super) text: i64,
    pub(super) vector: Option<i64>,
    pub(super) metadata: i64,
}

impl Row {
    pub(super) fn new(id: i64, version: i64, mark: i64) -> Row {
        let vector = (mark % 5 != 0).then_some(mark);
        Row { id, version, base: mark, text: mark, vector, metadata: mark }
    }

    pub(super) fn is_in(self, scope: i64) -> bool {
        scope == 0 || self.base % 2 == scope - 1
    }

    /// Whether the rows are the same except for version and time.
    pub(super) fn holds_the_same(self, other: Row) -> bool {
        let content = |row: Row| (row.id, row.base % 2, row.text, row.vector, row.metadata);
        content(self) == content(other)
    }

    /// The row's columns in the trace.
    pub(super) fn columns(self) -> Vec<Value> {
        let is_object = self.metadata % 3 != 0;
        let metadata = if is_object {
            format!("{{\"count\":{},\"kind\":\"event\"}}", self.metadata)
        } else {
            format!("[{}]", self.metadata)
        };
        vec![
            Value::Integer(self.id),
            Value::Integer(self.version),
            Value::from(SCOPES[usize::from(self.base % 2 != 0)]),
            Value::from(format!("text {}", self.text)),
            self.vector.map_or(Value::Null, Value::Integer),
            Value::Integer(self.base),
            Value::from(metadata),
            if is_object { Value::Integer(self.metadata) } else { Value::Null },
            Value::Null,
        ]
    }

    /// The annotations of an actor that read it.
    pub(super) fn told(self) -> [Note; 3] {
        [
            ("row", self.id, self.version),
            ("text", self.text, self.vector.unwrap_or_default()),
            ("rest", 2 * self.base + self.base % 2, self.metadata),
        ]
    }

    /// The row after an update.
    pub(super) fn changed(self, which: i64, mark: i64) -> Row {
        Row {
            text: if which == 1 { self.text } else { mark },
            vector: if which > 1 { Some(mark) } else { self.vector },
            metadata: if which == 2 { self.metadata } else { mark },
            ..self
        }
    }
}
