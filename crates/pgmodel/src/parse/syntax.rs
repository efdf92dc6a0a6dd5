//! What the server says of a text that is not SQL. Blames the first token that does not fit, as the server does;
//! must never call a syntax error what only the grammar library fails to read.

use squawk_syntax::syntax_error::SyntaxError;
use squawk_syntax::{SyntaxElement, SyntaxKind, SyntaxNode};

use super::{cursor, statement};
use crate::error::Failure;

/// The failure for a text in which the grammar library found errors, the first of them first.
pub(super) fn failure(sql: &str, root: &SyntaxNode, errors: &[SyntaxError]) -> Failure {
    let Some(first) = errors.first() else {
        return Failure::not_modelled("an empty list of syntax errors");
    };
    let position = usize::from(first.range().start());
    if let Some(refusal) = foreign(root, position) {
        return refusal;
    }
    let message = first.message();
    if message.starts_with("DEFAULT is not allowed") {
        return Failure::sql("42601", "DEFAULT is not allowed in this context");
    }
    if message.starts_with("Missing trailing") || message.contains("nterminated") {
        let what = match sql.get(position..).and_then(|rest| rest.chars().next()) {
            Some('/') => "unterminated /* comment",
            Some('"') => "unterminated quoted identifier",
            Some('$') => "unterminated dollar-quoted string",
            _ => "unterminated quoted string",
        };
        return Failure::sql("42601", format!("{what} at or near \"{}\"", &sql[position..]));
    }
    match token_from(root, position) {
        Some(text) => near(&text),
        None => Failure::sql("42601", "syntax error at end of input"),
    }
}

/// The server's report of a token that does not fit.
pub(super) fn near(token: &str) -> Failure {
    Failure::sql("42601", format!("syntax error at or near \"{token}\""))
}

/// The first token that begins at a position or after it and is neither white space nor a comment.
fn token_from(root: &SyntaxNode, position: usize) -> Option<String> {
    root.descendants_with_tokens()
        .filter_map(SyntaxElement::into_token)
        .filter(|token| !matches!(token.kind(), SyntaxKind::WHITESPACE | SyntaxKind::COMMENT))
        .find(|token| usize::from(token.text_range().start()) >= position && !token.text().is_empty())
        .map(|token| token.text().to_owned())
}

/// A refusal where the error is in a statement that the model does not know anyway: the library may be wrong
/// about it, and then the server would have taken it.
fn foreign(root: &SyntaxNode, position: usize) -> Option<Failure> {
    let around = |node: &SyntaxNode| {
        let range = node.text_range();
        (usize::from(range.start())..=usize::from(range.end())).contains(&position)
    };
    let node = root.children().find(around)?;
    if node.kind() == SyntaxKind::SET
        && node.descendants_with_tokens().any(|e| e.kind() == SyntaxKind::NAMES_KW)
    {
        return Some(Failure::not_modelled("SET NAMES"));
    }
    let known =
        statement::known(node.kind()) || matches!(node.kind(), SyntaxKind::ERROR | SyntaxKind::EMPTY_STMT);
    (!known).then(|| Failure::not_modelled(cursor::title(node.kind())))
}
