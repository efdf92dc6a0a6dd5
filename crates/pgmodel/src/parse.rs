//! SQL text to statements: the grammar is a library's, what is understood is decided here.

use std::rc::Rc;

use crate::ast::Statement;
use crate::error::Result;

/// A statement and the text it was written as, without the semicolon.
#[derive(Debug)]
pub struct Parsed {
    /// The statement.
    pub statement: Statement,
    /// Its text.
    pub text: String,
    /// The highest `$n` in it.
    pub params: u32,
}

/// The statements of a text, in order; parsed once per text and thread.
///
/// # Errors
/// 42601 where it is not SQL; a refusal by name where it is SQL that the model does not know.
pub fn parse(sql: &str) -> Result<Rc<Vec<Parsed>>> {
    let _ = sql;
    todo!()
}
