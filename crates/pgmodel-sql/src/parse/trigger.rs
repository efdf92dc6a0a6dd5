//! CREATE and DROP TRIGGER. INSTEAD OF triggers, transition tables and deferred triggers are refused.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::cursor::{Cursor, separated, title};
use super::expression::{self, expression};
use super::{literal, name, refuse, relation};
use crate::ast::{AlterAction, CreateTrigger, Expr, Statement, Which};
use crate::error::{Failure, Result};

/// CREATE TRIGGER.
pub(super) fn create(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::CREATE_KW)?;
    let replace = cursor.take(SyntaxKind::OR_REPLACE).is_some();
    if cursor.eat(SyntaxKind::CONSTRAINT_KW) {
        return Err(Failure::not_modelled("CREATE CONSTRAINT TRIGGER"));
    }
    cursor.expect(SyntaxKind::TRIGGER_KW)?;
    let name = name::ident(&cursor.need(SyntaxKind::TRIGGER)?)?;
    let before = match cursor.node()?.kind() {
        SyntaxKind::TIMING_BEFORE => true,
        SyntaxKind::TIMING_AFTER => false,
        kind => return Err(Failure::not_modelled(format!("a trigger with {}", title(kind)))),
    };
    let events = cursor.need(SyntaxKind::TRIGGER_EVENT_LIST)?;
    let table = on(&mut cursor)?;
    let mut trigger = CreateTrigger {
        name,
        replace,
        table,
        before,
        row: false,
        insert: false,
        update: false,
        delete: false,
        columns: Vec::new(),
        when: None,
        function: String::new(),
        args: Vec::new(),
    };
    listed_events(&events, &mut trigger)?;
    if cursor.kind() == Some(SyntaxKind::REFERENCING) {
        return Err(Failure::not_modelled("transition tables of a trigger (REFERENCING)"));
    }
    trigger.row = cursor.take(SyntaxKind::FOR_EACH_ROW).is_some();
    if !trigger.row {
        cursor.take(SyntaxKind::FOR_EACH_STATEMENT);
    }
    if let Some(when) = cursor.take(SyntaxKind::WHEN_CONDITION) {
        let mut when = Cursor::new(&when);
        when.expect(SyntaxKind::WHEN_KW)?;
        when.expect(SyntaxKind::L_PAREN)?;
        trigger.when = Some(expression(&when.node()?)?);
        when.expect(SyntaxKind::R_PAREN)?;
        when.finish()?;
    }
    cursor.expect(SyntaxKind::EXECUTE_KW)?;
    cursor.skip(&[SyntaxKind::FUNCTION_KW, SyntaxKind::PROCEDURE_KW]);
    (trigger.function, trigger.args) = called(&cursor.need(SyntaxKind::CALL_EXPR)?)?;
    cursor.end_of_statement()?;
    Ok(Statement::CreateTrigger(Box::new(trigger)))
}

fn listed_events(node: &SyntaxNode, trigger: &mut CreateTrigger) -> Result<()> {
    let mut events = Cursor::new(node);
    loop {
        let event = events.node()?;
        let (known, twice) = match event.kind() {
            SyntaxKind::TRIGGER_EVENT_INSERT => (true, std::mem::replace(&mut trigger.insert, true)),
            SyntaxKind::TRIGGER_EVENT_DELETE => (true, std::mem::replace(&mut trigger.delete, true)),
            SyntaxKind::TRIGGER_EVENT_UPDATE => (true, std::mem::replace(&mut trigger.update, true)),
            _ => (false, false),
        };
        if !known {
            return Err(Failure::not_modelled("a trigger on TRUNCATE"));
        }
        if twice {
            return Err(Failure::sql("42601", "duplicate trigger events specified"));
        }
        if event.kind() == SyntaxKind::TRIGGER_EVENT_UPDATE {
            let mut update = Cursor::new(&event);
            update.expect(SyntaxKind::UPDATE_KW)?;
            if update.eat(SyntaxKind::OF_KW) {
                trigger.columns = separated(&mut update, name::ident)?;
            }
            update.finish()?;
        }
        if !events.eat(SyntaxKind::OR_KW) {
            return events.finish();
        }
    }
}

/// ON and a table.
fn on(cursor: &mut Cursor) -> Result<String> {
    let mut on = Cursor::new(&cursor.need(SyntaxKind::ON_RELATION)?);
    on.expect(SyntaxKind::ON_KW)?;
    let table = name::relation(&on.node()?)?;
    on.finish()?;
    Ok(table)
}

/// A function and its arguments, which are strings in any notation.
fn called(node: &SyntaxNode) -> Result<(String, Vec<String>)> {
    let mut cursor = Cursor::new(node);
    let named = cursor.node()?;
    let (parts, star) = expression::dotted(&named)?;
    if star {
        return Err(refuse(named.kind()));
    }
    let function = name::unqualified(&parts)?;
    let mut list = Cursor::new(&cursor.need(SyntaxKind::ARG_LIST)?);
    cursor.finish()?;
    list.expect(SyntaxKind::L_PAREN)?;
    let args = match list.kind() {
        Some(SyntaxKind::R_PAREN) => Vec::new(),
        _ => separated(&mut list, argument)?,
    };
    list.expect(SyntaxKind::R_PAREN)?;
    list.finish()?;
    Ok((function, args))
}

fn argument(node: &SyntaxNode) -> Result<String> {
    let mut cursor = Cursor::new(node);
    let inner = cursor.node()?;
    cursor.finish()?;
    match inner.kind() {
        SyntaxKind::LITERAL => match literal::literal(&inner)? {
            Expr::String(text) | Expr::Integer(text) | Expr::Decimal(text) => Ok(text),
            _ => Err(Failure::not_modelled("such an argument of a trigger")),
        },
        _ => Err(Failure::not_modelled("such an argument of a trigger")),
    }
}

/// DROP TRIGGER.
pub(super) fn drop(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.skip(&[SyntaxKind::DROP_KW, SyntaxKind::TRIGGER_KW]);
    let if_exists = cursor.take(SyntaxKind::IF_EXISTS).is_some();
    let name = name::ident(&cursor.need(SyntaxKind::TRIGGER_REF)?)?;
    let table = on(&mut cursor)?;
    // Nothing depends on a trigger, so CASCADE has no effect.
    relation::cascade(&mut cursor);
    cursor.end_of_statement()?;
    Ok(Statement::DropTrigger { name, table, if_exists })
}

/// ENABLE TRIGGER and DISABLE TRIGGER.
pub(super) fn switch(node: &SyntaxNode) -> Result<AlterAction> {
    let mut cursor = Cursor::new(node);
    let enabled = cursor.eat(SyntaxKind::ENABLE_KW);
    cursor.eat(SyntaxKind::DISABLE_KW);
    cursor.expect(SyntaxKind::TRIGGER_KW)?;
    let which = cursor.node()?;
    cursor.finish()?;
    let which = match which.kind() {
        SyntaxKind::TRIGGER_REF => Which::Named(name::ident(&which)?),
        SyntaxKind::USER => Which::User,
        _ => return Err(Failure::not_modelled("ENABLE or DISABLE TRIGGER ALL")),
    };
    Ok(AlterAction::Trigger { which, enabled })
}
