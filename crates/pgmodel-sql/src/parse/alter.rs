//! ALTER TABLE, action by action. An unsupported action is refused by name.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::cursor::{self, Cursor, separated};
use super::{constraint, expression, name, relation, table, trigger, types};
use crate::ast::{AlterAction, Statement};
use crate::error::{Failure, Result};

/// ALTER TABLE.
pub(super) fn alter(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::ALTER_KW)?;
    cursor.expect(SyntaxKind::TABLE_KW)?;
    let if_exists = cursor.take(SyntaxKind::IF_EXISTS).is_some();
    let table = name::relation(&cursor.need(SyntaxKind::TABLE_RELATION_NAME)?)?;
    let actions = separated(&mut cursor, action)?;
    cursor.end_of_statement()?;
    Ok(Statement::AlterTable { table, if_exists, actions })
}

fn action(node: &SyntaxNode) -> Result<AlterAction> {
    match node.kind() {
        SyntaxKind::ADD_COLUMN => add_column(node),
        SyntaxKind::DROP_COLUMN => drop_column(node),
        SyntaxKind::ADD_CONSTRAINT => {
            let mut cursor = Cursor::new(node);
            cursor.expect(SyntaxKind::ADD_KW)?;
            let added = constraint::of_table(&cursor.node()?)?;
            cursor.finish()?;
            Ok(AlterAction::AddConstraint(added))
        }
        SyntaxKind::DROP_CONSTRAINT => drop_constraint(node),
        SyntaxKind::ALTER_COLUMN => alter_column(node),
        SyntaxKind::SET_OPTIONS => {
            let mut cursor = Cursor::new(node);
            cursor.expect(SyntaxKind::SET_KW)?;
            let fillfactor = constraint::layout(&cursor.need(SyntaxKind::ATTRIBUTE_LIST)?)?;
            cursor.finish()?;
            Ok(AlterAction::SetStorage { fillfactor })
        }
        SyntaxKind::VALIDATE_CONSTRAINT => {
            let mut cursor = Cursor::new(node);
            cursor.expect(SyntaxKind::VALIDATE_KW)?;
            cursor.expect(SyntaxKind::CONSTRAINT_KW)?;
            let name = name::relation(&cursor.need(SyntaxKind::CONSTRAINT_NAME_REF)?)?;
            cursor.finish()?;
            Ok(AlterAction::ValidateConstraint { name })
        }
        SyntaxKind::TABLE_RENAME_TO | SyntaxKind::RENAME_COLUMN | SyntaxKind::RENAME_CONSTRAINT => {
            rename(node)
        }
        SyntaxKind::ENABLE_TRIGGER | SyntaxKind::DISABLE_TRIGGER => trigger::switch(node),
        kind => Err(refused(kind)),
    }
}

/// RENAME.
fn rename(node: &SyntaxNode) -> Result<AlterAction> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::RENAME_KW)?;
    let action = match node.kind() {
        SyntaxKind::TABLE_RENAME_TO => {
            cursor.expect(SyntaxKind::TO_KW)?;
            AlterAction::RenameTable { to: name::relation(&cursor.node()?)? }
        }
        SyntaxKind::RENAME_CONSTRAINT => {
            cursor.expect(SyntaxKind::CONSTRAINT_KW)?;
            let name = name::relation(&cursor.need(SyntaxKind::CONSTRAINT_NAME_REF)?)?;
            cursor.expect(SyntaxKind::TO_KW)?;
            AlterAction::RenameConstraint { name, to: name::ident(&cursor.node()?)? }
        }
        _ => {
            cursor.eat(SyntaxKind::COLUMN_KW);
            let column = name::ident(&cursor.need(SyntaxKind::COLUMN_NAME_REF)?)?;
            cursor.expect(SyntaxKind::TO_KW)?;
            AlterAction::RenameColumn { column, to: name::ident(&cursor.node()?)? }
        }
    };
    cursor.finish()?;
    Ok(action)
}

/// A refusal that names ALTER TABLE and the action.
fn refused(kind: SyntaxKind) -> Failure {
    Failure::not_modelled(format!("ALTER TABLE {}", cursor::title(kind)))
}

/// ADD COLUMN.
fn add_column(node: &SyntaxNode) -> Result<AlterAction> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::ADD_KW)?;
    cursor.eat(SyntaxKind::COLUMN_KW);
    let if_not_exists = cursor.take(SyntaxKind::IF_NOT_EXISTS).is_some();
    let name = name::ident(&cursor.need(SyntaxKind::COLUMN_NAME)?)?;
    let mut constraints = Vec::new();
    let column = table::rest_of_column(name, cursor, &mut constraints)?;
    Ok(AlterAction::AddColumn { column, constraints, if_not_exists })
}

/// DROP COLUMN.
fn drop_column(node: &SyntaxNode) -> Result<AlterAction> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::DROP_KW)?;
    cursor.eat(SyntaxKind::COLUMN_KW);
    let if_exists = cursor.take(SyntaxKind::IF_EXISTS).is_some();
    let name = name::ident(&cursor.need(SyntaxKind::COLUMN_NAME_REF)?)?;
    let cascade = relation::cascade(&mut cursor);
    cursor.finish()?;
    Ok(AlterAction::DropColumn { name, if_exists, cascade })
}

/// DROP CONSTRAINT.
fn drop_constraint(node: &SyntaxNode) -> Result<AlterAction> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::DROP_KW)?;
    cursor.expect(SyntaxKind::CONSTRAINT_KW)?;
    let if_exists = cursor.take(SyntaxKind::IF_EXISTS).is_some();
    let name = name::relation(&cursor.need(SyntaxKind::CONSTRAINT_NAME_REF)?)?;
    relation::restrict(&mut cursor, "DROP CONSTRAINT")?;
    cursor.finish()?;
    Ok(AlterAction::DropConstraint { name, if_exists })
}

/// ALTER COLUMN.
fn alter_column(node: &SyntaxNode) -> Result<AlterAction> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::ALTER_KW)?;
    cursor.eat(SyntaxKind::COLUMN_KW);
    let column = name::ident(&cursor.need(SyntaxKind::COLUMN_NAME_REF)?)?;
    let option = cursor.node()?;
    cursor.finish()?;
    match option.kind() {
        SyntaxKind::SET_NOT_NULL => Ok(AlterAction::SetNotNull { column, not_null: true }),
        SyntaxKind::DROP_NOT_NULL => Ok(AlterAction::SetNotNull { column, not_null: false }),
        SyntaxKind::DROP_DEFAULT => Ok(AlterAction::SetDefault { column, default: None }),
        SyntaxKind::SET_TYPE => set_type(column, &option),
        SyntaxKind::SET_DEFAULT => {
            let mut cursor = Cursor::new(&option);
            cursor.expect(SyntaxKind::SET_KW)?;
            cursor.expect(SyntaxKind::DEFAULT_KW)?;
            let default = Some(expression::expression(&cursor.node()?)?);
            cursor.finish()?;
            Ok(AlterAction::SetDefault { column, default })
        }
        kind => Err(Failure::not_modelled(format!("ALTER COLUMN {}", cursor::title(kind)))),
    }
}

/// ALTER COLUMN … TYPE.
fn set_type(column: String, node: &SyntaxNode) -> Result<AlterAction> {
    let mut cursor = Cursor::new(node);
    cursor.skip(&[SyntaxKind::SET_KW, SyntaxKind::DATA_KW, SyntaxKind::TYPE_KW]);
    let (ty, serial) = types::column(&cursor.node()?)?;
    if serial.is_some() {
        return Err(Failure::not_modelled("ALTER COLUMN TYPE serial"));
    }
    let mut using = None;
    if cursor.kind() == Some(SyntaxKind::USING_EXPR) {
        let mut inside = Cursor::new(&cursor.node()?);
        inside.expect(SyntaxKind::USING_KW)?;
        using = Some(expression::expression(&inside.node()?)?);
        inside.finish()?;
    }
    cursor.finish()?;
    Ok(AlterAction::SetType { column, ty, using })
}
