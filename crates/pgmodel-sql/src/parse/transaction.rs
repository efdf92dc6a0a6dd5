//! Transactions, savepoints and LOCK TABLE. Two-phase commit and chained transactions are refused.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::cursor::{Cursor, listed};
use super::{name, refuse};
use crate::ast::{Isolation, Statement, TableLockMode, TransactionModes};
use crate::error::{Failure, Result};

/// BEGIN and START TRANSACTION.
pub(super) fn begin(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.skip(&[SyntaxKind::BEGIN_KW, SyntaxKind::START_KW]);
    cursor.skip(&[SyntaxKind::WORK_KW, SyntaxKind::TRANSACTION_KW]);
    let list = cursor.take(SyntaxKind::TRANSACTION_MODE_LIST);
    let modes = list.map(|list| modes(&list)).transpose()?;
    cursor.end_of_statement()?;
    Ok(Statement::Begin(modes.unwrap_or_default()))
}

/// COMMIT, END, ROLLBACK and ABORT.
pub(super) fn end(node: &SyntaxNode, statement: Statement) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.skip(&[SyntaxKind::COMMIT_KW, SyntaxKind::END_KW]);
    cursor.skip(&[SyntaxKind::ROLLBACK_KW, SyntaxKind::ABORT_KW]);
    cursor.skip(&[SyntaxKind::WORK_KW, SyntaxKind::TRANSACTION_KW]);
    cursor.eat(SyntaxKind::AND_NO_CHAIN);
    cursor.end_of_statement()?;
    Ok(statement)
}

/// SAVEPOINT, ROLLBACK TO and RELEASE.
pub(super) fn savepoint(node: &SyntaxNode, statement: fn(String) -> Statement) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.skip(&[SyntaxKind::ROLLBACK_KW, SyntaxKind::ABORT_KW, SyntaxKind::RELEASE_KW]);
    cursor.skip(&[SyntaxKind::WORK_KW, SyntaxKind::TRANSACTION_KW, SyntaxKind::TO_KW]);
    cursor.eat(SyntaxKind::SAVEPOINT_KW);
    let name = name::ident(&cursor.node()?)?;
    cursor.end_of_statement()?;
    Ok(statement(name))
}

/// SET TRANSACTION and SET SESSION CHARACTERISTICS.
pub(super) fn set(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::SET_KW)?;
    let what = cursor.node()?;
    cursor.end_of_statement()?;
    let mut cursor = Cursor::new(&what);
    let statement: fn(TransactionModes) -> Statement = match what.kind() {
        SyntaxKind::TRANSACTION_MODES => Statement::SetTransaction,
        SyntaxKind::SESSION_CHARACTERISTICS => {
            for kind in [SyntaxKind::SESSION_KW, SyntaxKind::CHARACTERISTICS_KW, SyntaxKind::AS_KW] {
                cursor.expect(kind)?;
            }
            Statement::SetSessionCharacteristics
        }
        SyntaxKind::TRANSACTION_SNAPSHOT => return Err(Failure::not_modelled("SET TRANSACTION SNAPSHOT")),
        kind => return Err(refuse(kind)),
    };
    cursor.expect(SyntaxKind::TRANSACTION_KW)?;
    let modes = modes(&cursor.need(SyntaxKind::TRANSACTION_MODE_LIST)?)?;
    cursor.finish()?;
    Ok(statement(modes))
}

/// The modes of a transaction. Commas between them are optional, and the last mode of each kind counts.
fn modes(node: &SyntaxNode) -> Result<TransactionModes> {
    let mut cursor = Cursor::new(node);
    let mut modes = TransactionModes::default();
    while let Some(mode) = cursor.node_if_any() {
        match mode.kind() {
            SyntaxKind::READ_UNCOMMITTED => modes.isolation = Some(Isolation::ReadUncommitted),
            SyntaxKind::READ_COMMITTED => modes.isolation = Some(Isolation::ReadCommitted),
            SyntaxKind::REPEATABLE_READ => modes.isolation = Some(Isolation::RepeatableRead),
            SyntaxKind::SERIALIZABLE => modes.isolation = Some(Isolation::Serializable),
            SyntaxKind::READ_ONLY => modes.read_only = Some(true),
            SyntaxKind::READ_WRITE => modes.read_only = Some(false),
            SyntaxKind::DEFERRABLE => modes.deferrable = Some(true),
            SyntaxKind::NOT_DEFERRABLE => modes.deferrable = Some(false),
            kind => return Err(refuse(kind)),
        }
        cursor.eat(SyntaxKind::COMMA);
    }
    cursor.finish()?;
    Ok(modes)
}

/// LOCK TABLE.
pub(super) fn lock(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::LOCK_KW)?;
    cursor.eat(SyntaxKind::TABLE_KW);
    let tables = listed(&cursor.need(SyntaxKind::RELATION_LIST)?, name::relation)?;
    let mode = match cursor.take(SyntaxKind::LOCK_MODE_CLAUSE) {
        Some(clause) => lock_mode(&clause)?,
        None => TableLockMode::AccessExclusive,
    };
    let nowait = cursor.take(SyntaxKind::NOWAIT).is_some();
    cursor.end_of_statement()?;
    Ok(Statement::Lock { tables, mode, nowait })
}

/// IN … MODE.
fn lock_mode(node: &SyntaxNode) -> Result<TableLockMode> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::IN_KW)?;
    let mode = match cursor.node()?.kind() {
        SyntaxKind::ACCESS_SHARE => TableLockMode::AccessShare,
        SyntaxKind::ROW_SHARE => TableLockMode::RowShare,
        SyntaxKind::ROW_EXCLUSIVE => TableLockMode::RowExclusive,
        SyntaxKind::SHARE_UPDATE_EXCLUSIVE => TableLockMode::ShareUpdateExclusive,
        SyntaxKind::SHARE => TableLockMode::Share,
        SyntaxKind::SHARE_ROW_EXCLUSIVE => TableLockMode::ShareRowExclusive,
        SyntaxKind::EXCLUSIVE => TableLockMode::Exclusive,
        SyntaxKind::ACCESS_EXCLUSIVE => TableLockMode::AccessExclusive,
        kind => return Err(refuse(kind)),
    };
    cursor.expect(SyntaxKind::MODE_KW)?;
    cursor.finish()?;
    Ok(mode)
}
