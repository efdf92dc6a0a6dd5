//! What a statement gave back, and what became visible to others by it.

use std::rc::Rc;

use crate::catalog::TableDef;
use crate::plan::OutputColumn;
use crate::value::Tuple;

/// What a statement that succeeded returned.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The columns of its rows; empty where it returns no rows.
    pub columns: Rc<[OutputColumn]>,
    /// Its rows.
    pub rows: Vec<Tuple>,
    /// Whether it is a statement that returns rows, even if there are none.
    pub returns_rows: bool,
    /// How many rows it selected, inserted, updated or deleted.
    pub affected: u64,
    /// Its command tag's word or words, such as `UPDATE` or `CREATE TABLE`.
    pub tag: &'static str,
}

/// What the server said beside results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// NOTICE or WARNING.
    pub severity: &'static str,
    /// Its text.
    pub text: String,
}

/// Notices of a session that nobody has taken yet.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    said: Vec<(usize, Notice)>,
    /// How many of the text's statements have run.
    pub(crate) behind: usize,
}

impl Notices {
    /// Says it behind the statements that have run.
    pub(crate) fn push(&mut self, notice: Notice) {
        self.said.push((self.behind, notice));
    }

    /// Takes them, each with how many of its text's statements had run before.
    pub(crate) fn take(&mut self) -> Vec<(usize, Notice)> {
        std::mem::take(&mut self.said)
    }
}

/// What a transaction did to one row.
#[derive(Clone, Debug)]
pub struct Change {
    /// The table as it then was.
    pub table: Rc<TableDef>,
    /// The row: the number of its first version.
    pub row: u32,
    /// The row before; none for an insert.
    pub before: Option<Tuple>,
    /// The row after; none for a delete.
    pub after: Option<Tuple>,
}

impl Outcome {
    /// The command tag as the server sends it (manual, 55.7, CommandComplete).
    pub fn command_tag(&self) -> String {
        match self.tag {
            "INSERT" => format!("INSERT 0 {}", self.affected),
            "SELECT" | "UPDATE" | "DELETE" => format!("{} {}", self.tag, self.affected),
            tag => tag.to_owned(),
        }
    }

    /// A statement that returns nothing.
    pub(crate) fn bare(tag: &'static str) -> Outcome {
        Outcome { tag, ..Outcome::default() }
    }
}
