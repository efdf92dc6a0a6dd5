//! A Rust file to mutate: its text, its syntax tree, and the byte range of each part of the tree. Code is never printed
//! from the tree: a mutant is the original text with one edit.

use std::ops::Range;

use anyhow::{Context, Result};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprAwait, LitStr};

/// A file and its tree.
pub(super) struct Source {
    pub(super) text: String,
    pub(super) tree: syn::File,
}

impl Source {
    pub(super) fn parse(text: String) -> Result<Source> {
        let tree = syn::parse_file(&text).context("it is no Rust")?;
        Ok(Source { text, tree })
    }

    pub(super) fn slice(&self, part: &impl Spanned) -> &str {
        &self.text[range(part)]
    }

    /// All blocks, outer ones first.
    pub(super) fn blocks(&self) -> Vec<&Block> {
        let mut found = Blocks(Vec::new());
        found.visit_file(&self.tree);
        found.0
    }

    /// The SQL statements, as the byte ranges between their quotes.
    pub(super) fn statements(&self) -> Vec<Range<usize>> {
        let mut found = Literals(Vec::new());
        found.visit_file(&self.tree);
        found.0.into_iter().filter_map(|literal| inside(&self.text, literal)).collect()
    }
}

/// The byte range of a part of the tree.
pub(super) fn range(part: &impl Spanned) -> Range<usize> {
    part.span().byte_range()
}

/// Whether a statement contains an `.await`.
pub(super) fn statement_awaits(statement: &syn::Stmt) -> bool {
    let mut found = Awaits(false);
    found.visit_stmt(statement);
    found.0
}

/// Whether an expression contains an `.await`.
pub(super) fn expression_awaits(expression: &Expr) -> bool {
    let mut found = Awaits(false);
    found.visit_expr(expression);
    found.0
}

/// Whether the text contains that word.
pub(super) fn mentions(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
}

/// Looks for `.await`.
struct Awaits(bool);

impl Visit<'_> for Awaits {
    fn visit_expr_await(&mut self, _: &ExprAwait) {
        self.0 = true;
    }
}

struct Blocks<'ast>(Vec<&'ast Block>);

impl<'ast> Visit<'ast> for Blocks<'ast> {
    fn visit_block(&mut self, block: &'ast Block) {
        self.0.push(block);
        visit::visit_block(self, block);
    }
}

struct Literals(Vec<Range<usize>>);

impl Visit<'_> for Literals {
    fn visit_lit_str(&mut self, literal: &LitStr) {
        self.0.push(range(literal));
    }

    /// Skips attributes, because documentation is a string literal too.
    fn visit_attribute(&mut self, _: &syn::Attribute) {}
}

/// The range between the quotes of a literal, if its text begins like SQL.
fn inside(text: &str, literal: Range<usize>) -> Option<Range<usize>> {
    const VERBS: [&str; 8] = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "CREATE", "ALTER", "BEGIN"];
    let written = &text[literal.clone()];
    let (open, close) = (written.find('"')? + 1, written.rfind('"')?);
    let sql = written.get(open..close)?.trim_start();
    let verb = sql.split(|letter: char| !letter.is_ascii_alphabetic()).next()?;
    VERBS.contains(&verb).then(|| literal.start + open..literal.start + close)
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn only_what_begins_as_sql_is_a_statement() {
        let text = "/// SELECT it.\nfn f() { g(\"begin\", \"BEGIN\", \"\n  DELETE FROM é\", r#\"SELECT \"x\"\"#); }\n";
        let source = Source::parse(text.to_owned()).expect("it is Rust");
        let found: Vec<&str> = source.statements().into_iter().map(|range| &source.text[range]).collect();
        assert_eq!(found, ["BEGIN", "\n  DELETE FROM é", "SELECT \"x\""]);
    }
}
