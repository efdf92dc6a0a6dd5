//! What a statement and a database may use: so much memory for rows, so much for values, so much work. A statement that
//! needs more is refused by name, before it has taken it; the server would go on, perhaps for days. It must never be
//! reached by a statement that a test sends on purpose.

use std::cell::Cell;

use crate::error::{Failure, Result};
use crate::heap::Heap;
use crate::plan::Expr;
use crate::server::Server;
use crate::value::Value;

/// Bytes of rows that a statement may hold at a time: some two million rows of a few columns.
const ROWS_MAX: u64 = 256 << 20;

/// Bytes of values that a statement may compute.
const VALUES_MAX: u64 = 128 << 20;

/// Rows that a statement may look at, each as often as it does so.
const STEPS_MAX: u64 = 20_000_000;

/// Row versions that the tables of a database may have together.
const VERSIONS_MAX: u64 = 1_000_000;

/// Bytes of long values that the tables of a database may have together.
const STORED_MAX: u64 = 128 << 20;

/// Locks that one session may hold; the server has room for fewer by default.
const LOCKS_MAX: usize = 10_000;

/// Parameters that one session may set, and how often in one transaction.
const PARAMETERS_MAX: usize = 200;
const CHANGES_MAX: usize = 2_000;

/// Notifications that one transaction may send.
const NOTIFICATIONS_MAX: usize = 20_000;

/// Elements of an array.
pub(crate) const ELEMENTS_MAX: usize = 1_000_000;

/// Comparisons that one operator may need: a pattern against a text, an array against another.
const COMPARISONS_MAX: usize = 500_000_000;

/// What a row takes beside its columns, and what a column takes beside its value.
const ROW: u64 = 64;
const COLUMN: u64 = 32;

/// What a statement has used so far.
#[derive(Debug, Default)]
pub(crate) struct Used {
    rows: Cell<u64>,
    values: Cell<u64>,
    steps: Cell<u64>,
}

impl Used {
    /// A row of so many columns is held.
    #[inline]
    pub(crate) fn hold(&self, columns: usize) -> Result<()> {
        self.hold_many(1, columns)
    }

    /// So many rows are.
    #[inline]
    pub(crate) fn hold_many(&self, rows: u64, columns: usize) -> Result<()> {
        let held = self.rows.get().saturating_add(rows.saturating_mul(ROW + COLUMN * columns as u64));
        self.rows.set(held);
        if held > ROWS_MAX { Err(too_many_rows()) } else { Ok(()) }
    }

    /// How much the rows that are held take.
    pub(crate) fn held(&self) -> u64 {
        self.rows.get()
    }

    /// The rows that were held since then are held no longer.
    pub(crate) fn release(&self, before: u64) {
        self.rows.set(before);
    }

    /// So many rows are looked at.
    #[inline]
    pub(crate) fn step(&self, rows: u64) -> Result<()> {
        let steps = self.steps.get().saturating_add(rows);
        self.steps.set(steps);
        if steps > STEPS_MAX { Err(too_much_work()) } else { Ok(()) }
    }

    /// A value was computed by that expression; what was there already takes nothing.
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

/// What a value takes, about.
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
    /// Refuses a version more where the tables have enough. They are counted now and then, or when a value is long.
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

/// Refuses a lock more for a session that has enough of them.
pub(crate) fn demand_locks(held: usize) -> Result<()> {
    if held >= LOCKS_MAX {
        return Err(Failure::not_modelled(format!("more than {LOCKS_MAX} locks held by one session")));
    }
    Ok(())
}

/// Another notification of a transaction that has sent so many.
pub(crate) fn demand_notifications(sent: usize) -> Result<()> {
    if sent < NOTIFICATIONS_MAX {
        return Ok(());
    }
    Err(Failure::not_modelled(format!("more than {NOTIFICATIONS_MAX} notifications in a transaction")))
}

/// Refuses a parameter, or another value for one, where a session has set enough of them.
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

/// Refuses an array of too many elements.
pub(crate) fn demand_elements(count: usize) -> Result<()> {
    if count > ELEMENTS_MAX {
        return Err(Failure::not_modelled(format!("an array of more than {ELEMENTS_MAX} elements")));
    }
    Ok(())
}

/// Refuses to compare everything of one thing with everything of another where that is too much.
pub(crate) fn demand_comparisons(left: usize, right: usize) -> Result<()> {
    if left.saturating_mul(right) > COMPARISONS_MAX {
        let what = format!("an operator that needs more than {COMPARISONS_MAX} comparisons");
        return Err(Failure::not_modelled(format!("{what} (shorter operands help)")));
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
