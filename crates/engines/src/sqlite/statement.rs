//! Classifies a statement by its effect on transactions, and runs it. The rest of SQL is left to SQLite.

use retrial_engine::error::Error;
use retrial_engine::{Answer, Row, Value, Work};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, StatementStatus};

/// A statement's effect on the transaction that it runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Begins a transaction.
    Begin,
    /// Commits the transaction.
    Commit,
    /// Rolls the transaction back.
    Rollback,
    /// Changes the schema.
    Definition,
    /// A setting or EXPLAIN; no implicit transaction is begun for it.
    Pragma,
    /// Reads or writes.
    Query,
}

impl Class {
    /// The class of a text, by its first word.
    ///
    /// # Errors
    /// If the engine's log of changes cannot follow the statement; the error names it.
    pub(super) fn of(sql: &str) -> Result<Class, Error> {
        let word: String = sql.trim_start().chars().take_while(char::is_ascii_alphabetic).collect();
        Ok(match word.to_ascii_uppercase().as_str() {
            "BEGIN" => Class::Begin,
            "COMMIT" | "END" => Class::Commit,
            "ROLLBACK" if !sql.to_ascii_uppercase().contains(" TO") => Class::Rollback,
            "CREATE" | "DROP" | "REINDEX" | "ANALYZE" => Class::Definition,
            "PRAGMA" | "EXPLAIN" => Class::Pragma,
            other @ ("SAVEPOINT" | "RELEASE" | "ROLLBACK" | "ATTACH" | "DETACH" | "VACUUM" | "ALTER") => {
                return Err(not_modelled(other));
            }
            _ => Class::Query,
        })
    }
}

/// Why a statement has no answer.
pub(super) enum Failure {
    /// SQLite returned an error.
    Sql(rusqlite::Error),
    /// The engine does not support it.
    Refused(Error),
}

/// Runs one statement to completion.
pub(super) fn run(
    connection: &Connection,
    class: Class,
    sql: &str,
    params: &[Value],
) -> (Result<Answer, Failure>, Work) {
    let mut statement = match connection.prepare_cached(sql) {
        Ok(statement) => statement,
        Err(error) => return (Err(Failure::Sql(error)), Work::default()),
    };
    let result = (|| {
        if statement.parameter_count() != params.len() {
            let (needs, given) = (statement.parameter_count(), params.len());
            return Err(Failure::Sql(rusqlite::Error::InvalidParameterCount(given, needs)));
        }
        for (index, value) in params.iter().enumerate() {
            statement
                .raw_bind_parameter(index + 1, parameter(value).map_err(Failure::Refused)?)
                .map_err(Failure::Sql)?;
        }
        let columns = statement.column_count();
        let mut answer = Answer::default();
        {
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next().map_err(Failure::Sql)? {
                answer.rows.push(read(row, 0, columns)?);
            }
        }
        // BEGIN and CREATE are not read-only either, but leave the change count of the previous statement.
        if class == Class::Query && !statement.readonly() {
            answer.changed = connection.changes();
        }
        Ok(answer)
    })();
    let work = Work {
        steps: statement.reset_status(StatementStatus::VmStep) as u64,
        full_scan_steps: statement.reset_status(StatementStatus::FullscanStep) as u64,
    };
    (result, work)
}

/// The columns `first..end` of a row.
pub(super) fn read(row: &rusqlite::Row<'_>, first: usize, end: usize) -> Result<Row, Failure> {
    (first..end).map(|index| value(row.get_ref(index).map_err(Failure::Sql)?)).collect()
}

fn value(value: ValueRef<'_>) -> Result<Value, Failure> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.into()),
        ValueRef::Real(_) => {
            return Err(Failure::Refused(not_modelled("a REAL value (store a scaled integer)")));
        }
    })
}

/// A value as a statement's parameter.
pub(super) fn parameter(value: &Value) -> Result<ToSqlOutput<'_>, Error> {
    Ok(ToSqlOutput::Borrowed(match value {
        Value::Null => ValueRef::Null,
        Value::Integer(number) => ValueRef::Integer(*number),
        Value::Text(text) => ValueRef::Text(text.as_bytes()),
        Value::Blob(bytes) => ValueRef::Blob(bytes),
        // SQLite has no boolean type (datatype3.html, 2.1).
        Value::Bool(truth) => ValueRef::Integer(i64::from(*truth)),
        Value::Timestamp(_) => return Err(not_modelled("a timestamp as a parameter")),
        Value::Array(_) => return Err(not_modelled("an array as a parameter")),
    }))
}

fn not_modelled(what: &str) -> Error {
    Error::not_modelled(format!("{what} on the sqlite engine"))
}
