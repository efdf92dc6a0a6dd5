//! The trailing clauses of a query: ORDER BY, LIMIT, OFFSET, FETCH, FOR. They are accepted in the orders and numbers
//! that the server accepts.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::cursor::{Cursor, listed, separated};
use super::expression::expression;
use super::{name, refuse, syntax};
use crate::ast::{Expr, LockStrength, LockWait, Locking, OrderBy, Select};
use crate::error::{Failure, Result};

/// ORDER BY, LIMIT, OFFSET, FETCH and FOR at the end of a query, in an order that the server accepts.
pub(super) fn tail(cursor: &mut Cursor, select: &mut Select) -> Result<()> {
    let twice = |what: &str| Failure::sql("42601", format!("multiple {what} clauses not allowed"));
    if let Some(clause) = cursor.take(SyntaxKind::ORDER_BY_CLAUSE) {
        if !select.order.is_empty() {
            return Err(twice("ORDER BY"));
        }
        select.order = order(&clause)?;
    }
    let (limited, offset) = (select.limit.is_some(), select.offset.is_some());
    let locked = locking(cursor, select)?;
    let mut seen = [false; 2];
    while let Some(SyntaxKind::LIMIT_CLAUSE | SyntaxKind::FETCH_CLAUSE | SyntaxKind::OFFSET_CLAUSE) =
        cursor.kind()
    {
        let clause = cursor.node()?;
        let at = usize::from(clause.kind() == SyntaxKind::OFFSET_CLAUSE);
        if seen[at] {
            return Err(syntax::near(clause.first_token().as_ref().map_or("", |token| token.text())));
        }
        seen[at] = true;
        match (at, limited, offset) {
            (0, true, _) => return Err(twice("LIMIT")),
            (1, _, true) => return Err(twice("OFFSET")),
            (0, ..) => select.limit = limit(&clause)?,
            _ => select.offset = Some(skipped(&clause)?),
        }
    }
    if !locked {
        locking(cursor, select)?;
    }
    match cursor.kind() {
        Some(
            SyntaxKind::ORDER_BY_CLAUSE
            | SyntaxKind::LIMIT_CLAUSE
            | SyntaxKind::FETCH_CLAUSE
            | SyntaxKind::OFFSET_CLAUSE
            | SyntaxKind::LOCKING_CLAUSE,
        ) => {
            let clause = cursor.node()?;
            Err(syntax::near(clause.first_token().as_ref().map_or("", |token| token.text())))
        }
        _ => Ok(()),
    }
}

/// ORDER BY.
pub(super) fn order(node: &SyntaxNode) -> Result<Vec<OrderBy>> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::ORDER_KW)?;
    cursor.expect(SyntaxKind::BY_KW)?;
    let keys = listed(&cursor.need(SyntaxKind::SORT_BY_LIST)?, sort_key)?;
    cursor.finish()?;
    Ok(keys)
}

/// A key of ORDER BY or of an index.
pub(super) fn sort_key(node: &SyntaxNode) -> Result<OrderBy> {
    let mut cursor = Cursor::new(node);
    let expr = expression(&cursor.node()?)?;
    let ascending = cursor.take(SyntaxKind::SORT_ASC).is_some();
    let descending = !ascending && cursor.take(SyntaxKind::SORT_DESC).is_some();
    let first = cursor.take(SyntaxKind::NULLS_FIRST).is_some();
    let last = !first && cursor.take(SyntaxKind::NULLS_LAST).is_some();
    cursor.finish()?;
    Ok(OrderBy { expr, descending, nulls_first: (first || last).then_some(first) })
}

/// LIMIT and FETCH FIRST; `None` for LIMIT ALL.
fn limit(node: &SyntaxNode) -> Result<Option<Expr>> {
    let mut cursor = Cursor::new(node);
    if cursor.eat(SyntaxKind::LIMIT_KW) {
        if cursor.take(SyntaxKind::ALL).is_some() {
            cursor.finish()?;
            return Ok(None);
        }
        let expr = expression(&cursor.node()?)?;
        if cursor.kind() == Some(SyntaxKind::COMMA) {
            return Err(Failure::sql("42601", "LIMIT #,# syntax is not supported"));
        }
        cursor.finish()?;
        return Ok(Some(expr));
    }
    cursor.expect(SyntaxKind::FETCH_KW)?;
    cursor.skip(&[SyntaxKind::FIRST_KW, SyntaxKind::NEXT_KW]);
    let expr = match cursor.kind() {
        Some(SyntaxKind::ROW_KW | SyntaxKind::ROWS_KW) => Expr::Integer("1".to_owned()),
        _ => expression(&cursor.node()?)?,
    };
    cursor.skip(&[SyntaxKind::ROW_KW, SyntaxKind::ROWS_KW]);
    cursor.need(SyntaxKind::FETCH_ONLY)?;
    cursor.finish()?;
    Ok(Some(expr))
}

/// OFFSET.
fn skipped(node: &SyntaxNode) -> Result<Expr> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::OFFSET_KW)?;
    let expr = expression(&cursor.node()?)?;
    cursor.skip(&[SyntaxKind::ROW_KW, SyntaxKind::ROWS_KW]);
    cursor.finish()?;
    Ok(expr)
}

/// The locking clauses that are next; returns whether there are any.
fn locking(cursor: &mut Cursor, select: &mut Select) -> Result<bool> {
    let before = select.locking.len();
    while let Some(clause) = cursor.take(SyntaxKind::LOCKING_CLAUSE) {
        let mut cursor = Cursor::new(&clause);
        cursor.expect(SyntaxKind::FOR_KW)?;
        let strength = match cursor.node()?.kind() {
            SyntaxKind::FOR_UPDATE => LockStrength::Update,
            SyntaxKind::FOR_NO_KEY_UPDATE => LockStrength::NoKeyUpdate,
            SyntaxKind::FOR_SHARE => LockStrength::Share,
            SyntaxKind::FOR_KEY_SHARE => LockStrength::KeyShare,
            kind => return Err(refuse(kind)),
        };
        let mut of = Vec::new();
        if let Some(list) = cursor.take(SyntaxKind::LOCKING_OF) {
            let mut list = Cursor::new(&list);
            list.expect(SyntaxKind::OF_KW)?;
            of = separated(&mut list, name::ident)?;
            list.finish()?;
        }
        let wait = match () {
            () if cursor.take(SyntaxKind::NOWAIT).is_some() => LockWait::Nowait,
            () if cursor.take(SyntaxKind::SKIP_LOCKED).is_some() => LockWait::SkipLocked,
            () => LockWait::Block,
        };
        cursor.finish()?;
        select.locking.push(Locking { strength, of, wait });
    }
    Ok(select.locking.len() > before)
}
