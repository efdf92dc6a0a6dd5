//! WHEN of a trigger: a condition over the old and the new row, as far as the trigger's events have them.

use crate::ast;
use crate::catalog::{Names, TableDef};
use crate::error::{Failure, Result};
use crate::plan::Expr;

use super::scope::{Clause, Level, table_item};
use super::{Binder, Stored};

/// Binds the condition; the old row is slot 0, the new one slot 1. `events` are INSERT, UPDATE and DELETE, in this
/// order.
pub fn trigger_when(
    when: &ast::Expr,
    table: &TableDef,
    row: bool,
    events: [bool; 3],
    names: &dyn Names,
) -> Result<Expr> {
    let mut binder = Binder::new(names, None);
    let mut level = Level::new(Clause::Row);
    for (slot, name) in ["old", "new"].into_iter().enumerate() {
        let mut item = table_item(table, name, slot);
        item.unqualified = false;
        level.items.push(item);
    }
    binder.levels.push(level);
    let condition = binder.storing(Stored::When, |binder| binder.condition(when, "WHEN"))?;
    let used = |slot: usize| binder.touched.iter().any(|(_, touched)| *touched == slot);
    let [insert, _, delete] = events;
    let refusal = match () {
        () if !row && (used(0) || used(1)) => {
            "statement trigger's WHEN condition cannot reference column values"
        }
        () if insert && used(0) => "INSERT trigger's WHEN condition cannot reference OLD values",
        () if delete && used(1) => "DELETE trigger's WHEN condition cannot reference NEW values",
        () => return Ok(condition),
    };
    Err(Failure::sql("42P17", refusal))
}
