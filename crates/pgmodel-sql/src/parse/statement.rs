//! Dispatches statements by kind. An unsupported statement is refused by name.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::{alter, notify, query, refuse, relation, routine, setting, table, transaction, trigger};
use crate::ast::Statement;
use crate::error::{Failure, Result};

/// Parses a statement.
pub(super) fn statement(node: &SyntaxNode) -> Result<Statement> {
    match node.kind() {
        kind if is_data(kind) => Ok(Statement::Query(Box::new(query::query(node)?))),
        SyntaxKind::BEGIN => transaction::begin(node),
        SyntaxKind::COMMIT_TRANSACTION => transaction::end(node, Statement::Commit),
        SyntaxKind::ROLLBACK_TRANSACTION => transaction::end(node, Statement::Rollback),
        SyntaxKind::SAVEPOINT_CREATE => transaction::savepoint(node, Statement::Savepoint),
        SyntaxKind::ROLLBACK_TO_SAVEPOINT => transaction::savepoint(node, Statement::RollbackTo),
        SyntaxKind::RELEASE_SAVEPOINT => transaction::savepoint(node, Statement::Release),
        SyntaxKind::SET_TRANSACTION => transaction::set(node),
        SyntaxKind::LOCK => transaction::lock(node),
        SyntaxKind::LISTEN => notify::listen(node),
        SyntaxKind::UNLISTEN => notify::unlisten(node),
        SyntaxKind::NOTIFY => notify::notify(node),
        SyntaxKind::SET => setting::set(node),
        SyntaxKind::RESET => setting::reset(node),
        SyntaxKind::SHOW => setting::show(node),
        SyntaxKind::CREATE_TABLE => table::create(node),
        SyntaxKind::CREATE_TABLE_AS => table::create_as(node),
        SyntaxKind::ALTER_TABLE => alter::alter(node),
        SyntaxKind::DROP_TABLE => relation::drop_table(node),
        SyntaxKind::CREATE_INDEX => relation::create_index(node),
        SyntaxKind::DROP_INDEX => relation::drop_index(node),
        SyntaxKind::CREATE_SEQUENCE => relation::create_sequence(node),
        SyntaxKind::DROP_SEQUENCE => relation::drop_sequence(node),
        SyntaxKind::TRUNCATE => relation::truncate(node),
        SyntaxKind::CREATE_FUNCTION => routine::create(node),
        SyntaxKind::DROP_FUNCTION => routine::drop(node),
        SyntaxKind::DO => routine::anonymous(node),
        SyntaxKind::CREATE_TRIGGER => trigger::create(node),
        SyntaxKind::DROP_TRIGGER => trigger::drop(node),
        SyntaxKind::VACUUM => relation::vacuum(node),
        SyntaxKind::ANALYZE => relation::analyze(node),
        SyntaxKind::SET_SESSION_AUTH | SyntaxKind::RESET_SESSION_AUTH => {
            Err(Failure::not_modelled("SET SESSION AUTHORIZATION"))
        }
        kind => Err(refuse(kind)),
    }
}

/// Whether [`statement`] may support a kind of statement.
pub(super) fn known(kind: SyntaxKind) -> bool {
    is_data(kind)
        || matches!(
            kind,
            SyntaxKind::BEGIN
                | SyntaxKind::COMMIT_TRANSACTION
                | SyntaxKind::ROLLBACK_TRANSACTION
                | SyntaxKind::SAVEPOINT_CREATE
                | SyntaxKind::ROLLBACK_TO_SAVEPOINT
                | SyntaxKind::RELEASE_SAVEPOINT
                | SyntaxKind::SET_TRANSACTION
                | SyntaxKind::LOCK
                | SyntaxKind::LISTEN
                | SyntaxKind::UNLISTEN
                | SyntaxKind::NOTIFY
                | SyntaxKind::SET
                | SyntaxKind::RESET
                | SyntaxKind::SHOW
                | SyntaxKind::CREATE_TABLE
                | SyntaxKind::CREATE_TABLE_AS
                | SyntaxKind::ALTER_TABLE
                | SyntaxKind::DROP_TABLE
                | SyntaxKind::CREATE_INDEX
                | SyntaxKind::DROP_INDEX
                | SyntaxKind::CREATE_SEQUENCE
                | SyntaxKind::DROP_SEQUENCE
                | SyntaxKind::TRUNCATE
                | SyntaxKind::CREATE_FUNCTION
                | SyntaxKind::DROP_FUNCTION
                | SyntaxKind::DO
                | SyntaxKind::CREATE_TRIGGER
                | SyntaxKind::DROP_TRIGGER
                | SyntaxKind::VACUUM
                | SyntaxKind::ANALYZE
        )
}

/// Whether a kind of statement reads or writes rows.
fn is_data(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::SELECT
            | SyntaxKind::SELECT_INTO
            | SyntaxKind::VALUES
            | SyntaxKind::TABLE
            | SyntaxKind::PAREN_SELECT
            | SyntaxKind::COMPOUND_SELECT
            | SyntaxKind::INSERT
            | SyntaxKind::UPDATE
            | SyntaxKind::DELETE
    )
}
