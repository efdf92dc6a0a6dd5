//! Parses SQL text to statements. A library provides the grammar; this module decides what the model supports. An
//! unsupported clause is refused by name and never ignored, as a wrong answer is worse than none.

use squawk_syntax::{SourceFile, SyntaxKind, SyntaxNode};

use crate::ast::Statement;
use crate::error::{Failure, Result};
use crate::stack;

mod alter;
mod call;
mod constraint;
mod cursor;
mod depth;
mod expression;
mod from;
mod literal;
mod name;
mod notify;
mod precedence;
mod query;
mod relation;
mod routine;
mod setting;
mod statement;
mod symbol;
mod syntax;
mod table;
mod tail;
mod transaction;
mod trigger;
mod types;
mod write;

pub use name::{NAME_MAX, relation_name};

#[cfg(test)]
mod shown;
#[cfg(test)]
mod sweep;
#[cfg(test)]
mod tests;

/// A statement and its text, without the semicolon.
#[derive(Debug)]
pub struct Parsed {
    /// The statement.
    pub statement: Statement,
    /// Its text.
    pub text: String,
    /// The highest number of a parameter `$n` in it.
    pub params: u32,
    /// Names in it that are longer than the server's limit, and their truncated forms.
    pub cut_names: Vec<(String, String)>,
    /// Its nesting depth.
    pub depth: u32,
}

impl Drop for Parsed {
    /// Drops a deeply nested statement on a larger stack, since dropping recurses.
    fn drop(&mut self) {
        if self.depth > stack::SHALLOW {
            stack::with_depth(self.depth, || drop(std::mem::replace(&mut self.statement, Statement::Commit)));
        }
    }
}

/// The maximum bytes of a text.
pub const LONGEST: usize = 4 << 20;

/// Parses a text to its statements, in order. As on the server, the whole text must be valid before any of its
/// statements counts.
///
/// # Errors
/// 42601 if it is not SQL; a refusal by name if it is SQL that the model does not support.
pub fn parse(sql: &str) -> Result<Vec<Parsed>> {
    if sql.len() > LONGEST {
        let what = format!("a text of more than {} MB (several shorter ones help)", LONGEST >> 20);
        return Err(Failure::not_modelled(what));
    }
    stack::with_depth(depth::bound(sql)?, || lowered(sql))
}

fn lowered(sql: &str) -> Result<Vec<Parsed>> {
    let tree = SourceFile::parse(sql);
    let root = tree.syntax_node();
    let depth = depth::of_tree(&root)?;
    let errors = tree.errors();
    if !errors.is_empty() {
        return Err(syntax::failure(sql, &root, &errors));
    }
    let mut parsed = Vec::new();
    for node in root.children().filter(|node| node.kind() != SyntaxKind::EMPTY_STMT) {
        parsed.push(Parsed {
            statement: statement::statement(&node)?,
            cut_names: name::cut(&node.text().to_string())?,
            text: text(&node),
            params: params(&node)?,
            depth,
        });
    }
    Ok(parsed)
}

/// The statement's own text, without its semicolon and surrounding space.
fn text(node: &SyntaxNode) -> String {
    let text = node.text().to_string();
    let ends = node.last_token().is_some_and(|last| last.kind() == SyntaxKind::SEMICOLON);
    let text = if ends { text.strip_suffix(';').unwrap_or(&text) } else { &text };
    text.trim().to_owned()
}

/// The highest parameter number in a statement.
fn params(node: &SyntaxNode) -> Result<u32> {
    let mut highest = 0;
    for element in node.descendants_with_tokens() {
        if element.kind() == SyntaxKind::POSITIONAL_PARAM
            && let Some(token) = element.as_token()
        {
            highest = highest.max(literal::param(token.text())?);
        }
    }
    Ok(highest)
}

/// A refusal that uses the grammar's name for the construct.
fn refuse(kind: SyntaxKind) -> Failure {
    Failure::not_modelled(cursor::title(kind))
}
