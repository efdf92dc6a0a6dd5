//! Calls of BEFORE triggers for rows, and of triggers for statements.

use std::rc::Rc;

use retrial_pgmodel_sql::ast::LockStrength;
use retrial_pgmodel_sql::catalog::{Operation, TableDef, Trigger};
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::plan::{ConflictUpdate, Core, Cte, OutputColumn};
use retrial_pgmodel_sql::value::{Tuple, Value};

use super::columns;
use crate::execution::{Env, Execution};
use crate::routine::{Called, Row, TriggerVariable};

impl Execution {
    /// Calls the BEFORE triggers of a row. Returns the row to write, or `None` if a trigger suppresses the operation.
    pub(crate) async fn before_row(
        &self,
        table: &Rc<TableDef>,
        operation: Operation,
        set: &[usize],
        old: Option<&Tuple>,
        new: Option<Tuple>,
    ) -> Result<Option<Tuple>> {
        let mut new = new;
        for trigger in table.triggers.iter().filter(|trigger| trigger.is(true, true, operation)) {
            if !self.is_wanted(trigger, operation, set, [old, new.as_ref()])? {
                continue;
            }
            let called = self.fire(table, trigger, operation, [old, new.as_ref()]).await?;
            let Some(row) = called else { return Ok(None) };
            if operation != Operation::Delete {
                new = Some(fitted(table, row)?);
            }
        }
        // A DELETE has no new row; returning the old one means that it proceeds.
        Ok(new.or_else(|| old.cloned()))
    }

    /// Calls the BEFORE STATEMENT triggers.
    pub(crate) async fn before_statement(
        &self,
        table: &Rc<TableDef>,
        operation: Operation,
        set: &[usize],
        level: &Env<'_>,
    ) -> Result<()> {
        demand_alone(level)?;
        for trigger in table.triggers.iter().filter(|trigger| trigger.is(true, false, operation)) {
            if self.is_wanted(trigger, operation, set, [None, None])?
                && self.fire(table, trigger, operation, [None, None]).await?.is_some()
            {
                let message = "BEFORE STATEMENT trigger cannot return a value";
                return Err(Failure::sql("39P01", message));
            }
        }
        Ok(())
    }

    /// Calls the triggers before an INSERT, and before the UPDATE of its ON CONFLICT.
    pub(crate) async fn before_insert(
        &self,
        table: &Rc<TableDef>,
        updates: Option<&ConflictUpdate>,
        level: &Env<'_>,
    ) -> Result<()> {
        self.before_statement(table, Operation::Insert, &[], level).await?;
        match updates {
            Some(update) => {
                self.before_statement(table, Operation::Update, &columns_set(update), level).await
            }
            None => Ok(()),
        }
    }

    /// Queues the triggers after it, UPDATE before INSERT.
    pub(crate) fn after_insert(&self, table: &Rc<TableDef>, updates: Option<&ConflictUpdate>) -> Result<()> {
        if let Some(update) = updates {
            self.queue_statement(table, Operation::Update, &columns_set(update))?;
        }
        self.queue_statement(table, Operation::Insert, &[])
    }

    /// Calls a trigger's function for a row or a statement.
    pub(crate) async fn fire(
        &self,
        table: &Rc<TableDef>,
        trigger: &Rc<Trigger>,
        operation: Operation,
        [old, new]: [Option<&Tuple>; 2],
    ) -> Result<Called> {
        let found = self.server.schema.borrow().routines.exact(&trigger.function, &[], self.session);
        let function = found.ok_or_else(|| Failure::not_modelled("a trigger whose function has gone"))?;
        let shown: Rc<[OutputColumn]> = columns(table);
        // The columns of an absent row are known, too.
        let row = |tuple: Option<&Tuple>| {
            let values = tuple.cloned().unwrap_or_else(|| shown.iter().map(|_| Value::Null).collect());
            Some(Row { columns: shown.clone(), values, is_null: tuple.is_none() })
        };
        let rows = [row(new), row(old)];
        self.call_trigger(&function, rows, variables(table, trigger, operation)).await
    }
}

/// Refuses triggers in a statement with a data-modifying WITH, as its parts and their triggers would be interleaved.
fn demand_alone(level: &Env<'_>) -> Result<()> {
    let mut at = Some(level);
    while let Some(env) = at {
        let writes =
            |cte: &Cte| matches!(cte.query.core, Core::Insert(_) | Core::Update(_) | Core::Delete(_));
        if env.ctes.is_some_and(|ctes| ctes.query.ctes.iter().any(writes)) {
            return Err(Failure::not_modelled("triggers in a statement with a WITH that writes"));
        }
        at = env.outer;
    }
    Ok(())
}

fn columns_set(update: &ConflictUpdate) -> Vec<usize> {
    update.set.iter().map(|(column, _)| *column).collect()
}

/// The variables of a trigger's function other than its rows.
fn variables(table: &TableDef, trigger: &Trigger, operation: Operation) -> Vec<(usize, Value)> {
    let text = |text: &str| Value::Text(text.into());
    let when = if trigger.before { "BEFORE" } else { "AFTER" };
    let level = if trigger.row { "ROW" } else { "STATEMENT" };
    let mut known = vec![
        (TriggerVariable::Name as usize, text(&trigger.name)),
        (TriggerVariable::When as usize, text(when)),
        (TriggerVariable::Level as usize, text(level)),
        (TriggerVariable::Operation as usize, text(operation.word())),
        (TriggerVariable::Table as usize, text(&table.name)),
        (TriggerVariable::Relation as usize, text(&table.name)),
        (TriggerVariable::Schema as usize, text("public")),
        (TriggerVariable::Count as usize, Value::Int(trigger.args.len() as i64)),
    ];
    let first = TriggerVariable::First as usize;
    known.extend(trigger.args.iter().enumerate().map(|(index, arg)| (first + index, text(arg))));
    known
}

/// Converts a row that a trigger returned to one of its table.
fn fitted(table: &TableDef, row: Row) -> Result<Tuple> {
    let fits = row.columns.len() == table.columns.len()
        && row.columns.iter().zip(&table.columns).all(|(returned, own)| returned.ty == own.ty);
    if fits {
        return Ok(row.values);
    }
    Err(Failure::not_modelled("a trigger that returns a row of another shape than its table's"))
}

/// How strongly an update of these columns locks its row before its triggers see it.
pub(crate) fn strength(table: &TableDef, set: &[usize]) -> LockStrength {
    let keys = crate::execution::key_columns(table).any(|column| set.contains(&column));
    if keys { LockStrength::Update } else { LockStrength::NoKeyUpdate }
}
