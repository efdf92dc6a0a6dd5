//! Resource limits of statements and databases: memory for rows, memory for values, and work. A statement that needs
//! more is refused by name before it takes it; the server would go on, perhaps for days. No statement that a test sends
//! on purpose may reach a limit.

use std::cell::Cell;

use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::plan::Expr;
use retrial_pgmodel_sql::value::Value;

use crate::heap::Heap;
use crate::server::Server;

/// Bytes of rows that a statement may have in memory at a time: about two million rows of a few columns.
const ROWS_MAX: u64 = 256 << 20;

/// Bytes of values that a statement may compute in total.
const VALUES_MAX: u64 = 128 << 20;

/// Row visits per statement; a row counts each time it is visited.
const STEPS_MAX: u64 = 20_000_000;

/// Row versions of all tables of a database together.
const VERSIONS_MAX: u64 = 1_000_000;

/// Bytes of long values in all tables of a database together.
const STORED_MAX: u64 = 128 << 20;

/// Locks that one session may hold; the server's default allows fewer.
const LOCKS_MAX: usize = 10_000;

/// Parameters that one session may set, and changes of parameters in one transaction.
const PARAMETERS_MAX: usize = 200;
const CHANGES_MAX: usize = 2_000;

/// Notifications that one transaction may send.
const NOTIFICATIONS_MAX: usize = 20_000;

/// Bytes that a row takes in addition to its columns, and a column in addition to its value.
const ROW: u64 = 64;
const COLUMN: u64 = 32;

/// The resources that a statement has used so far.
#[derive(Debug, Default)]
pub(crate) struct Used {
    rows: Cell<u64>,
    values: Cell<u64>,
    steps: Cell<u64>,
}

impl Used {
    /// Counts one row of that many columns as in memory.
    #[inline]
    pub(crate) fn hold(&self, columns: usize) -> Result<()> {
        self.hold_many(1, columns)
    }

    /// Counts `rows` rows of that many columns as in memory.
    #[inline]
    pub(crate) fn hold_many(&self, rows: u64, columns: usize) -> Result<()> {
        let held = self.rows.get().saturating_add(rows.saturating_mul(ROW + COLUMN * columns as u64));
        self.rows.set(held);
        if held > ROWS_MAX { Err(too_many_rows()) } else { Ok(()) }
    }

    /// Bytes of the rows that are in memory.
    pub(crate) fn held(&self) -> u64 {
        self.rows.get()
    }

    /// Releases the rows counted since [`Used::held`] returned `before`.
    pub(crate) fn release(&self, before: u64) {
        self.rows.set(before);
    }

    /// Counts visits of rows.
    #[inline]
    pub(crate) fn step(&self, rows: u64) -> Result<()> {
        let steps = self.steps.get().saturating_add(rows);
        self.steps.set(steps);
        if steps > STEPS_MAX { Err(too_much_work()) } else { Ok(()) }
    }

    /// Counts a value computed by that expression. Columns, constants and parameters are free, as their values exist
    /// already.
    #[inline]
    pub(crate) fn weigh(&self, expr: &Expr, value: &Value) -> Result<()> {
        match (expr, value) {
            (_, Value::Null | Value::Bool(_) | Value::Int(_) | Value::Timestamptz(_) | Value::Date(_))
            | (Expr::Column { .. } | Expr::Const(_) | Expr::Param(_) | Expr::Group { .. }, _) => Ok(()),
            _ => {
                let values = self.values.get().saturating_add(weight(value));
                self.values.set(values);
                if values > VALUES_MAX { Err(too_much_value()) } else { Ok(()) }
            }
        }
    }
}

/// Approximate bytes of a value.
pub(crate) fn weight(value: &Value) -> u64 {
    match value {
        Value::Text(text) | Value::Padded(text) => 16 + text.len() as u64,
        Value::Bytes(bytes) => 16 + bytes.len() as u64,
        Value::Array(items) => 16 + items.iter().map(|item| 24 + weight(item)).sum::<u64>(),
        Value::Json(json) => json.weight(),
        Value::Numeric(_) => 48,
        _ => 0,
    }
}

impl Server {
    /// Refuses a new row version if the tables are full. Checked every 1024 versions, and for long values.
    pub(crate) fn demand_room(&self, version: u32, weight: u64) -> Result<()> {
        const NOW_AND_THEN: u32 = 1024;
        const LONG: u64 = 1 << 16;
        if version % NOW_AND_THEN != NOW_AND_THEN - 1 && weight < LONG {
            return Ok(());
        }
        let heaps = self.heaps.borrow();
        let all = || heaps.iter().flatten();
        if all().map(|heap| u64::from(heap.len())).sum::<u64>() > VERSIONS_MAX {
            let what = format!("tables of more than {VERSIONS_MAX} row versions together");
            return Err(Failure::not_modelled(format!("{what} (fewer or smaller writes help)")));
        }
        if all().map(Heap::weight).sum::<u64>() > STORED_MAX {
            let what = format!("tables of more than {} MB of long values", STORED_MAX >> 20);
            return Err(Failure::not_modelled(format!("{what} (shorter values help)")));
        }
        Ok(())
    }
}

/// Refuses another lock for a session that already has the maximum.
pub(crate) fn demand_locks(held: usize) -> Result<()> {
    if held >= LOCKS_MAX {
        return Err(Failure::not_modelled(format!("more than {LOCKS_MAX} locks held by one session")));
    }
    Ok(())
}

/// Refuses another notification for a transaction that has already sent the maximum.
pub(crate) fn demand_notifications(sent: usize) -> Result<()> {
    if sent < NOTIFICATIONS_MAX {
        return Ok(());
    }
    Err(Failure::not_modelled(format!("more than {NOTIFICATIONS_MAX} notifications in a transaction")))
}

/// Refuses another parameter, or another change of one, for a session that has reached the maximum.
pub(crate) fn demand_settings(parameters: usize, changes: usize) -> Result<()> {
    if parameters > PARAMETERS_MAX {
        let what = format!("more than {PARAMETERS_MAX} parameters set in one session");
        return Err(Failure::not_modelled(what));
    }
    if changes >= CHANGES_MAX {
        let what = format!("more than {CHANGES_MAX} changes of settings in one transaction");
        return Err(Failure::not_modelled(what));
    }
    Ok(())
}

#[cold]
fn too_many_rows() -> Failure {
    let megabytes = ROWS_MAX >> 20;
    Failure::not_modelled(format!(
        "a statement that holds more than {megabytes} MB of rows (fewer rows at a time help)"
    ))
}

#[cold]
fn too_much_value() -> Failure {
    let megabytes = VALUES_MAX >> 20;
    Failure::not_modelled(format!(
        "a statement that computes more than {megabytes} MB of values (fewer or shorter ones help)"
    ))
}

#[cold]
fn too_much_work() -> Failure {
    Failure::not_modelled(format!(
        "a statement that looks at rows more than {STEPS_MAX} times (an index, or fewer rows, help)"
    ))
}
