//! CREATE TABLE and CREATE TABLE AS. Temporary, unlogged, partitioned and inherited tables are refused.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::cursor::{Cursor, listed};
use super::{constraint, name, query, types};
use crate::ast::{ColumnDef, Constraint, CreateTable, Statement};
use crate::error::{Failure, Result};

/// CREATE TABLE.
pub(super) fn create(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    let (name, if_not_exists) = head(&mut cursor)?;
    let (mut columns, mut constraints) = (Vec::new(), Vec::new());
    let mut list = Cursor::new(&cursor.need(SyntaxKind::TABLE_ARG_LIST)?);
    list.expect(SyntaxKind::L_PAREN)?;
    while let Some(item) = list.node_if_any() {
        match item.kind() {
            SyntaxKind::COLUMN => columns.push(column(&item, &mut constraints)?),
            _ => constraints.push(constraint::of_table(&item)?),
        }
        list.eat(SyntaxKind::COMMA);
    }
    list.expect(SyntaxKind::R_PAREN)?;
    list.finish()?;
    let fillfactor = constraint::storage(&mut cursor)?;
    cursor.end_of_statement()?;
    Ok(Statement::CreateTable(CreateTable { name, if_not_exists, columns, constraints, fillfactor }))
}

/// CREATE TABLE … AS.
pub(super) fn create_as(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    let (name, if_not_exists) = head(&mut cursor)?;
    if if_not_exists {
        return Err(Failure::not_modelled("CREATE TABLE IF NOT EXISTS AS"));
    }
    let columns = cursor.take(SyntaxKind::TABLE_ARG_LIST).map(|list| {
        listed(&list, |column| {
            let mut cursor = Cursor::new(column);
            let name = name::ident(&cursor.need(SyntaxKind::COLUMN_NAME)?)?;
            cursor.finish()?;
            Ok(name)
        })
    });
    let columns = columns.transpose()?.unwrap_or_default();
    constraint::storage(&mut cursor)?;
    cursor.expect(SyntaxKind::AS_KW)?;
    let query = Box::new(query::query(&cursor.node()?)?);
    if cursor.kind() == Some(SyntaxKind::WITH_NO_DATA) {
        return Err(Failure::not_modelled("WITH NO DATA"));
    }
    cursor.eat(SyntaxKind::WITH_DATA);
    cursor.end_of_statement()?;
    Ok(Statement::CreateTableAs { name, columns, query })
}

/// CREATE TABLE up to the name, including IF NOT EXISTS.
fn head(cursor: &mut Cursor) -> Result<(String, bool)> {
    cursor.expect(SyntaxKind::CREATE_KW)?;
    match cursor.kind() {
        Some(SyntaxKind::TEMP) => return Err(Failure::not_modelled("temporary tables")),
        Some(SyntaxKind::UNLOGGED) => return Err(Failure::not_modelled("unlogged tables")),
        _ => cursor.expect(SyntaxKind::TABLE_KW)?,
    }
    let if_not_exists = cursor.take(SyntaxKind::IF_NOT_EXISTS).is_some();
    Ok((name::relation(&cursor.need(SyntaxKind::TABLE_NAME)?)?, if_not_exists))
}

/// A column definition; its constraints are added to those of the table.
fn column(node: &SyntaxNode, constraints: &mut Vec<Constraint>) -> Result<ColumnDef> {
    let mut cursor = Cursor::new(node);
    let name = name::ident(&cursor.need(SyntaxKind::COLUMN_NAME)?)?;
    rest_of_column(name, cursor, constraints)
}

/// A column definition after the name.
pub(super) fn rest_of_column(
    name: String,
    mut cursor: Cursor,
    constraints: &mut Vec<Constraint>,
) -> Result<ColumnDef> {
    let (ty, serial) = types::column(&cursor.node()?)?;
    let mut column = ColumnDef { name, ty, not_null: false, default: None, serial };
    while let Some(clause) = cursor.node_if_any() {
        constraint::of_column(&clause, &mut column, constraints)?;
    }
    cursor.finish()?;
    Ok(column)
}
