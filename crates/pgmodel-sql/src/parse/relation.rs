//! Indexes, sequences, DROP, TRUNCATE, VACUUM and ANALYZE. Options that would change a statement's effect are refused.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::cursor::{Cursor, listed, separated};
use super::{constraint, expression, name, tail, types};
use crate::ast::{CreateIndex, Expr, Maintenance, Statement};
use crate::error::{Failure, Result};
use crate::value::Type;

/// DROP TABLE.
pub(super) fn drop_table(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.skip(&[SyntaxKind::DROP_KW, SyntaxKind::TABLE_KW]);
    let if_exists = cursor.take(SyntaxKind::IF_EXISTS).is_some();
    let names = separated(&mut cursor, name::relation)?;
    let cascade = cascade(&mut cursor);
    cursor.end_of_statement()?;
    Ok(Statement::DropTable { names, if_exists, cascade })
}

/// CASCADE or RESTRICT, if it is next.
pub(super) fn cascade(cursor: &mut Cursor) -> bool {
    let cascade = cursor.take(SyntaxKind::CASCADE).is_some();
    if !cascade {
        cursor.eat(SyntaxKind::RESTRICT);
    }
    cascade
}

/// RESTRICT, if it is next. CASCADE is refused, as the model does not know what it would drop.
pub(super) fn restrict(cursor: &mut Cursor, what: &str) -> Result<()> {
    if cascade(cursor) { Err(Failure::not_modelled(format!("{what} CASCADE"))) } else { Ok(()) }
}

/// CREATE INDEX.
pub(super) fn create_index(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::CREATE_KW)?;
    let unique = cursor.eat(SyntaxKind::UNIQUE_KW);
    cursor.expect(SyntaxKind::INDEX_KW)?;
    let concurrently = cursor.eat(SyntaxKind::CONCURRENTLY_KW);
    let if_not_exists = cursor.take(SyntaxKind::IF_NOT_EXISTS).is_some();
    let name = cursor.take(SyntaxKind::INDEX).map(|index| name::relation(&index)).transpose()?;
    cursor.expect(SyntaxKind::ON_KW)?;
    let table = name::relation(&cursor.need(SyntaxKind::TABLE_RELATION_NAME)?)?;
    if let Some(method) = cursor.take(SyntaxKind::USING_METHOD) {
        let mut cursor = Cursor::new(&method);
        cursor.expect(SyntaxKind::USING_KW)?;
        let method = name::ident(&cursor.node()?)?;
        cursor.finish()?;
        if method != "btree" {
            return Err(Failure::not_modelled(format!("{method} index")));
        }
    }
    let keys = listed(&cursor.need(SyntaxKind::PARTITION_ITEM_LIST)?, tail::sort_key)?;
    let included = constraint::included(&mut cursor)?;
    cursor.eat(SyntaxKind::NULLS_DISTINCT);
    let fillfactor = constraint::storage(&mut cursor)?;
    let filter = expression::filter(&mut cursor)?;
    cursor.end_of_statement()?;
    Ok(Statement::CreateIndex(CreateIndex {
        name,
        table,
        unique,
        concurrently,
        if_not_exists,
        keys,
        included,
        filter,
        fillfactor,
    }))
}

/// DROP INDEX.
pub(super) fn drop_index(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.skip(&[SyntaxKind::DROP_KW, SyntaxKind::INDEX_KW]);
    let concurrently = cursor.eat(SyntaxKind::CONCURRENTLY_KW);
    let if_exists = cursor.take(SyntaxKind::IF_EXISTS).is_some();
    let names = separated(&mut cursor, name::relation)?;
    restrict(&mut cursor, "DROP INDEX")?;
    cursor.end_of_statement()?;
    Ok(Statement::DropIndex { names, if_exists, concurrently })
}

/// CREATE SEQUENCE.
pub(super) fn create_sequence(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::CREATE_KW)?;
    if cursor.kind() == Some(SyntaxKind::TEMP) {
        return Err(Failure::not_modelled("temporary sequences"));
    }
    cursor.expect(SyntaxKind::SEQUENCE_KW)?;
    let if_not_exists = cursor.take(SyntaxKind::IF_NOT_EXISTS).is_some();
    let name = name::relation(&cursor.need(SyntaxKind::SEQUENCE)?)?;
    let (mut start, mut increment) = (None, None);
    while let Some(option) = cursor.node_if_any() {
        let mut inside = Cursor::new(&option);
        match option.kind() {
            SyntaxKind::OPTION_START => {
                inside.skip(&[SyntaxKind::START_KW, SyntaxKind::WITH_KW]);
                start = Some(whole_number(&inside.node()?)?);
            }
            SyntaxKind::OPTION_INCREMENT => {
                inside.skip(&[SyntaxKind::INCREMENT_KW, SyntaxKind::BY_KW]);
                increment = Some(whole_number(&inside.node()?)?);
            }
            SyntaxKind::OPTION_CACHE => {
                inside.expect(SyntaxKind::CACHE_KW)?;
                if whole_number(&inside.node()?)? != 1 {
                    return Err(Failure::not_modelled("CREATE SEQUENCE CACHE"));
                }
            }
            SyntaxKind::OPTION_AS_TYPE => {
                inside.expect(SyntaxKind::AS_KW)?;
                if types::ty(&inside.node()?)? != Type::Int8 {
                    return Err(Failure::not_modelled("CREATE SEQUENCE AS another type than bigint"));
                }
            }
            SyntaxKind::OPTION_NO_CYCLE
            | SyntaxKind::OPTION_NO_MAX_VALUE
            | SyntaxKind::OPTION_NO_MIN_VALUE => continue,
            kind => {
                let title = super::cursor::title(kind);
                let option = title.strip_prefix("OPTION ").unwrap_or(&title);
                return Err(Failure::not_modelled(format!("CREATE SEQUENCE {option}")));
            }
        }
        inside.finish()?;
    }
    cursor.end_of_statement()?;
    let increment = increment.unwrap_or(1);
    if increment == 0 {
        return Err(Failure::sql("22023", "INCREMENT must not be zero"));
    }
    // A descending sequence starts at its maximum, which is -1.
    let start = start.unwrap_or(if increment > 0 { 1 } else { -1 });
    Ok(Statement::CreateSequence { name, if_not_exists, start, increment })
}

/// A signed integer.
fn whole_number(node: &SyntaxNode) -> Result<i64> {
    let odd = || Failure::not_modelled("a sequence option that is no bigint");
    let (negative, digits) = match expression::expression(node)? {
        Expr::Integer(digits) => (false, digits),
        Expr::Unary { operator, operand } if operator == "-" => match *operand {
            Expr::Integer(digits) => (true, digits),
            _ => return Err(odd()),
        },
        _ => return Err(odd()),
    };
    let signed = if negative { format!("-{digits}") } else { digits };
    signed.parse().map_err(|_| odd())
}

/// DROP SEQUENCE.
pub(super) fn drop_sequence(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.skip(&[SyntaxKind::DROP_KW, SyntaxKind::SEQUENCE_KW]);
    let if_exists = cursor.take(SyntaxKind::IF_EXISTS).is_some();
    let names = separated(&mut cursor, name::relation)?;
    restrict(&mut cursor, "DROP SEQUENCE")?;
    cursor.end_of_statement()?;
    Ok(Statement::DropSequence { names, if_exists })
}

/// TRUNCATE.
pub(super) fn truncate(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::TRUNCATE_KW)?;
    cursor.eat(SyntaxKind::TABLE_KW);
    let tables = listed(&cursor.need(SyntaxKind::TABLE_LIST)?, name::relation)?;
    let restart_identity = cursor.take(SyntaxKind::RESTART_IDENTITY).is_some();
    if !restart_identity {
        cursor.eat(SyntaxKind::CONTINUE_IDENTITY);
    }
    let cascade = cascade(&mut cursor);
    cursor.end_of_statement()?;
    Ok(Statement::Truncate { tables, restart_identity, cascade })
}

/// VACUUM; FULL is refused, as it rewrites the table under a lock.
pub(super) fn vacuum(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.expect(SyntaxKind::VACUUM_KW)?;
    if cursor.kind() == Some(SyntaxKind::FULL_KW) {
        return Err(Failure::not_modelled("VACUUM FULL"));
    }
    cursor.skip(&[SyntaxKind::FREEZE_KW, SyntaxKind::VERBOSE_KW]);
    cursor.skip(&[SyntaxKind::ANALYZE_KW, SyntaxKind::ANALYSE_KW]);
    if let Some(options) = cursor.take(SyntaxKind::VACUUM_OPTION_LIST) {
        listed(&options, |option| match option.text().to_string().to_ascii_lowercase().as_str() {
            "analyze" | "analyse" | "freeze" | "verbose" => Ok(()),
            option => Err(Failure::not_modelled(format!("VACUUM {}", option.to_ascii_uppercase()))),
        })?;
    }
    upkeep(cursor, Maintenance::Vacuum)
}

/// ANALYZE.
pub(super) fn analyze(node: &SyntaxNode) -> Result<Statement> {
    let mut cursor = Cursor::new(node);
    cursor.skip(&[SyntaxKind::ANALYZE_KW, SyntaxKind::ANALYSE_KW, SyntaxKind::VERBOSE_KW]);
    if cursor.kind() == Some(SyntaxKind::OPTION_ITEM_LIST) {
        return Err(Failure::not_modelled("ANALYZE with options"));
    }
    upkeep(cursor, Maintenance::Analyze)
}

/// The tables of VACUUM and ANALYZE; column lists are ignored.
fn upkeep(mut cursor: Cursor, kind: Maintenance) -> Result<Statement> {
    let list = cursor.take(SyntaxKind::TABLE_AND_COLUMNS_LIST);
    cursor.end_of_statement()?;
    let tables = list.map(|list| {
        listed(&list, |item| {
            let mut cursor = Cursor::new(item);
            let table = name::relation(&cursor.need(SyntaxKind::TABLE_RELATION_NAME)?)?;
            cursor.take(SyntaxKind::COLUMN_REF_LIST);
            cursor.finish()?;
            Ok(table)
        })
    });
    let tables = tables.transpose()?.unwrap_or_default();
    Ok(Statement::Maintenance { kind, tables })
}
