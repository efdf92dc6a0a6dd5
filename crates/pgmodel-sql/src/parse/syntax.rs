//! The server's errors for texts that are not SQL. The first token that does not fit is reported, as on the server. If
//! only the grammar library fails to parse a text, it is refused instead.

use squawk_syntax::syntax_error::SyntaxError;
use squawk_syntax::{SyntaxElement, SyntaxKind, SyntaxNode, SyntaxToken};

use super::{cursor, statement};
use crate::error::Failure;

/// The failure for a text in which the grammar library found errors; the first one counts.
pub(super) fn failure(sql: &str, root: &SyntaxNode, errors: &[SyntaxError]) -> Failure {
    let Some(first) = errors.first() else {
        return Failure::not_modelled("an empty list of syntax errors");
    };
    let range = first.range();
    let (start, end) = (usize::from(range.start()), usize::from(range.end()));
    if let Some(refusal) = foreign(root, start) {
        return refusal;
    }
    if let Some(refusal) = muddled(root, start) {
        return refusal;
    }
    let message = first.message();
    if let Some(failure) = lexical(sql, start, message) {
        return failure;
    }
    if message.starts_with("DEFAULT is not allowed") {
        return Failure::sql("42601", "DEFAULT is not allowed in this context");
    }
    // The library reports an empty construct as a whole, or a comma without a following item. The server reports the
    // token in place of the content.
    let position = match message {
        "Expected at least one expression in IN list." => end.saturating_sub(1),
        "unexpected trailing comma" => start + 1,
        _ if message.starts_with("Expected a target after") => end,
        _ => start,
    };
    let Some(token) = token_from(root, position) else {
        return Failure::sql("42601", "syntax error at end of input");
    };
    let leads = matches!(token.kind(), SyntaxKind::CREATE_KW | SyntaxKind::ALTER_KW | SyntaxKind::DROP_KW);
    if leads && message.starts_with("expected command") {
        let after = position + token.text().len();
        return match token_from(root, after) {
            Some(token) => near(token.text()),
            None => Failure::sql("42601", "syntax error at end of input"),
        };
    }
    near(token.text())
}

/// A refusal for valid texts that the library cannot parse: NOT after OR after BETWEEN, as the library takes OR as part
/// of the upper bound and allows no NOT there; and an operator after COLLATE.
fn muddled(root: &SyntaxNode, position: usize) -> Option<Failure> {
    let tokens = root.descendants_with_tokens().filter_map(SyntaxElement::into_token);
    let before = tokens
        .filter(|token| !matches!(token.kind(), SyntaxKind::WHITESPACE | SyntaxKind::COMMENT))
        .take_while(|token| usize::from(token.text_range().start()) <= position);
    let kinds: Vec<SyntaxKind> = before.map(|token| token.kind()).collect();
    if kinds.contains(&SyntaxKind::COLLATE_KW) {
        return Some(Failure::not_modelled("COLLATE"));
    }
    let behind = matches!(kinds.as_slice(), [.., SyntaxKind::OR_KW, SyntaxKind::NOT_KW]);
    (behind && kinds.contains(&SyntaxKind::BETWEEN_KW))
        .then(|| Failure::not_modelled("NOT behind BETWEEN and OR (brackets around BETWEEN help)"))
}

/// The error of the server's scanner for an invalid token.
fn lexical(sql: &str, position: usize, message: &str) -> Option<Failure> {
    let rest = sql.get(position..)?;
    let at = |what: &str, text: &str| Some(Failure::sql("42601", format!("{what} at or near \"{text}\"")));
    if message.starts_with("Missing trailing") || message.starts_with("Unterminated") {
        let what = match rest.chars().next() {
            Some('/') => "unterminated /* comment",
            Some('"') => "unterminated quoted identifier",
            Some('$') => "unterminated dollar-quoted string",
            _ => "unterminated quoted string",
        };
        return at(what, rest);
    }
    if message == "empty delimited identifier" {
        return at("zero-length delimited identifier", "\"\"");
    }
    if message == "Invalid operator." {
        // Adjacent symbols are one operator to the server, which then looks for it in its catalogue.
        let glued = sql.get(..position)?.ends_with(|c: char| "+-*/<>=~!@#%^&|`?".contains(c));
        return glued.then(|| Failure::not_modelled("operators of the user's own"));
    }
    if message.starts_with("trailing junk") || message.starts_with("Missing digits") {
        let whole = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '$' | '_');
        let from = sql.get(..position)?.rfind(|c| !whole(c)).map_or(0, |before| before + 1);
        let to = position + rest.chars().next()?.len_utf8();
        let what = if sql.get(from..)?.starts_with('$') { "parameter" } else { "numeric literal" };
        return at(&format!("trailing junk after {what}"), sql.get(from..to)?);
    }
    None
}

/// The server's syntax error for a token.
pub(super) fn near(token: &str) -> Failure {
    Failure::sql("42601", format!("syntax error at or near \"{token}\""))
}

/// The first token at or after a position that is not white space or a comment.
fn token_from(root: &SyntaxNode, position: usize) -> Option<SyntaxToken> {
    root.descendants_with_tokens()
        .filter_map(SyntaxElement::into_token)
        .filter(|token| !matches!(token.kind(), SyntaxKind::WHITESPACE | SyntaxKind::COMMENT))
        .find(|token| usize::from(token.text_range().start()) >= position && !token.text().is_empty())
}

/// A refusal if the error is in or right after an unsupported statement: the library may be wrong about it while the
/// server would accept it.
fn foreign(root: &SyntaxNode, position: usize) -> Option<Failure> {
    let before = |node: &SyntaxNode| usize::from(node.text_range().start()) <= position;
    let node = root.children().filter(|node| node.kind() != SyntaxKind::ERROR).take_while(before).last()?;
    let ended = node.last_token().is_some_and(|last| last.kind() == SyntaxKind::SEMICOLON);
    if ended && usize::from(node.text_range().end()) <= position {
        return None;
    }
    let names = |node: &SyntaxNode| {
        node.descendants_with_tokens().any(|element| element.kind() == SyntaxKind::NAMES_KW)
    };
    if node.kind() == SyntaxKind::SET && names(&node) {
        return Some(Failure::not_modelled("SET NAMES"));
    }
    let known = statement::known(node.kind()) || node.kind() == SyntaxKind::EMPTY_STMT;
    (!known).then(|| Failure::not_modelled(cursor::title(node.kind())))
}
