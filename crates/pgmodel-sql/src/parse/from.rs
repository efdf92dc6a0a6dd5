//! FROM and USING: tables, subqueries, functions and joins. The grammar library's nesting of joins is flattened and
//! rebuilt by the server's rules, which alone decide what is joined first.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::cursor::{Cursor, separated};
use super::{call, expression, name, refuse};
use crate::ast::{Alias, Body, Expr, FromItem, JoinKind, SelectCore, With};
use crate::error::{Failure, Result};

/// The items after FROM or USING.
pub(super) fn items(node: &SyntaxNode, keyword: SyntaxKind) -> Result<Vec<FromItem>> {
    let mut cursor = Cursor::new(node);
    cursor.expect(keyword)?;
    let items = separated(&mut cursor, item)?;
    cursor.finish()?;
    Ok(items)
}

/// An item with the items joined to it.
fn item(node: &SyntaxNode) -> Result<FromItem> {
    match node.kind() {
        SyntaxKind::RELATION_FROM_ITEM => table(node),
        SyntaxKind::PAREN_FROM_ITEM => parenthesised(node),
        SyntaxKind::FUNCTION_FROM_ITEM => function(node),
        SyntaxKind::JOIN_EXPR => {
            let mut written = Vec::new();
            spread(node, &mut written)?;
            written.reverse();
            let joined = join(&mut written)?;
            if written.is_empty() { Ok(joined) } else { Err(Failure::not_modelled("this order of joins")) }
        }
        SyntaxKind::ROWS_FROM_ITEM => Err(Failure::not_modelled("ROWS FROM")),
        SyntaxKind::EXPR_FROM_ITEM => Err(Failure::not_modelled("an expression in FROM")),
        kind => Err(refuse(kind)),
    }
}

/// A table or a common table expression.
fn table(node: &SyntaxNode) -> Result<FromItem> {
    let mut cursor = Cursor::new(node);
    cursor.eat(SyntaxKind::ONLY_KW);
    let reference = cursor.need(SyntaxKind::RELATION_NAME_REF)?;
    if let Some(word) = reference.first_token()
        && (expression::stands_for_value(word.kind()) || word.kind() == SyntaxKind::CURRENT_TIMESTAMP_KW)
    {
        return Err(Failure::not_modelled("an expression in FROM"));
    }
    let name = name::relation(&reference)?;
    cursor.eat(SyntaxKind::STAR);
    let alias = alias(&mut cursor)?;
    cursor.finish()?;
    Ok(FromItem::Table { name, alias })
}

/// A subquery, or joins in parentheses.
fn parenthesised(node: &SyntaxNode) -> Result<FromItem> {
    let mut cursor = Cursor::new(node);
    let lateral = cursor.eat(SyntaxKind::LATERAL_KW);
    let inner = cursor.node()?;
    let alias = alias(&mut cursor)?;
    cursor.finish()?;
    if let Some(query) = expression::subquery(&inner)? {
        if alias.is_none() {
            return Err(nameless(&query));
        }
        return Ok(FromItem::Subquery { query: Box::new(query), alias, lateral });
    }
    if lateral {
        return Err(refuse(SyntaxKind::LATERAL_KW));
    }
    if alias.is_some() {
        return Err(Failure::not_modelled("an alias of a join"));
    }
    let mut cursor = Cursor::new(&inner);
    cursor.expect(SyntaxKind::L_PAREN)?;
    let joined = item(&cursor.node()?)?;
    cursor.expect(SyntaxKind::R_PAREN)?;
    cursor.finish()?;
    Ok(joined)
}

/// The error of version 15 for a subquery without a name.
fn nameless(query: &With) -> Failure {
    let what = match &query.body {
        Body::Select(select) if matches!(select.core, SelectCore::Values(_)) => "VALUES",
        _ => "subquery",
    };
    Failure::sql("42601", format!("{what} in FROM must have an alias"))
}

/// A set-returning function. LATERAL is redundant here, as a function may always reference items to its left.
fn function(node: &SyntaxNode) -> Result<FromItem> {
    let mut cursor = Cursor::new(node);
    cursor.eat(SyntaxKind::LATERAL_KW);
    let called = call::call(&cursor.need(SyntaxKind::CALL_EXPR)?)?;
    let ordinality = cursor.take(SyntaxKind::WITH_ORDINALITY).is_some();
    let alias = alias(&mut cursor)?;
    cursor.finish()?;
    match called {
        Expr::Call { name, args, star: false, distinct: false, order, filter: None } if order.is_empty() => {
            Ok(FromItem::Function { name, args, ordinality, alias })
        }
        _ => Err(Failure::not_modelled("this call in FROM")),
    }
}

/// `AS name (columns)`, if it is next.
fn alias(cursor: &mut Cursor) -> Result<Option<Alias>> {
    let Some(node) = cursor.take(SyntaxKind::FROM_ALIAS) else { return Ok(None) };
    let mut cursor = Cursor::new(&node);
    cursor.eat(SyntaxKind::AS_KW);
    let name = name::ident(&cursor.need(SyntaxKind::TABLE_ALIAS)?)?;
    let columns = cursor.take(SyntaxKind::COLUMN_LIST).map(|list| name::idents(&list)).transpose()?;
    cursor.finish()?;
    Ok(Some(Alias { name, columns: columns.unwrap_or_default() }))
}

/// A piece of a chain of joins.
enum Piece {
    Item(SyntaxNode),
    /// CROSS JOIN.
    Cross,
    /// A join that needs a condition.
    Join(JoinKind),
    On(Expr),
    Using(Vec<String>),
}

/// Flattens nested joins into the sequence of their pieces.
fn spread(node: &SyntaxNode, out: &mut Vec<Piece>) -> Result<()> {
    if node.kind() != SyntaxKind::JOIN_EXPR {
        out.push(Piece::Item(node.clone()));
        return Ok(());
    }
    let mut cursor = Cursor::new(node);
    spread(&cursor.node()?, out)?;
    let joined = cursor.need(SyntaxKind::JOIN)?;
    cursor.finish()?;
    let mut cursor = Cursor::new(&joined);
    if cursor.kind() == Some(SyntaxKind::NATURAL_KW) {
        return Err(Failure::not_modelled("NATURAL JOIN"));
    }
    out.push(match cursor.node()?.kind() {
        SyntaxKind::JOIN_CROSS => Piece::Cross,
        SyntaxKind::JOIN_INNER => Piece::Join(JoinKind::Inner),
        SyntaxKind::JOIN_LEFT => Piece::Join(JoinKind::Left),
        SyntaxKind::JOIN_RIGHT => Piece::Join(JoinKind::Right),
        SyntaxKind::JOIN_FULL => Piece::Join(JoinKind::Full),
        kind => return Err(refuse(kind)),
    });
    spread(&cursor.node()?, out)?;
    if let Some(clause) = cursor.take(SyntaxKind::ON_CLAUSE) {
        out.push(Piece::On(expression::condition(&clause, SyntaxKind::ON_KW)?));
    } else if let Some(clause) = cursor.take(SyntaxKind::JOIN_USING_CLAUSE) {
        let mut cursor = Cursor::new(&clause);
        cursor.expect(SyntaxKind::USING_KW)?;
        out.push(Piece::Using(name::idents(&cursor.node()?)?));
        if cursor.kind() == Some(SyntaxKind::REQUIRED_AS_ALIAS) {
            return Err(Failure::not_modelled("an alias of USING"));
        }
        cursor.finish()?;
    }
    cursor.finish()
}

/// Builds the joins from the pieces, which are in reverse order. The right side of a join with a condition extends to
/// that condition; the right side of one without is a single item.
fn join(pieces: &mut Vec<Piece>) -> Result<FromItem> {
    let mut left = single(pieces)?;
    loop {
        let kind = match pieces.last() {
            Some(Piece::Cross) => None,
            Some(Piece::Join(kind)) => Some(*kind),
            _ => return Ok(left),
        };
        pieces.pop();
        let (right, on, using) = match kind {
            None => (single(pieces)?, None, Vec::new()),
            Some(_) => {
                let right = join(pieces)?;
                match pieces.pop() {
                    Some(Piece::On(on)) => (right, Some(on), Vec::new()),
                    Some(Piece::Using(columns)) => (right, None, columns),
                    _ => return Err(Failure::not_modelled("this order of joins")),
                }
            }
        };
        let kind = kind.unwrap_or(JoinKind::Inner);
        left = FromItem::Join { kind, left: Box::new(left), right: Box::new(right), on, using };
    }
}

fn single(pieces: &mut Vec<Piece>) -> Result<FromItem> {
    match pieces.pop() {
        Some(Piece::Item(node)) => item(&node),
        _ => Err(Failure::not_modelled("this order of joins")),
    }
}
