//! Constraints of columns and tables. Unsupported options that decide which rows are valid, such as DEFERRABLE and
//! MATCH FULL, are refused.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::cursor::{self, Cursor, listed};
use super::{expression, name, refuse, tail};
use crate::ast::{ColumnDef, Constraint, ConstraintKind, Expr, KeyAction, Serial};
use crate::error::{Failure, Result};

/// A constraint of a table.
pub(super) fn of_table(node: &SyntaxNode) -> Result<Constraint> {
    let mut cursor = Cursor::new(node);
    let name = named(&mut cursor)?;
    let kind = match node.kind() {
        SyntaxKind::PRIMARY_KEY_CONSTRAINT => key(&mut cursor, true)?,
        SyntaxKind::UNIQUE_CONSTRAINT => key(&mut cursor, false)?,
        SyntaxKind::CHECK_CONSTRAINT => check(&mut cursor)?,
        SyntaxKind::FOREIGN_KEY_CONSTRAINT => {
            cursor.expect(SyntaxKind::FOREIGN_KW)?;
            cursor.expect(SyntaxKind::KEY_KW)?;
            let columns = name::idents(&cursor.need(SyntaxKind::FOREIGN_KEY_COLUMN_LIST)?)?;
            references(&mut cursor, columns)?
        }
        kind => return Err(refused(kind)),
    };
    let not_valid = options(&mut cursor)?;
    cursor.finish()?;
    Ok(Constraint { name, kind, not_valid })
}

/// The clauses of a column definition after its type.
pub(super) fn of_column(
    node: &SyntaxNode,
    column: &mut ColumnDef,
    constraints: &mut Vec<Constraint>,
) -> Result<()> {
    let mut cursor = Cursor::new(node);
    let name = named(&mut cursor)?;
    let own = |kind| Constraint { name, kind, not_valid: false };
    let itself = || vec![column.name.clone()];
    match node.kind() {
        SyntaxKind::NOT_NULL_CONSTRAINT => {
            cursor.expect(SyntaxKind::NOT_KW)?;
            cursor.expect(SyntaxKind::NULL_KW)?;
            column.not_null = true;
        }
        SyntaxKind::NULL_CONSTRAINT => cursor.expect(SyntaxKind::NULL_KW)?,
        SyntaxKind::DEFAULT_CONSTRAINT => {
            cursor.expect(SyntaxKind::DEFAULT_KW)?;
            if column.default.is_some() || column.serial.is_some() {
                return Err(Failure::not_modelled("several defaults of a column"));
            }
            column.default = Some(expression::expression(&cursor.node()?)?);
        }
        SyntaxKind::GENERATED_CONSTRAINT => {
            if column.default.is_some() || column.serial.is_some() {
                return Err(Failure::not_modelled("several defaults of a column"));
            }
            cursor.expect(SyntaxKind::GENERATED_KW)?;
            column.serial = Some(identity(&cursor.node()?)?);
        }
        SyntaxKind::CHECK_CONSTRAINT => constraints.push(own(check(&mut cursor)?)),
        SyntaxKind::PRIMARY_KEY_CONSTRAINT | SyntaxKind::UNIQUE_CONSTRAINT => {
            let key = key(&mut cursor, node.kind() == SyntaxKind::PRIMARY_KEY_CONSTRAINT)?;
            let columns = itself();
            constraints.push(own(match key {
                ConstraintKind::Unique { columns: named, included } if named.is_empty() => {
                    ConstraintKind::Unique { columns, included }
                }
                ConstraintKind::PrimaryKey { columns: named, included } if named.is_empty() => {
                    ConstraintKind::PrimaryKey { columns, included }
                }
                _ => return Err(refused(node.kind())),
            }));
        }
        SyntaxKind::REFERENCES_CONSTRAINT => constraints.push(own(references(&mut cursor, itself())?)),
        kind => return Err(refused(kind)),
    }
    if options(&mut cursor)? {
        return Err(refused(SyntaxKind::NOT_VALID));
    }
    cursor.finish()
}

/// CONSTRAINT name, if it is next.
fn named(cursor: &mut Cursor) -> Result<Option<String>> {
    let Some(clause) = cursor.take(SyntaxKind::CONSTRAINT_NAME_CLAUSE) else { return Ok(None) };
    let mut cursor = Cursor::new(&clause);
    cursor.expect(SyntaxKind::CONSTRAINT_KW)?;
    let name = name::ident(&cursor.node()?)?;
    cursor.finish()?;
    Ok(Some(name))
}

/// The options of a constraint: those that state the default are accepted. Returns whether it is NOT VALID.
fn options(cursor: &mut Cursor) -> Result<bool> {
    let mut not_valid = false;
    while let Some(option) = cursor.node_if_any() {
        match option.kind() {
            SyntaxKind::NOT_DEFERRABLE_CONSTRAINT_OPTION
            | SyntaxKind::INITIALLY_IMMEDIATE_CONSTRAINT_OPTION => {}
            SyntaxKind::NOT_VALID => not_valid = true,
            kind => return Err(refused(kind)),
        }
    }
    Ok(not_valid)
}

/// A refusal that does not use the grammar library's own terms.
fn refused(kind: SyntaxKind) -> Failure {
    let title = cursor::title(kind);
    Failure::not_modelled(title.strip_suffix(" CONSTRAINT OPTION").unwrap_or(&title))
}

/// PRIMARY KEY and UNIQUE: their columns, none if the constraint is part of a column, and those of INCLUDE.
fn key(cursor: &mut Cursor, primary: bool) -> Result<ConstraintKind> {
    cursor.skip(&[SyntaxKind::PRIMARY_KW, SyntaxKind::KEY_KW, SyntaxKind::UNIQUE_KW]);
    if let Some(using) = cursor.take(SyntaxKind::USING_INDEX_NAME) {
        let mut cursor = Cursor::new(&using);
        cursor.skip(&[SyntaxKind::USING_KW, SyntaxKind::INDEX_KW]);
        let index = name::relation(&cursor.node()?)?;
        cursor.finish()?;
        return Ok(ConstraintKind::UsingIndex { index, primary });
    }
    let (mut columns, mut included) = (Vec::new(), Vec::new());
    if let Some(parameters) = cursor.take(SyntaxKind::INDEX_PARAMETERS) {
        let mut cursor = Cursor::new(&parameters);
        cursor.eat(SyntaxKind::NULLS_DISTINCT);
        if let Some(list) = cursor.take(SyntaxKind::CONSTRAINT_COLUMN_REF_LIST) {
            columns = name::idents(&list)?;
        }
        included = self::included(&mut cursor)?;
        if storage(&mut cursor)?.is_some() {
            return Err(Failure::not_modelled("fillfactor of a constraint's index"));
        }
        cursor.finish()?;
    }
    Ok(if primary {
        ConstraintKind::PrimaryKey { columns, included }
    } else {
        ConstraintKind::Unique { columns, included }
    })
}

/// INCLUDE, if it is next: columns that an index stores beside its keys. Anything but a plain column is refused.
pub(super) fn included(cursor: &mut Cursor) -> Result<Vec<String>> {
    use SyntaxKind::{CONSTRAINT_INCLUDE_CLAUSE, INDEX_INCLUDE_CLAUSE};
    let clause = cursor.take(CONSTRAINT_INCLUDE_CLAUSE).or_else(|| cursor.take(INDEX_INCLUDE_CLAUSE));
    let Some(clause) = clause else { return Ok(Vec::new()) };
    let mut cursor = Cursor::new(&clause);
    cursor.expect(SyntaxKind::INCLUDE_KW)?;
    let list = cursor.node()?;
    cursor.finish()?;
    if list.kind() != SyntaxKind::PARTITION_ITEM_LIST {
        return name::idents(&list);
    }
    let mut columns = Vec::new();
    for item in listed(&list, tail::sort_key)? {
        let Expr::Column { table: None, name } = item.expr else {
            return Err(Failure::not_modelled("INCLUDE of what is no column"));
        };
        columns.push(name);
    }
    Ok(columns)
}

/// CHECK (…).
fn check(cursor: &mut Cursor) -> Result<ConstraintKind> {
    cursor.expect(SyntaxKind::CHECK_KW)?;
    cursor.expect(SyntaxKind::L_PAREN)?;
    let expr = expression::expression(&cursor.node()?)?;
    cursor.expect(SyntaxKind::R_PAREN)?;
    Ok(ConstraintKind::Check(expr))
}

/// REFERENCES, with its referential actions.
fn references(cursor: &mut Cursor, columns: Vec<String>) -> Result<ConstraintKind> {
    cursor.expect(SyntaxKind::REFERENCES_KW)?;
    let table = name::relation(&cursor.need(SyntaxKind::TABLE_NAME_REF)?)?;
    let mut referenced = Vec::new();
    if cursor.eat(SyntaxKind::L_PAREN) {
        referenced.push(name::ident(&cursor.need(SyntaxKind::COLUMN_NAME_REF)?)?);
        cursor.expect(SyntaxKind::R_PAREN)?;
    } else if let Some(list) = cursor.take(SyntaxKind::FOREIGN_KEY_COLUMN_LIST) {
        referenced = name::idents(&list)?;
    }
    cursor.eat(SyntaxKind::MATCH_SIMPLE);
    let (mut on_delete, mut on_update) = (None, None);
    while let Some(SyntaxKind::ON_DELETE_ACTION | SyntaxKind::ON_UPDATE_ACTION) = cursor.kind() {
        let clause = cursor.node()?;
        let mut inside = Cursor::new(&clause);
        inside.skip(&[SyntaxKind::ON_KW, SyntaxKind::DELETE_KW, SyntaxKind::UPDATE_KW]);
        let action = key_action(&inside.node()?)?;
        inside.finish()?;
        let place = match clause.kind() {
            SyntaxKind::ON_DELETE_ACTION => &mut on_delete,
            _ => &mut on_update,
        };
        if place.replace(action).is_some() {
            let again = clause.first_token();
            return Err(super::syntax::near(again.as_ref().map_or("", |token| token.text())));
        }
    }
    let (on_delete, on_update) = (on_delete.unwrap_or_default(), on_update.unwrap_or_default());
    Ok(ConstraintKind::ForeignKey { columns, table, referenced, on_delete, on_update })
}

fn key_action(node: &SyntaxNode) -> Result<KeyAction> {
    let some_columns = node.children().next().is_some();
    match node.kind() {
        SyntaxKind::NO_ACTION => Ok(KeyAction::NoAction),
        SyntaxKind::RESTRICT => Ok(KeyAction::Restrict),
        SyntaxKind::CASCADE => Ok(KeyAction::Cascade),
        SyntaxKind::SET_NULL_COLUMNS if !some_columns => Ok(KeyAction::SetNull),
        SyntaxKind::SET_DEFAULT_COLUMNS if !some_columns => Ok(KeyAction::SetDefault),
        SyntaxKind::SET_NULL_COLUMNS => Err(Failure::not_modelled("SET NULL of some columns")),
        SyntaxKind::SET_DEFAULT_COLUMNS => Err(Failure::not_modelled("SET DEFAULT of some columns")),
        kind => Err(refuse(kind)),
    }
}

/// GENERATED … AS IDENTITY; sequence options are refused.
fn identity(node: &SyntaxNode) -> Result<Serial> {
    if node.kind() != SyntaxKind::GENERATED_IDENTITY {
        return Err(Failure::not_modelled("generated columns"));
    }
    let mut cursor = Cursor::new(node);
    let serial = match cursor.node()?.kind() {
        SyntaxKind::GENERATED_ALWAYS => Serial::Always,
        SyntaxKind::GENERATED_BY_DEFAULT => Serial::ByDefault,
        kind => return Err(refuse(kind)),
    };
    cursor.expect(SyntaxKind::AS_KW)?;
    cursor.expect(SyntaxKind::IDENTITY_KW)?;
    if cursor.kind().is_some() {
        return Err(Failure::not_modelled("options of an identity column's sequence"));
    }
    Ok(serial)
}

/// WITH (…), if it is next: storage parameters, which affect what a serializable transaction marks. Returns the
/// fillfactor if given.
pub(super) fn storage(cursor: &mut Cursor) -> Result<Option<u8>> {
    let Some(with) = cursor.take(SyntaxKind::WITH_PARAMS) else { return Ok(None) };
    let mut cursor = Cursor::new(&with);
    cursor.expect(SyntaxKind::WITH_KW)?;
    let fillfactor = layout(&cursor.need(SyntaxKind::ATTRIBUTE_LIST)?)?;
    cursor.finish()?;
    Ok(fillfactor)
}

/// Storage parameters in parentheses.
pub(super) fn layout(list: &SyntaxNode) -> Result<Option<u8>> {
    let options = listed(list, |option| {
        let mut cursor = Cursor::new(option);
        let name = name::ident(&cursor.need(SyntaxKind::ATTRIBUTE_NAME)?)?;
        cursor.eat(SyntaxKind::EQ);
        let value = cursor.take(SyntaxKind::ATTRIBUTE_VALUE).map(|value| value.text().to_string());
        cursor.finish()?;
        match (name.as_str(), value.as_deref().map(|value| value.trim().parse::<u8>())) {
            ("fillfactor", Some(Ok(value @ 10..=100))) => Ok(Some(value)),
            ("parallel_workers", Some(Ok(_))) | ("autovacuum_enabled", _) => Ok(None),
            ("fillfactor" | "parallel_workers", _) => {
                Err(Failure::not_modelled(format!("that value of storage parameter {name}")))
            }
            _ => Err(Failure::not_modelled(format!("storage parameter {name}"))),
        }
    })?;
    Ok(options.into_iter().flatten().next_back())
}
