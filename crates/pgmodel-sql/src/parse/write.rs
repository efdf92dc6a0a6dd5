//! INSERT, UPDATE, DELETE. An assignment to anything but a whole column is refused.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::cursor::{Cursor, listed};
use super::expression::{self, expression};
use super::{from, name, query, refuse};
use crate::ast::{
    Assignment, Body, ConflictAction, ConflictTarget, Delete, Expr, Insert, OnConflict, Update, With,
};
use crate::error::{Failure, Result};

/// INSERT.
pub(super) fn insert(node: &SyntaxNode) -> Result<With> {
    let mut cursor = Cursor::new(node);
    let ctes = query::with(&mut cursor)?;
    cursor.expect(SyntaxKind::INSERT_KW)?;
    cursor.expect(SyntaxKind::INTO_KW)?;
    let table = name::relation(&cursor.need(SyntaxKind::RELATION_NAME_REF)?)?;
    let alias = alias(&mut cursor, SyntaxKind::REQUIRED_AS_ALIAS)?;
    let columns = cursor.take(SyntaxKind::COLUMN_TARGET_LIST).map(|list| listed(&list, column));
    let columns = columns.transpose()?.unwrap_or_default();
    if let Some(SyntaxKind::OVERRIDING_SYSTEM_VALUE | SyntaxKind::OVERRIDING_USER_VALUE) = cursor.kind() {
        return Err(Failure::not_modelled("OVERRIDING"));
    }
    let source = match cursor.take(SyntaxKind::DEFAULT_VALUES) {
        Some(_) => None,
        None => Some(Box::new(query::query(&cursor.node()?)?)),
    };
    let on_conflict = cursor.take(SyntaxKind::ON_CONFLICT_CLAUSE).map(|c| on_conflict(&c)).transpose()?;
    let returning = query::returning(&mut cursor)?;
    cursor.end_of_statement()?;
    let insert = Insert { table, alias, columns, source, on_conflict, returning };
    Ok(With { ctes, body: Body::Insert(insert) })
}

/// UPDATE.
pub(super) fn update(node: &SyntaxNode) -> Result<With> {
    let mut cursor = Cursor::new(node);
    let ctes = query::with(&mut cursor)?;
    cursor.expect(SyntaxKind::UPDATE_KW)?;
    let table = name::relation(&cursor.need(SyntaxKind::RELATION_NAME)?)?;
    let alias = alias(&mut cursor, SyntaxKind::OPTIONAL_AS_ALIAS)?;
    let set = assignments(&cursor.need(SyntaxKind::SET_CLAUSE)?)?;
    let from = cursor.take(SyntaxKind::FROM_CLAUSE).map(|c| from::items(&c, SyntaxKind::FROM_KW));
    let from = from.transpose()?.unwrap_or_default();
    let filter = expression::filter(&mut cursor)?;
    let returning = query::returning(&mut cursor)?;
    cursor.end_of_statement()?;
    let update = Update { table, alias, set, from, filter, returning };
    Ok(With { ctes, body: Body::Update(update) })
}

/// DELETE.
pub(super) fn delete(node: &SyntaxNode) -> Result<With> {
    let mut cursor = Cursor::new(node);
    let ctes = query::with(&mut cursor)?;
    cursor.expect(SyntaxKind::DELETE_KW)?;
    cursor.expect(SyntaxKind::FROM_KW)?;
    let table = name::relation(&cursor.need(SyntaxKind::RELATION_NAME)?)?;
    let alias = alias(&mut cursor, SyntaxKind::OPTIONAL_AS_ALIAS)?;
    let using = cursor.take(SyntaxKind::USING_CLAUSE).map(|c| from::items(&c, SyntaxKind::USING_KW));
    let using = using.transpose()?.unwrap_or_default();
    let filter = expression::filter(&mut cursor)?;
    let returning = query::returning(&mut cursor)?;
    cursor.end_of_statement()?;
    let delete = Delete { table, alias, using, filter, returning };
    Ok(With { ctes, body: Body::Delete(delete) })
}

/// `AS name` after the table, if it is next.
fn alias(cursor: &mut Cursor, kind: SyntaxKind) -> Result<Option<String>> {
    let Some(node) = cursor.take(kind) else { return Ok(None) };
    let mut cursor = Cursor::new(&node);
    cursor.eat(SyntaxKind::AS_KW);
    let name = name::ident(&cursor.need(SyntaxKind::TABLE_ALIAS)?)?;
    cursor.finish()?;
    Ok(Some(name))
}

/// A column as the target of a write; a part of its value is refused.
fn column(node: &SyntaxNode) -> Result<String> {
    let mut cursor = Cursor::new(node);
    let name = name::ident(&cursor.need(SyntaxKind::COLUMN_NAME_REF)?)?;
    if cursor.kind().is_some() {
        return Err(Failure::not_modelled("assignment to a part of a column"));
    }
    Ok(name)
}

/// ON CONFLICT.
fn on_conflict(node: &SyntaxNode) -> Result<OnConflict> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::ON_KW)?;
    cursor.expect(SyntaxKind::CONFLICT_KW)?;
    let target = if let Some(index) = cursor.take(SyntaxKind::CONFLICT_ON_INDEX) {
        let mut cursor = Cursor::new(&index);
        let exprs = listed(&cursor.need(SyntaxKind::CONFLICT_INDEX_ITEM_LIST)?, |item| {
            let mut cursor = Cursor::new(item);
            let expr = expression(&cursor.node()?)?;
            cursor.finish()?;
            Ok(expr)
        })?;
        let filter = expression::filter(&mut cursor)?;
        cursor.finish()?;
        Some(ConflictTarget::Columns { exprs, filter })
    } else if let Some(constraint) = cursor.take(SyntaxKind::CONFLICT_ON_CONSTRAINT) {
        let mut cursor = Cursor::new(&constraint);
        cursor.expect(SyntaxKind::ON_KW)?;
        cursor.expect(SyntaxKind::CONSTRAINT_KW)?;
        let name = name::relation(&cursor.node()?)?;
        cursor.finish()?;
        Some(ConflictTarget::Constraint(name))
    } else {
        None
    };
    let action = match cursor.take(SyntaxKind::CONFLICT_DO_NOTHING) {
        Some(_) => ConflictAction::Nothing,
        None => do_update(&cursor.need(SyntaxKind::CONFLICT_DO_UPDATE_SET)?)?,
    };
    cursor.finish()?;
    if target.is_none() && action != ConflictAction::Nothing {
        let words = "ON CONFLICT DO UPDATE requires inference specification or constraint name";
        return Err(Failure::sql("42601", words));
    }
    Ok(OnConflict { target, action })
}

/// DO UPDATE SET … WHERE ….
fn do_update(node: &SyntaxNode) -> Result<ConflictAction> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::DO_KW)?;
    cursor.expect(SyntaxKind::UPDATE_KW)?;
    let set = assignments(&cursor.need(SyntaxKind::SET_CLAUSE)?)?;
    let filter = expression::filter(&mut cursor)?;
    cursor.finish()?;
    Ok(ConflictAction::Update { set, filter })
}

/// SET.
fn assignments(node: &SyntaxNode) -> Result<Vec<Assignment>> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::SET_KW)?;
    let set = listed(&cursor.need(SyntaxKind::SET_COLUMN_LIST)?, |item| match item.kind() {
        SyntaxKind::SET_SINGLE_COLUMN => one(item),
        SyntaxKind::SET_MULTIPLE_COLUMNS => several(item),
        kind => Err(refuse(kind)),
    })?;
    cursor.finish()?;
    Ok(set.into_iter().flatten().collect())
}

/// `a = x`.
fn one(node: &SyntaxNode) -> Result<Vec<Assignment>> {
    let mut cursor = Cursor::new(node);
    let columns = vec![column(&cursor.need(SyntaxKind::COLUMN_TARGET)?)?];
    cursor.expect(SyntaxKind::EQ)?;
    let value = value(&cursor.need(SyntaxKind::SET_EXPR)?)?;
    cursor.finish()?;
    Ok(vec![Assignment { columns, value }])
}

/// `(a, b) = (x, y)` and `(a, b) = (SELECT …)`.
fn several(node: &SyntaxNode) -> Result<Vec<Assignment>> {
    let mut cursor = Cursor::new(node);
    let columns = listed(&cursor.need(SyntaxKind::COLUMN_TARGET_LIST)?, column)?;
    cursor.expect(SyntaxKind::EQ)?;
    let Some(list) = cursor.take(SyntaxKind::SET_EXPR_LIST) else {
        let value = expression(&cursor.node()?)?;
        cursor.finish()?;
        return match value {
            Expr::Scalar(_) => Ok(vec![Assignment { columns, value }]),
            _ => Err(Failure::not_modelled("this value for several columns")),
        };
    };
    cursor.finish()?;
    let mut cursor = Cursor::new(&list);
    let row = cursor.eat(SyntaxKind::ROW_KW);
    cursor.expect(SyntaxKind::L_PAREN)?;
    let values = super::cursor::separated(&mut cursor, value)?;
    cursor.expect(SyntaxKind::R_PAREN)?;
    cursor.finish()?;
    if let ([_], [_], false) = (columns.as_slice(), values.as_slice(), row) {
        // To the server a single value in parentheses is not a row.
        let words = "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression";
        return Err(Failure::sql("0A000", words));
    }
    if columns.len() != values.len() {
        return Err(Failure::sql("42601", "number of columns does not match number of values"));
    }
    let pairs = columns.into_iter().zip(values);
    Ok(pairs.map(|(column, value)| Assignment { columns: vec![column], value }).collect())
}

/// The value assigned to a column.
fn value(node: &SyntaxNode) -> Result<Expr> {
    let mut cursor = Cursor::new(node);
    if cursor.eat(SyntaxKind::DEFAULT_KW) {
        cursor.finish()?;
        return Ok(Expr::Default);
    }
    let value = expression::or_default(&cursor.node()?)?;
    cursor.finish()?;
    Ok(value)
}
