//! AFTER triggers. They are selected when a row is written and called when the statement has done its work: row by row,
//! and for each row in the order of their names, among those of the foreign keys (AfterTriggerSaveEvent).

use std::rc::Rc;

use retrial_pgmodel_sql::catalog::{Operation, TableDef, Trigger};
use retrial_pgmodel_sql::error::Result;

use crate::execution::{Event, Execution};

/// A trigger to be called for a row or a statement.
#[derive(Clone, Debug)]
pub(crate) struct Firing {
    pub(crate) trigger: Rc<Trigger>,
    pub(crate) operation: Operation,
}

/// The name prefix of foreign key triggers, which determines their position among the others.
const FOREIGN_KEYS: &str = "RI_ConstraintTrigger_";

impl Execution {
    /// Selects the AFTER triggers of the row that was just written and recorded as an event.
    pub(crate) fn queue_row(&self, table: &TableDef, operation: Operation, set: &[usize]) -> Result<()> {
        let mut events = self.events.borrow_mut();
        let Some(event) = events.last_mut() else { return Ok(()) };
        let rows = [event.before.clone(), event.after.clone()];
        for trigger in table.triggers.iter().filter(|trigger| trigger.is(false, true, operation)) {
            if self.is_wanted(trigger, operation, set, [rows[0].as_ref(), rows[1].as_ref()])? {
                event.fires.push(Firing { trigger: trigger.clone(), operation });
            }
        }
        Ok(())
    }

    /// Selects the AFTER STATEMENT triggers.
    pub(crate) fn queue_statement(
        &self,
        table: &Rc<TableDef>,
        operation: Operation,
        set: &[usize],
    ) -> Result<()> {
        let mut fires = Vec::new();
        for trigger in table.triggers.iter().filter(|trigger| trigger.is(false, false, operation)) {
            if self.is_wanted(trigger, operation, set, [None, None])? {
                fires.push(Firing { trigger: trigger.clone(), operation });
            }
        }
        if !fires.is_empty() {
            let event = Event { table: table.clone(), over_own: false, before: None, after: None, fires };
            self.events.borrow_mut().push(event);
        }
        Ok(())
    }

    /// Calls the AFTER triggers of an event: with `ahead` those sorted before the foreign key triggers, else those
    /// after.
    pub(crate) async fn after(&self, event: &Event, ahead: bool) -> Result<()> {
        for Firing { trigger, operation } in &event.fires {
            if (trigger.name.as_str() < FOREIGN_KEYS) == ahead {
                let rows = [event.before.as_ref(), event.after.as_ref()];
                // The return value is ignored.
                self.fire(&event.table, trigger, *operation, rows).await?;
            }
        }
        Ok(())
    }
}
