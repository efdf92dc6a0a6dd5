//! Identifiers and qualified names. Folds unquoted names to lower case; a schema other than `public` is refused.

use squawk_lexer::{TokenKind, tokenize};
use squawk_syntax::{SyntaxKind, SyntaxNode, quote};

use super::cursor::{Cursor, listed};
use super::syntax;
use crate::error::{Failure, Result};

/// The maximum bytes of a name; the server truncates longer ones (NAMEDATALEN).
pub const NAME_MAX: usize = 63;

/// The name that a token stands for, folded and truncated.
pub(super) fn fold(token: &str) -> Result<String> {
    let mut name = unquoted(token)?;
    name.truncate(name.floor_char_boundary(NAME_MAX.min(name.len())));
    Ok(name)
}

fn unquoted(token: &str) -> Result<String> {
    Ok(match token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some("") => {
            return Err(Failure::sql("42601", "zero-length delimited identifier at or near \"\"\"\""));
        }
        Some(quoted) => quoted.replace("\"\"", "\""),
        None if token.contains('"') => return Err(Failure::not_modelled("U& identifiers")),
        None => token.to_ascii_lowercase(),
    })
}

/// The names in a text that are too long, each with its truncated form.
pub(super) fn cut(sql: &str) -> Result<Vec<(String, String)>> {
    let (mut found, mut at) = (Vec::new(), 0);
    for token in tokenize(sql) {
        let text = &sql[at..at + token.len as usize];
        at += token.len as usize;
        let is_name = matches!(token.kind, TokenKind::Ident | TokenKind::QuotedIdent { .. });
        if is_name && text.len() > NAME_MAX {
            let (whole, kept) = (unquoted(text)?, fold(text)?);
            found.extend((whole != kept).then_some((whole, kept)));
        }
    }
    Ok(found)
}

/// The name of a relation given as text, as in `'public.s'::regclass` (manual, 8.19).
pub fn relation_name(text: &str) -> Result<String> {
    let name = text.strip_prefix("public.").unwrap_or(text);
    let plain = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '$';
    let quoted = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    if name.chars().all(plain) || quoted.is_some_and(|inner| !inner.contains('"')) {
        return fold(name);
    }
    Err(Failure::not_modelled(format!("the name of a relation as a text: {text}")))
}

/// The name in a node of exactly one identifier; a reserved word is refused.
pub(super) fn ident(node: &SyntaxNode) -> Result<String> {
    match node.first_token() {
        Some(word) if quote::is_reserved_word(word.text()) => Err(syntax::near(word.text())),
        _ => label(node),
    }
}

/// The name in a node where the server accepts any word: after AS and after a dot.
pub(super) fn label(node: &SyntaxNode) -> Result<String> {
    let mut cursor = Cursor::new(node);
    let token = cursor.next().and_then(|child| child.into_token());
    let token = token.ok_or_else(|| syntax::near(&node.text().to_string()))?;
    cursor.finish()?;
    fold(token.text())
}

/// The names in a list.
pub(super) fn idents(node: &SyntaxNode) -> Result<Vec<String>> {
    listed(node, ident)
}

/// The parts of a dotted name.
pub(super) fn path(node: &SyntaxNode) -> Result<Vec<String>> {
    let mut cursor = Cursor::new(node);
    let mut parts = Vec::new();
    if matches!(cursor.kind(), Some(SyntaxKind::PATH_REF | SyntaxKind::PATH)) {
        parts = path(&cursor.node()?)?;
        cursor.expect(SyntaxKind::DOT)?;
        parts.push(label(&cursor.node()?)?);
    } else {
        parts.push(ident(&cursor.node()?)?);
    }
    cursor.finish()?;
    Ok(parts)
}

/// The name of a table, index, sequence or constraint: any node around a path. ONLY and `*` are accepted, as they have
/// no effect without inheritance.
pub(super) fn relation(node: &SyntaxNode) -> Result<String> {
    let mut cursor = Cursor::new(node);
    cursor.skip(&[SyntaxKind::ONLY_KW, SyntaxKind::L_PAREN]);
    let inner = cursor.node()?;
    let name = match inner.kind() {
        SyntaxKind::PATH | SyntaxKind::PATH_REF => unqualified(&path(&inner)?)?,
        _ => relation(&inner)?,
    };
    cursor.skip(&[SyntaxKind::R_PAREN, SyntaxKind::STAR]);
    cursor.finish()?;
    Ok(name)
}

/// A name without its schema, which must be the model's only one.
pub(super) fn unqualified(parts: &[String]) -> Result<String> {
    let name = match parts {
        [name] => name,
        [schema, name] if schema == "public" => name,
        [schema, _] if schema == "pg_temp" => return Err(Failure::not_modelled("temporary tables")),
        [schema, _] => return Err(Failure::not_modelled(format!("schema {schema}"))),
        _ => return Err(Failure::not_modelled("names with a database")),
    };
    if name.starts_with("pg_") {
        return Err(Failure::not_modelled(format!("system catalog {name}")));
    }
    Ok(name.clone())
}
