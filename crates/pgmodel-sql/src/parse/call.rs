//! Function calls, and the SQL-specific forms that the server turns into calls. Unsupported parts of a call, such as
//! OVER and WITHIN GROUP, are refused, since they change its meaning.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::cursor::{Cursor, separated};
use super::expression::{self, expression};
use super::{name, query, refuse, syntax, tail};
use crate::ast::{Expr, OrderBy};
use crate::error::{Failure, Result};

/// A call.
pub(super) fn call(node: &SyntaxNode) -> Result<Expr> {
    let mut cursor = Cursor::new(node);
    let named = cursor.node()?;
    let expr = match named.kind() {
        SyntaxKind::NAME_REF | SyntaxKind::FIELD_EXPR => function(&named, &mut cursor)?,
        SyntaxKind::EXISTS_FN => exists(&named)?,
        SyntaxKind::EXTRACT_FN => extract(&named)?,
        SyntaxKind::POSITION_FN => position(&named)?,
        SyntaxKind::SUBSTRING_FN => substring(&named)?,
        SyntaxKind::TRIM_FN => trim(&named)?,
        SyntaxKind::ANY_FN | SyntaxKind::SOME_FN | SyntaxKind::ALL_FN => {
            return Err(Failure::not_modelled("ANY or ALL on the left of an operator"));
        }
        kind => {
            let title = super::cursor::title(kind);
            return Err(Failure::not_modelled(title.strip_suffix(" FN").unwrap_or(&title)));
        }
    };
    cursor.finish()?;
    Ok(expr)
}

/// A plain function call.
pub(super) fn plain(name: &str, args: Vec<Expr>) -> Expr {
    Expr::Call { name: name.to_owned(), args, star: false, distinct: false, order: Vec::new(), filter: None }
}

/// `name(args)` with an optional FILTER.
fn function(named: &SyntaxNode, cursor: &mut Cursor) -> Result<Expr> {
    if let Some(word) = named.first_token()
        && (expression::stands_for_value(word.kind()) || word.kind() == SyntaxKind::CURRENT_TIMESTAMP_KW)
    {
        return Err(Failure::not_modelled(format!("{} with a precision", word.text())));
    }
    let (parts, star) = expression::dotted(named)?;
    let name = match parts.as_slice() {
        _ if star => return Err(refuse(named.kind())),
        [name] => name.clone(),
        [schema, name] if schema == "pg_catalog" => name.clone(),
        _ => return Err(Failure::not_modelled(format!("function {}", parts.join(".")))),
    };
    let mut list = Cursor::new(&cursor.need(SyntaxKind::ARG_LIST)?);
    list.expect(SyntaxKind::L_PAREN)?;
    let star = list.eat(SyntaxKind::STAR);
    let distinct = !star && list.take(SyntaxKind::DISTINCT).is_some();
    if !star && !distinct {
        list.eat(SyntaxKind::ALL);
    }
    let (mut args, mut order) = (Vec::new(), Vec::new());
    if !star && list.kind() != Some(SyntaxKind::R_PAREN) {
        for (arg, sorted) in separated(&mut list, argument)? {
            if !order.is_empty() {
                return Err(syntax::near(","));
            }
            args.push(arg);
            order = sorted;
        }
    }
    list.expect(SyntaxKind::R_PAREN)?;
    list.finish()?;
    let filter = cursor.take(SyntaxKind::FILTER_CLAUSE).map(|clause| filter(&clause)).transpose()?;
    Ok(Expr::Call { name, args, star, distinct, order, filter: filter.map(Box::new) })
}

/// One argument, with the ORDER BY that may follow the last one. Named and VARIADIC arguments are refused.
fn argument(node: &SyntaxNode) -> Result<(Expr, Vec<OrderBy>)> {
    let mut cursor = Cursor::new(node);
    if cursor.kind() == Some(SyntaxKind::VARIADIC_KW) {
        return Err(Failure::not_modelled("VARIADIC"));
    }
    if cursor.kind() == Some(SyntaxKind::NAMED_ARG) {
        return Err(Failure::not_modelled("arguments by name"));
    }
    let expr = expression(&cursor.node()?)?;
    let order = cursor.take(SyntaxKind::ORDER_BY_CLAUSE).map(|clause| tail::order(&clause)).transpose()?;
    cursor.finish()?;
    Ok((expr, order.unwrap_or_default()))
}

/// FILTER (WHERE …).
fn filter(node: &SyntaxNode) -> Result<Expr> {
    let mut cursor = Cursor::new(node);
    for kind in [SyntaxKind::FILTER_KW, SyntaxKind::L_PAREN, SyntaxKind::WHERE_KW] {
        cursor.expect(kind)?;
    }
    let expr = expression(&cursor.node()?)?;
    cursor.expect(SyntaxKind::R_PAREN)?;
    cursor.finish()?;
    Ok(expr)
}

/// EXISTS (query).
fn exists(node: &SyntaxNode) -> Result<Expr> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::EXISTS_KW)?;
    cursor.expect(SyntaxKind::L_PAREN)?;
    let query = query::query(&cursor.node()?)?;
    cursor.expect(SyntaxKind::R_PAREN)?;
    cursor.finish()?;
    Ok(Expr::Exists(Box::new(query)))
}

/// EXTRACT(field FROM x) is `extract('field', x)`.
fn extract(node: &SyntaxNode) -> Result<Expr> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::EXTRACT_KW)?;
    cursor.expect(SyntaxKind::L_PAREN)?;
    let field = name::ident(&cursor.need(SyntaxKind::EXTRACT_FIELD_NAME)?)?;
    cursor.expect(SyntaxKind::FROM_KW)?;
    let from = expression(&cursor.node()?)?;
    cursor.expect(SyntaxKind::R_PAREN)?;
    cursor.finish()?;
    Ok(plain("extract", vec![Expr::String(field), from]))
}

/// POSITION(a IN b) is `position(b, a)`.
fn position(node: &SyntaxNode) -> Result<Expr> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::POSITION_KW)?;
    cursor.expect(SyntaxKind::L_PAREN)?;
    let what = expression(&cursor.node()?)?;
    cursor.expect(SyntaxKind::IN_KW)?;
    let within = expression(&cursor.node()?)?;
    cursor.expect(SyntaxKind::R_PAREN)?;
    cursor.finish()?;
    Ok(plain("position", vec![within, what]))
}

/// SUBSTRING(x FROM a FOR b) is `substring(x, a, b)`.
fn substring(node: &SyntaxNode) -> Result<Expr> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::SUBSTRING_KW)?;
    cursor.expect(SyntaxKind::L_PAREN)?;
    let inner = cursor.node()?;
    cursor.expect(SyntaxKind::R_PAREN)?;
    cursor.finish()?;
    let mut cursor = Cursor::new(&inner);
    let args = match inner.kind() {
        SyntaxKind::SUBSTRING_EXPRS => separated(&mut cursor, expression)?,
        SyntaxKind::SUBSTRING_FROM_FOR => {
            let mut args = vec![expression(&cursor.node()?)?];
            cursor.expect(SyntaxKind::FROM_KW)?;
            args.push(expression(&cursor.node()?)?);
            if cursor.eat(SyntaxKind::FOR_KW) {
                args.push(expression(&cursor.node()?)?);
            }
            args
        }
        _ => return Err(Failure::not_modelled("this form of SUBSTRING")),
    };
    cursor.finish()?;
    Ok(plain("substring", args))
}

/// TRIM(BOTH a FROM b) is `btrim(b, a)`, LEADING `ltrim`, TRAILING `rtrim`.
fn trim(node: &SyntaxNode) -> Result<Expr> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::TRIM_KW)?;
    cursor.expect(SyntaxKind::L_PAREN)?;
    let name = match cursor.kind() {
        Some(SyntaxKind::TRIM_LEADING) => "ltrim",
        Some(SyntaxKind::TRIM_TRAILING) => "rtrim",
        _ => "btrim",
    };
    for side in [SyntaxKind::TRIM_LEADING, SyntaxKind::TRIM_TRAILING, SyntaxKind::TRIM_BOTH] {
        cursor.eat(side);
    }
    let inner = cursor.node()?;
    cursor.expect(SyntaxKind::R_PAREN)?;
    cursor.finish()?;
    let mut cursor = Cursor::new(&inner);
    let args = match inner.kind() {
        SyntaxKind::TRIM_EXPRS => separated(&mut cursor, expression)?,
        SyntaxKind::TRIM_FROM => {
            cursor.expect(SyntaxKind::FROM_KW)?;
            separated(&mut cursor, expression)?
        }
        _ => {
            let what = expression(&cursor.node()?)?;
            cursor.expect(SyntaxKind::FROM_KW)?;
            let mut args = separated(&mut cursor, expression)?;
            args.push(what);
            args
        }
    };
    cursor.finish()?;
    Ok(plain(name, args))
}
