//! Converts a server's answer into what the trial sees. Nothing is invented except the errors that the kernel decides
//! on: a lock timeout, and the failure that is injected where nothing runs.

use std::rc::Rc;

use retrial_engine::error::Error;
use retrial_engine::{Answer, Row, SqlError, Value};

use super::convert;
use super::session_connection::Raw;
use super::statement::Class;

/// The error that Postgres reports when `lock_timeout` has passed.
pub(super) fn lock_timeout() -> SqlError {
    SqlError { code: "55P03".to_owned(), message: "canceling statement due to lock timeout".to_owned() }
}

/// Makes the server report the error of an injected failure.
pub(super) const FAILURE: &str = "DO $$ BEGIN RAISE EXCEPTION \
                                  USING ERRCODE = '57014', \
                                  MESSAGE = 'canceling statement due to statement timeout'; END $$";

/// The same error as [`FAILURE`], for the cases in which the server cannot be made to report it: it runs nothing in an
/// aborted transaction, in which COMMIT and ROLLBACK could still have failed, and a COMMIT is replaced by ROLLBACK.
pub(super) fn statement_timeout() -> SqlError {
    let message = "canceling statement due to statement timeout".to_owned();
    SqlError { code: "57014".to_owned(), message }
}

/// Converts the server's result.
pub(super) fn of(class: Class, raw: &Raw) -> Result<Answer, Error> {
    let value = |(oid, cell): (&u32, &Option<Vec<u8>>)| match cell {
        None => Ok(Value::Null),
        Some(bytes) => convert::from_binary(*oid, bytes),
    };
    let row = |cells: &Vec<Option<Vec<u8>>>| -> Result<Row, Error> {
        Ok(Rc::from(raw.types.iter().zip(cells).map(value).collect::<Result<Vec<_>, _>>()?))
    };
    let rows = raw.rows.iter().map(row).collect::<Result<_, _>>()?;
    // The server also counts the rows that a query returns, which are not changed rows.
    let changed = if class.is_query() { 0 } else { raw.affected };
    Ok(Answer { rows, changed })
}
