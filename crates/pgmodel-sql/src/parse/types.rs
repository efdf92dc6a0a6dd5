//! Names of types. An unsupported type is refused by name.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::cursor::{Cursor, listed};
use super::{literal, name, refuse};
use crate::ast::{Expr, Serial};
use crate::error::{Failure, Result};
use crate::value::Type;

/// The maximum length of `character` and `character varying` on the server.
const LONGEST: u32 = 10_485_760;

/// A type in any notation.
pub(super) fn ty(node: &SyntaxNode) -> Result<Type> {
    match node.kind() {
        SyntaxKind::ARRAY_TYPE => array(node),
        SyntaxKind::PATH_TYPE => plain(node),
        SyntaxKind::VARCHAR_TYPE => varchar(node),
        SyntaxKind::TIMESTAMP_TYPE => timestamp(node),
        SyntaxKind::INTERVAL_TYPE => {
            let mut cursor = Cursor::new(node);
            cursor.expect(SyntaxKind::INTERVAL_KW)?;
            if cursor.kind().is_some() {
                return Err(Failure::not_modelled("interval fields and precision"));
            }
            Ok(Type::Interval)
        }
        SyntaxKind::CHARACTER_TYPE => character(node),
        SyntaxKind::DOUBLE_TYPE => Err(Failure::not_modelled("type double precision")),
        SyntaxKind::TIME_TYPE => Err(Failure::not_modelled("type time")),
        SyntaxKind::BIT_TYPE | SyntaxKind::BIT_VARYING_TYPE => Err(Failure::not_modelled("type bit")),
        kind => Err(refuse(kind)),
    }
}

/// A column's type, including the serial types.
pub(super) fn column(node: &SyntaxNode) -> Result<(Type, Option<Serial>)> {
    let integer = match node.text().to_string().to_ascii_lowercase().as_str() {
        "serial" | "serial4" => Type::Int4,
        "bigserial" | "serial8" => Type::Int8,
        "smallserial" | "serial2" => Type::Int2,
        _ => return Ok((ty(node)?, None)),
    };
    Ok((integer, Some(Serial::Serial)))
}

/// `int[]`, `int[3]`, `int ARRAY`. As on the server, a bound is ignored.
fn array(node: &SyntaxNode) -> Result<Type> {
    let mut cursor = Cursor::new(node);
    let of = ty(&cursor.node()?)?;
    let mut dimensions = usize::from(cursor.eat(SyntaxKind::ARRAY_KW));
    let mut bounds = 0;
    while cursor.take(SyntaxKind::ARRAY_BOUND).is_some() {
        bounds += 1;
    }
    dimensions = dimensions.max(bounds);
    cursor.finish()?;
    if dimensions != 1 || matches!(of, Type::Array(_)) {
        return Err(Failure::not_modelled("arrays of more than one dimension"));
    }
    Ok(Type::Array(Box::new(of)))
}

/// A type with a simple name.
fn plain(node: &SyntaxNode) -> Result<Type> {
    let mut cursor = Cursor::new(node);
    let parts = name::path(&cursor.need(SyntaxKind::PATH_REF)?)?;
    let modifiers = modifiers(&mut cursor)?;
    cursor.finish()?;
    let (schema, named) = match parts.as_slice() {
        [named] => (None, named.as_str()),
        [schema, named] => (Some(schema.as_str()), named.as_str()),
        _ => return Err(Failure::not_modelled("names with a database")),
    };
    if schema.is_some_and(|schema| schema != "pg_catalog") {
        return Err(Failure::not_modelled(format!("type {}", parts.join("."))));
    }
    let ty = match (named, modifiers.as_slice()) {
        ("numeric" | "decimal" | "dec", modifiers) => return numeric(modifiers),
        ("varchar", []) => Type::Varchar(None),
        ("varchar", [length]) => Type::Varchar(Some(*length)),
        ("int" | "integer" | "int4", []) => Type::Int4,
        ("smallint" | "int2", []) => Type::Int2,
        ("bigint" | "int8", []) => Type::Int8,
        ("text", []) => Type::Text,
        ("bool" | "boolean", []) => Type::Bool,
        ("bpchar", []) => Type::Char(None),
        ("date", []) => Type::Date,
        ("timestamp", []) => Type::Timestamp,
        ("timestamptz", []) => Type::Timestamptz,
        ("interval", []) => Type::Interval,
        ("uuid", []) => Type::Uuid,
        ("jsonb", []) => Type::Jsonb,
        ("bytea", []) => Type::Bytea,
        (named, []) => return Err(Failure::not_modelled(format!("type {named}"))),
        (named, _) => return Err(Failure::not_modelled(format!("type {named} with a modifier"))),
    };
    Ok(ty)
}

/// `varchar(n)` and `character varying(n)`.
fn varchar(node: &SyntaxNode) -> Result<Type> {
    let mut cursor = Cursor::new(node);
    cursor.skip(&[SyntaxKind::CHARACTER_KW, SyntaxKind::CHAR_KW]);
    cursor.skip(&[SyntaxKind::VARYING_KW, SyntaxKind::VARCHAR_KW]);
    let modifiers = modifiers(&mut cursor)?;
    cursor.finish()?;
    match modifiers.as_slice() {
        [] => Ok(Type::Varchar(None)),
        [0] => Err(Failure::sql("22023", "length for type varchar must be at least 1")),
        [length @ 1..=LONGEST] => Ok(Type::Varchar(Some(*length))),
        _ => Err(Failure::not_modelled("this length of varchar")),
    }
}

/// `character(n)` and `char(n)`; the default length is 1.
fn character(node: &SyntaxNode) -> Result<Type> {
    let mut cursor = Cursor::new(node);
    if !cursor.eat(SyntaxKind::CHARACTER_KW) && !cursor.eat(SyntaxKind::CHAR_KW) {
        return Err(refuse(node.kind()));
    }
    let modifiers = modifiers(&mut cursor)?;
    cursor.finish()?;
    match modifiers.as_slice() {
        [] => Ok(Type::Char(Some(1))),
        [0] => Err(Failure::sql("22023", "length for type char must be at least 1")),
        [length @ 1..=LONGEST] => Ok(Type::Char(Some(*length))),
        [_] => Err(Failure::sql("22023", format!("length for type char cannot exceed {LONGEST}"))),
        _ => Err(Failure::not_modelled("this length of character")),
    }
}

/// `timestamp with time zone` and without.
fn timestamp(node: &SyntaxNode) -> Result<Type> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::TIMESTAMP_KW)?;
    if cursor.kind() == Some(SyntaxKind::L_PAREN) {
        return Err(Failure::not_modelled("type timestamptz with a modifier"));
    }
    let zoned = cursor.take(SyntaxKind::WITH_TIMEZONE).is_some();
    if !zoned {
        cursor.take(SyntaxKind::WITHOUT_TIMEZONE);
    }
    cursor.finish()?;
    Ok(if zoned { Type::Timestamptz } else { Type::Timestamp })
}

/// `numeric(precision, scale)`.
fn numeric(modifiers: &[u32]) -> Result<Type> {
    let small = |n: &u32| u16::try_from(*n).ok().filter(|n| *n <= 1000);
    match modifiers {
        [] => Some(Type::Numeric(None)),
        [precision] => small(precision).filter(|p| *p > 0).map(|p| Type::Numeric(Some((p, 0)))),
        [precision, scale] => small(precision)
            .filter(|p| *p > 0)
            .and_then(|p| small(scale).map(|s| Type::Numeric(Some((p, s))))),
        _ => None,
    }
    .ok_or_else(|| Failure::not_modelled("this precision of numeric"))
}

/// The numbers in parentheses after a type name.
fn modifiers(cursor: &mut Cursor) -> Result<Vec<u32>> {
    let Some(list) = cursor.take(SyntaxKind::ARG_LIST) else { return Ok(Vec::new()) };
    listed(&list, |arg| {
        let mut cursor = Cursor::new(arg);
        let number = literal::literal(&cursor.need(SyntaxKind::LITERAL)?)?;
        cursor.finish()?;
        match number {
            Expr::Integer(digits) => {
                digits.parse().map_err(|_| Failure::not_modelled(format!("type modifier {digits}")))
            }
            _ => Err(Failure::not_modelled("a type modifier that is no number")),
        }
    })
}
