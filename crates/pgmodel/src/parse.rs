//! Parses SQL text to statements. A library provides the grammar; this module decides what the model supports. An
//! unsupported clause is refused by name and never ignored, as a wrong answer is worse than none.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use squawk_syntax::{SourceFile, SyntaxKind, SyntaxNode};

use crate::ast::{Body, Expr, Output, Select, SelectCore, Statement};
use crate::error::{Failure, Result};
use crate::stack;
use crate::statement::Plans;
use crate::value::Type;

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

pub(crate) use name::{NAME_MAX, relation_name};

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
    pub(crate) cut_names: Vec<(String, String)>,
    /// Its plans, made when it is first run.
    pub(crate) plans: Plans,
    /// Its nesting depth.
    pub(crate) depth: u32,
}

impl Drop for Parsed {
    /// Drops a deeply nested statement on a larger stack, since dropping recurses.
    fn drop(&mut self) {
        if self.depth > stack::SHALLOW {
            stack::with_depth(self.depth, || {
                drop(std::mem::replace(&mut self.statement, Statement::Commit));
                drop(std::mem::take(&mut self.plans));
            });
        }
    }
}

/// The number of texts that a thread caches. A workload has a handful; the bound is for texts that contain their
/// values.
const REMEMBERED: usize = 4096;

/// The total bytes of the cached texts; what they parse to takes a hundred times as much.
const REMEMBERED_BYTES: usize = 1 << 20;

/// The maximum bytes of a text.
const LONGEST: usize = 4 << 20;

#[derive(Default)]
struct Remembered {
    /// The result of parsing each text. Failures are cached too, since finding one may take a second and texts are sent
    /// again.
    texts: BTreeMap<String, Result<Rc<Vec<Parsed>>>>,
    bytes: usize,
}

thread_local! {
    static CACHE: RefCell<Remembered> = RefCell::default();
}

/// Parses a text to its statements, in order. Each text is parsed once per thread.
///
/// # Errors
/// 42601 if it is not SQL; a refusal by name if it is SQL that the model does not support.
pub fn parse(sql: &str) -> Result<Rc<Vec<Parsed>>> {
    if let Some(known) = CACHE.with_borrow(|cache| cache.texts.get(sql).cloned()) {
        return known;
    }
    if sql.len() > LONGEST {
        let what = format!("a text of more than {} MB (several shorter ones help)", LONGEST >> 20);
        return Err(Failure::not_modelled(what));
    }
    let parsed = fresh(sql).map(Rc::new);
    CACHE.with_borrow_mut(|cache| {
        if cache.texts.len() >= REMEMBERED || cache.bytes + sql.len() > REMEMBERED_BYTES {
            *cache = Remembered::default();
        }
        cache.bytes += sql.len();
        cache.texts.insert(sql.to_owned(), parsed.clone());
    });
    parsed
}

/// Same as [`parse`], for a text that is sent without parameters. If the text contains parameters nevertheless, its
/// plans are not shared with those made for parameters.
///
/// # Errors
/// Same as [`parse`].
pub fn parse_without_parameters(sql: &str) -> Result<Rc<Vec<Parsed>>> {
    let parsed = parse(sql)?;
    if parsed.iter().all(|statement| statement.params == 0) { Ok(parsed) } else { fresh(sql).map(Rc::new) }
}

/// Parses the name of a type.
///
/// # Errors
/// Same as [`parse`]; a refusal if the text is more than a type.
pub(crate) fn type_of(text: &str) -> Result<Type> {
    let parsed = parse(&format!("SELECT NULL::{text}"))?;
    if let [Parsed { statement: Statement::Query(with), .. }] = &parsed[..]
        && let Body::Select(Select { core: SelectCore::Simple(simple), .. }) = &with.body
        && let [Output::Expr { expr: Expr::Cast { to, .. }, alias: None }] = &simple.output[..]
        && simple.from.is_empty()
    {
        return Ok(to.clone());
    }
    Err(Failure::not_modelled(format!("the type {text}")))
}

/// Parses without the cache. As on the server, the whole text must be valid before any of its statements counts.
fn fresh(sql: &str) -> Result<Vec<Parsed>> {
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
            plans: Plans::default(),
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
