//! One connection: its transaction, its waiting statement, and its uncommitted changes.

use std::cell::Cell;
use std::rc::Rc;

use retrial_engine::error::Error;
use retrial_engine::{Answer, RowChange, SqlError, Value, Work};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionState, ffi};

use super::change_log::{self, ChangeLog};
use super::statement::{Class, Failure};
use super::{Journal, ambient, statement};

/// Size of the prepared-statement cache: the number of statements that a strategy is likely to use.
const PREPARED_STATEMENTS: usize = 64;

thread_local! {
    /// Set when SQLite asks to wait; cleared before each statement.
    static ASKED_TO_WAIT: Cell<bool> = const { Cell::new(false) };
}

pub(super) struct Session {
    connection: Connection,
    pub(super) open: bool,
    /// The open transaction is the implicit one of a single statement.
    pub(super) implicit: bool,
    pub(super) pending: Option<Pending>,
    pub(super) changes: Vec<RowChange>,
    pub(super) had_locks: bool,
    /// The transaction that has just ended was rolled back.
    pub(super) rolled_back: bool,
}

/// A session's request.
#[derive(Clone)]
pub(super) enum Pending {
    Statement {
        sql: Rc<str>,
        class: Class,
        params: Rc<[Value]>,
    },
    /// The commit of the implicit transaction.
    Settle,
}

pub(super) enum Outcome {
    Ran(Result<Answer, SqlError>, Work),
    Waits,
}

impl Session {
    pub(super) fn new(mut connection: Connection) -> Result<Session, Error> {
        let prepare = |connection: &mut Connection| {
            connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
            // A plan must not depend on bound values; otherwise a statement is prepared again whenever they change,
            // which changes its work (<https://www.sqlite.org/queryplanner-ng.html>, section 5).
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
            connection.busy_handler(Some(|_| {
                ASKED_TO_WAIT.set(true);
                false
            }))?;
            connection.update_hook(Some(change_log::touch))?;
            ambient::install(connection)
        };
        prepare(&mut connection).map_err(refused)?;
        Ok(Session {
            connection,
            open: false,
            implicit: false,
            pending: None,
            changes: Vec::new(),
            had_locks: false,
            rolled_back: false,
        })
    }

    pub(super) fn state(&self) -> Result<TransactionState, Error> {
        let state = self.connection.transaction_state(None::<&str>).map_err(refused)?;
        // Between BEGIN and the first statement SQLite has no lock, but the transaction is open.
        let begun = state == TransactionState::None && !self.connection.is_autocommit();
        Ok(if begun { TransactionState::Read } else { state })
    }

    /// Drops all prepared statements.
    pub(super) fn forget_statements(&self) {
        self.connection.flush_prepared_statement_cache();
    }

    /// Reads the current schema.
    pub(super) fn read_schema(&self) -> Result<(), Error> {
        super::database::read_schema(&self.connection)
    }

    /// Whether the request is a query outside a transaction, which has no effect visible to others.
    pub(super) fn only_looks(&self, pending: &Pending) -> bool {
        let Pending::Statement { sql, class: Class::Query, .. } = pending else { return false };
        self.connection.is_autocommit() && self.reads_only(sql)
    }

    /// Runs the request, in a transaction of its own if none is open.
    pub(super) fn run(
        &mut self,
        pending: &Pending,
        journal: Journal,
        log: &mut ChangeLog,
    ) -> Result<Outcome, Error> {
        ASKED_TO_WAIT.set(false);
        match pending {
            Pending::Settle => self.settle(),
            Pending::Statement { sql, class, params } => {
                let begins = matches!(class, Class::Query | Class::Definition)
                    && self.connection.is_autocommit()
                    && (journal == Journal::Rollback || !self.reads_only(sql));
                if begins {
                    self.connection
                        .prepare_cached("BEGIN")
                        .and_then(|mut begin| begin.execute([]))
                        .map_err(refused)?;
                }
                let (result, work) = statement::run(&self.connection, *class, sql, params);
                let result = match result {
                    Ok(answer) => {
                        log.follow(&self.connection, &mut self.changes)?;
                        self.implicit = begins;
                        self.rolled_back = *class == Class::Rollback;
                        return Ok(Outcome::Ran(Ok(answer), work));
                    }
                    Err(Failure::Refused(error)) => return Err(error),
                    Err(Failure::Sql(error)) => error,
                };
                change_log::forget_touched();
                if begins && !self.connection.is_autocommit() {
                    self.connection.execute_batch("ROLLBACK").map_err(refused)?;
                }
                if is_machines(&result) {
                    return Err(refused(result));
                }
                if ASKED_TO_WAIT.get() && is_busy(&result) {
                    return Ok(Outcome::Waits);
                }
                if self.connection.is_autocommit() {
                    self.changes.clear();
                }
                Ok(Outcome::Ran(Err(say(&result)), work))
            }
        }
    }

    /// Commits the implicit transaction; with a rollback journal this may have to wait for readers.
    fn settle(&mut self) -> Result<Outcome, Error> {
        let (result, _) = statement::run(&self.connection, Class::Commit, "COMMIT", &[]);
        match result {
            Ok(_) => {
                self.implicit = false;
                Ok(Outcome::Ran(Ok(Answer::default()), Work::default()))
            }
            Err(Failure::Sql(error)) if ASKED_TO_WAIT.get() && is_busy(&error) => Ok(Outcome::Waits),
            Err(Failure::Sql(error)) if is_machines(&error) => Err(refused(error)),
            Err(Failure::Sql(error)) => {
                self.abandon();
                Ok(Outcome::Ran(Err(say(&error)), Work::default()))
            }
            Err(Failure::Refused(error)) => Err(error),
        }
    }

    /// Rolls back the open transaction, if any.
    pub(super) fn abandon(&mut self) {
        self.pending = None;
        self.implicit = false;
        self.changes.clear();
        if !self.connection.is_autocommit() {
            // A rollback that fails has nothing left to roll back (lang_transaction.html).
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    /// Whether the statement writes nothing. A statement that does not parse counts as writing; it fails when it is
    /// run.
    fn reads_only(&self, sql: &str) -> bool {
        self.connection.prepare_cached(sql).is_ok_and(|statement| statement.readonly())
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(failure, _) if failure.code == rusqlite::ErrorCode::DatabaseBusy)
}

/// The error for a lock that was not granted in time.
pub(super) fn busy() -> SqlError {
    SqlError { code: "SQLITE_BUSY".to_owned(), message: "database is locked".to_owned() }
}

/// The error for a disk that neither reads nor writes.
pub(super) fn disk_failure() -> SqlError {
    SqlError { code: "SQLITE_IOERR".to_owned(), message: "disk I/O error".to_owned() }
}

/// The driver's error message, with SQLite's name for the code.
fn say(error: &rusqlite::Error) -> SqlError {
    let rusqlite::Error::SqliteFailure(failure, message) = error else {
        return match error {
            rusqlite::Error::SqlInputError { error, msg, .. } => named(error.extended_code, msg.clone()),
            _ => named(ffi::SQLITE_MISUSE, error.to_string()),
        };
    };
    named(failure.extended_code, message.clone().unwrap_or_else(|| failure.to_string()))
}

fn named(code: i32, message: String) -> SqlError {
    let name = match code {
        ffi::SQLITE_ERROR => "SQLITE_ERROR",
        ffi::SQLITE_BUSY => "SQLITE_BUSY",
        ffi::SQLITE_BUSY_SNAPSHOT => "SQLITE_BUSY_SNAPSHOT",
        ffi::SQLITE_LOCKED => "SQLITE_LOCKED",
        ffi::SQLITE_READONLY => "SQLITE_READONLY",
        ffi::SQLITE_FULL => "SQLITE_FULL",
        ffi::SQLITE_MISUSE => "SQLITE_MISUSE",
        ffi::SQLITE_RANGE => "SQLITE_RANGE",
        ffi::SQLITE_CONSTRAINT_UNIQUE => "SQLITE_CONSTRAINT_UNIQUE",
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY => "SQLITE_CONSTRAINT_PRIMARYKEY",
        ffi::SQLITE_CONSTRAINT_NOTNULL => "SQLITE_CONSTRAINT_NOTNULL",
        ffi::SQLITE_CONSTRAINT_CHECK => "SQLITE_CONSTRAINT_CHECK",
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "SQLITE_CONSTRAINT_FOREIGNKEY",
        other => return SqlError { code: format!("SQLITE_{other}"), message },
    };
    SqlError { code: name.to_owned(), message }
}

/// Whether the machine failed rather than the statement, regardless of which statement
/// (<https://www.sqlite.org/rescode.html>): no file, no space, no memory, a disk that neither reads nor writes, a file
/// that is damaged or was removed.
fn is_machines(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{
        CannotOpen, DatabaseCorrupt, DiskFull, FileLockingProtocolFailed, NotADatabase, OutOfMemory,
        SystemIoFailure,
    };
    let code = error.sqlite_error().map(|error| (error.code, error.extended_code));
    let of_the_file = matches!(
        code,
        Some((
            CannotOpen
                | DatabaseCorrupt
                | DiskFull
                | FileLockingProtocolFailed
                | NotADatabase
                | OutOfMemory
                | SystemIoFailure,
            _
        ))
    );
    of_the_file || matches!(code, Some((_, ffi::SQLITE_READONLY_DBMOVED | ffi::SQLITE_READONLY_DIRECTORY)))
}

pub(super) fn refused(error: rusqlite::Error) -> Error {
    let why = format!("the sqlite engine failed: {error}");
    if is_machines(&error) { Error::machine(why) } else { Error::refused(why) }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::is_machines;

    #[test]
    fn a_failure_of_the_machine_is_told_from_a_statements_own_error() {
        let is_machines = |code| is_machines(&rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        for code in [
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_FULL,
            ffi::SQLITE_IOERR,
            ffi::SQLITE_IOERR_WRITE,
            ffi::SQLITE_NOMEM,
            ffi::SQLITE_CORRUPT,
            ffi::SQLITE_READONLY_DBMOVED,
        ] {
            assert!(is_machines(code), "{code}");
        }
        for code in [
            ffi::SQLITE_BUSY,
            ffi::SQLITE_BUSY_SNAPSHOT,
            ffi::SQLITE_LOCKED,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_CONSTRAINT_UNIQUE,
            ffi::SQLITE_ERROR,
            ffi::SQLITE_TOOBIG,
        ] {
            assert!(!is_machines(code), "{code}");
        }
    }
}
