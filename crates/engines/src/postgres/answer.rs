//! What a statement's outcome is to a trial. It must never make up what the server did not say, but for the one
//! error that the kernel decides on: a lock timeout.

use std::rc::Rc;

use retrial_sim::engine::{Answer, Row, SqlError, Value};
use retrial_sim::error::Error;

use super::convert;
use super::session::Raw;
use super::statement::Class;

/// What Postgres says when `lock_timeout` has passed.
pub(super) fn lock_timeout() -> SqlError {
    SqlError { code: "55P03".to_owned(), message: "canceling statement due to lock timeout".to_owned() }
}

/// What the trial gets for what the server sent.
pub(super) fn of(class: Class, raw: &Raw) -> Result<Answer, Error> {
    let value = |(oid, cell): (&u32, &Option<Vec<u8>>)| match cell {
        None => Ok(Value::Null),
        Some(bytes) => convert::from_binary(*oid, bytes),
    };
    let row = |cells: &Vec<Option<Vec<u8>>>| -> Result<Row, Error> {
        Ok(Rc::from(raw.types.iter().zip(cells).map(value).collect::<Result<Vec<_>, _>>()?))
    };
    let rows = raw.rows.iter().map(row).collect::<Result<_, _>>()?;
    // The server counts the rows of a query too, but those it has not touched.
    let changed = if matches!(class, Class::Read | Class::Lock) { 0 } else { raw.affected };
    Ok(Answer { rows, changed })
}
