//! LISTEN, UNLISTEN and NOTIFY.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::cursor::Cursor;
use super::{literal, name};
use crate::ast::{Expr, Statement};
use crate::error::{Failure, Result};

/// LISTEN.
pub(super) fn listen(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::LISTEN_KW)?;
    let channel = name::ident(&cursor.node()?)?;
    cursor.end_of_statement()?;
    Ok(Statement::Listen(channel))
}

/// UNLISTEN.
pub(super) fn unlisten(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::UNLISTEN_KW)?;
    let channel = if cursor.eat(SyntaxKind::STAR) { None } else { Some(name::ident(&cursor.node()?)?) };
    cursor.end_of_statement()?;
    Ok(Statement::Unlisten(channel))
}

/// NOTIFY.
pub(super) fn notify(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::NOTIFY_KW)?;
    let channel = name::ident(&cursor.node()?)?;
    let payload = if cursor.eat(SyntaxKind::COMMA) { payload(&cursor.node()?)? } else { String::new() };
    cursor.end_of_statement()?;
    Ok(Statement::Notify { channel, payload })
}

fn payload(node: &SyntaxNode) -> Result<String> {
    match literal::literal(node)? {
        Expr::String(text) => Ok(text),
        _ => Err(Failure::not_modelled("a payload that is no string")),
    }
}
