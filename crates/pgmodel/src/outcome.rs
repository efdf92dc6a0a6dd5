//! The result of a statement, and the changes that a commit makes visible to others.

use std::rc::Rc;

use retrial_pgmodel_sql::catalog::TableDef;
use retrial_pgmodel_sql::plan::OutputColumn;
use retrial_pgmodel_sql::value::Tuple;

/// The result of a statement that succeeded.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The columns of its rows; empty if it returns no rows.
    pub columns: Rc<[OutputColumn]>,
    /// The rows.
    pub rows: Vec<Tuple>,
    /// Whether the statement returns rows, even if there are none.
    pub returns_rows: bool,
    /// The number of rows that it selected, inserted, updated or deleted.
    pub affected: u64,
    /// The words of its command tag, such as `UPDATE` or `CREATE TABLE`.
    pub tag: &'static str,
}

/// A notice or warning from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// NOTICE or WARNING.
    pub severity: &'static str,
    /// Its text.
    pub text: String,
}

/// The notices of a session that have not been taken yet.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    said: Vec<(usize, Notice)>,
    /// The number of the text's statements that have run.
    pub(crate) behind: usize,
}

impl Notices {
    /// Adds a notice, positioned after the statements that have run.
    pub(crate) fn push(&mut self, notice: Notice) {
        self.said.push((self.behind, notice));
    }

    /// Takes the notices, each with the number of the text's statements that had run before it.
    pub(crate) fn take(&mut self) -> Vec<(usize, Notice)> {
        std::mem::take(&mut self.said)
    }
}

/// The change that a transaction made to one row.
#[derive(Clone, Debug)]
pub struct Change {
    /// The table as it was then.
    pub table: Rc<TableDef>,
    /// The row before; `None` for an insert.
    pub before: Option<Tuple>,
    /// The row after; `None` for a delete.
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

    /// The outcome of a statement that returns nothing.
    pub(crate) fn bare(tag: &'static str) -> Outcome {
        Outcome { tag, ..Outcome::default() }
    }
}
