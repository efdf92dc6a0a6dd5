//! SQL text to statements: the grammar is a library's, what is understood is decided here. A clause that is
//! not understood is refused by name; it must never be dropped, for a wrong answer is worse than none.

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

/// A statement and the text it was written as, without the semicolon.
#[derive(Debug)]
pub struct Parsed {
    /// The statement.
    pub statement: Statement,
    /// Its text.
    pub text: String,
    /// The highest `$n` in it.
    pub params: u32,
    /// Names in it that are longer than the server keeps, and what it keeps of each.
    pub(crate) cut_names: Vec<(String, String)>,
    /// Its plans, made when it is first run.
    pub(crate) plans: Plans,
    /// How deep it nests.
    pub(crate) depth: u32,
}

impl Drop for Parsed {
    /// What nests is dropped call by call, too.
    fn drop(&mut self) {
        if self.depth > stack::SHALLOW {
            stack::with_depth(self.depth, || {
                drop(std::mem::replace(&mut self.statement, Statement::Commit));
                drop(std::mem::take(&mut self.plans));
            });
        }
    }
}

/// How many texts a thread remembers. A workload has a handful; the bound is for texts that carry their
/// values.
const REMEMBERED: usize = 4096;

/// How many bytes they may have together; what they parse to takes a hundred times as much.
const REMEMBERED_BYTES: usize = 1 << 20;

/// How long a text may be.
const LONGEST: usize = 4 << 20;

#[derive(Default)]
struct Remembered {
    /// What a text was parsed to, or why it was not: finding that out may take a second, and is asked for again.
    texts: BTreeMap<String, Result<Rc<Vec<Parsed>>>>,
    bytes: usize,
}

thread_local! {
    static CACHE: RefCell<Remembered> = RefCell::default();
}

/// The statements of a text, in order; parsed once per text and thread.
///
/// # Errors
/// 42601 where it is not SQL; a refusal by name where it is SQL that the model does not know.
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

/// As [`parse`], for a text that is sent without parameters. Where it names some all the same, its plans are not
/// shared with those made for parameters.
///
/// # Errors
/// As [`parse`].
pub fn parse_without_parameters(sql: &str) -> Result<Rc<Vec<Parsed>>> {
    let parsed = parse(sql)?;
    if parsed.iter().all(|statement| statement.params == 0) { Ok(parsed) } else { fresh(sql).map(Rc::new) }
}

/// The type that a text names.
///
/// # Errors
/// As [`parse`]; a refusal of what is more than a type.
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

/// Parses without the cache. The whole text must be SQL before any of its statements counts, as on the
/// server.
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

/// A statement's own text: neither its semicolon nor what surrounds it.
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

/// A refusal of something by what the grammar calls it.
fn refuse(kind: SyntaxKind) -> Failure {
    Failure::not_modelled(cursor::title(kind))
}
