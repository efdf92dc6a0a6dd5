//! The stages of a logical operation, as its actor declares them.

use std::fmt;
use std::rc::Rc;

use super::Field;
use crate::digest::Digest;
use crate::engine::Value;

/// The stage that an operation has reached.
#[derive(Clone, Debug)]
pub enum Stage {
    /// It has begun, on a row of a table or a part.
    Began(Rc<(&'static str, Value)>),
    /// It has read its row.
    Saw,
    /// It intends to change these columns to these values.
    Intends(Rc<[Field]>),
    /// It intends to delete the row.
    Deletes,
    /// It is acknowledged to its caller.
    Acknowledged,
}

impl Stage {
    /// The name of the stage's event.
    pub fn name(&self) -> &'static str {
        match self {
            Stage::Began(_) => "operation",
            Stage::Saw => "saw",
            Stage::Intends(_) => "intends",
            Stage::Deletes => "deletes",
            Stage::Acknowledged => "acknowledged",
        }
    }

    pub(crate) fn digest(&self, digest: &mut Digest) {
        digest.text(self.name());
        match self {
            Stage::Began(subject) => {
                digest.text(subject.0);
                subject.1.digest(digest);
            }
            Stage::Intends(fields) => fields.iter().for_each(|(column, value)| {
                digest.text(column);
                value.digest(digest);
            }),
            Stage::Saw | Stage::Deletes | Stage::Acknowledged => {}
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stage::Began(subject) => write!(f, "begins on {} {}", subject.0, subject.1),
            Stage::Saw => f.write_str("has read its row"),
            Stage::Intends(fields) => {
                f.write_str("intends")?;
                fields.iter().try_for_each(|(column, value)| write!(f, " {column}={value}"))
            }
            Stage::Deletes => f.write_str("means to delete its row"),
            Stage::Acknowledged => f.write_str("is acknowledged"),
        }
    }
}
