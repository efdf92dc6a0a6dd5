//! AFTER triggers: chosen when a row is written, called once the statement has done its work, in the order of rows and
//! for each row in the order of names, those of foreign keys among them (AfterTriggerSaveEvent).

use std::rc::Rc;

use super::{Operation, Trigger};
use crate::catalog::TableDef;
use crate::error::Result;
use crate::execution::{Event, Execution};

/// A trigger that is to be called for a row, or for a statement.
#[derive(Clone, Debug)]
pub(crate) struct Firing {
    pub(crate) trigger: Rc<Trigger>,
    pub(crate) operation: Operation,
}

/// What the triggers of foreign keys are called, whose place among the others their names decide.
const FOREIGN_KEYS: &str = "RI_ConstraintTrigger_";

impl Execution {
    /// Chooses the AFTER triggers of the row that has just been written and noted.
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

    /// Chooses the triggers after a statement.
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

    /// Calls the AFTER triggers of an event: those whose names come before the foreign keys', or behind.
    pub(crate) async fn after(&self, event: &Event, ahead: bool) -> Result<()> {
        for Firing { trigger, operation } in &event.fires {
            if (trigger.name.as_str() < FOREIGN_KEYS) == ahead {
                let rows = [event.before.as_ref(), event.after.as_ref()];
                // What it returns is nobody's.
                self.fire(&event.table, trigger, *operation, rows).await?;
            }
        }
        Ok(())
    }
}
