//! SET, RESET and SHOW of one parameter. Lists of values and values taken from the current session are refused.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::cursor::Cursor;
use super::{literal, name, refuse};
use crate::ast::{Expr, Statement};
use crate::error::{Failure, Result};

/// SET, SET SESSION and SET LOCAL.
pub(super) fn set(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::SET_KW)?;
    let local = cursor.take(SyntaxKind::LOCAL_SCOPE).is_some();
    if !local {
        cursor.eat(SyntaxKind::SESSION_SCOPE);
    }
    let target = cursor.node()?;
    cursor.end_of_statement()?;
    let mut cursor = Cursor::new(&target);
    let (name, value) = match target.kind() {
        SyntaxKind::SET_CONFIG => {
            let name = parameter(&cursor.need(SyntaxKind::CONFIG_PARAMETER_REF)?)?;
            if cursor.kind() == Some(SyntaxKind::FROM_CURRENT) {
                return Err(Failure::not_modelled("SET FROM CURRENT"));
            }
            (name, assigned(&cursor.need(SyntaxKind::TO_CONFIG_VALUE)?)?)
        }
        SyntaxKind::SET_TIME_ZONE => {
            cursor.expect(SyntaxKind::TIME_KW)?;
            cursor.expect(SyntaxKind::ZONE_KW)?;
            let value = match cursor.kind() {
                Some(SyntaxKind::LOCAL_KW | SyntaxKind::DEFAULT_KW) => {
                    cursor.next();
                    None
                }
                _ => Some(value(&cursor.node()?)?),
            };
            ("timezone".to_owned(), value)
        }
        SyntaxKind::SET_SCHEMA_VALUE => return Err(Failure::not_modelled("SET SCHEMA")),
        kind => return Err(refuse(kind)),
    };
    cursor.finish()?;
    Ok(Statement::Set { local, name, value })
}

/// RESET.
pub(super) fn reset(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::RESET_KW)?;
    let target = cursor.node()?;
    cursor.end_of_statement()?;
    Ok(Statement::Reset(match target.kind() {
        SyntaxKind::CONFIG_PARAMETER_REF => parameter(&target)?,
        SyntaxKind::RESET_TIME_ZONE => "timezone".to_owned(),
        SyntaxKind::RESET_TRANSACTION_ISOLATION => "transaction_isolation".to_owned(),
        SyntaxKind::ALL => return Err(Failure::not_modelled("RESET ALL")),
        kind => return Err(refuse(kind)),
    }))
}

/// SHOW.
pub(super) fn show(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::SHOW_KW)?;
    let target = cursor.node()?;
    cursor.end_of_statement()?;
    Ok(Statement::Show(match target.kind() {
        SyntaxKind::CONFIG_PARAMETER_REF => parameter(&target)?,
        SyntaxKind::TIME_ZONE => "timezone".to_owned(),
        SyntaxKind::TRANSACTION_ISOLATION_LEVEL => "transaction_isolation".to_owned(),
        SyntaxKind::ALL => return Err(Failure::not_modelled("SHOW ALL")),
        kind => return Err(refuse(kind)),
    }))
}

/// The name of a parameter; those of extensions contain a dot.
fn parameter(node: &SyntaxNode) -> Result<String> {
    let mut cursor = Cursor::new(node);
    let parts = name::path(&cursor.need(SyntaxKind::PATH_REF)?)?;
    cursor.finish()?;
    Ok(parts.join("."))
}

/// The value after TO or `=`.
fn assigned(node: &SyntaxNode) -> Result<Option<String>> {
    let mut cursor = Cursor::new(node);
    cursor.skip(&[SyntaxKind::TO_KW, SyntaxKind::EQ]);
    let value = if cursor.eat(SyntaxKind::DEFAULT_KW) { None } else { Some(value(&cursor.node()?)?) };
    if cursor.kind() == Some(SyntaxKind::COMMA) {
        return Err(Failure::not_modelled("SET with a list of values"));
    }
    cursor.finish()?;
    Ok(value)
}

/// One value: a number, a string or a word.
fn value(node: &SyntaxNode) -> Result<String> {
    match node.kind() {
        SyntaxKind::CONFIG_VALUE_NAME | SyntaxKind::NAME_REF => name::ident(node),
        SyntaxKind::PREFIX_EXPR => {
            let mut cursor = Cursor::new(node);
            let minus = cursor.eat(SyntaxKind::MINUS);
            if !minus {
                cursor.expect(SyntaxKind::PLUS)?;
            }
            let number = value(&cursor.need(SyntaxKind::LITERAL)?)?;
            cursor.finish()?;
            Ok(if minus { format!("-{number}") } else { number })
        }
        SyntaxKind::LITERAL => {
            let word = node.first_token().map(|token| token.kind());
            if let Some(SyntaxKind::TRUE_KW | SyntaxKind::FALSE_KW | SyntaxKind::ON_KW) = word {
                return name::label(node);
            }
            match literal::literal(node)? {
                Expr::Integer(text) | Expr::Decimal(text) | Expr::String(text) => Ok(text),
                _ => Err(Failure::not_modelled("SET to this value")),
            }
        }
        kind => Err(refuse(kind)),
    }
}
