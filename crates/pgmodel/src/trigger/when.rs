//! The WHEN condition of triggers, and the other conditions for calling one.

use std::rc::Rc;

use retrial_pgmodel_sql::catalog::{Operation, Trigger};
use retrial_pgmodel_sql::error::Result;
use retrial_pgmodel_sql::value::{Tuple, Value};

use crate::execution::{Env, Execution, Slotted};

impl Execution {
    /// Whether a trigger is to be called for a row, given the columns that the statement sets (TriggerEnabled).
    pub(super) fn is_wanted(
        &self,
        trigger: &Rc<Trigger>,
        operation: Operation,
        set: &[usize],
        rows: [Option<&Tuple>; 2],
    ) -> Result<bool> {
        if !trigger.enabled {
            return Ok(false);
        }
        let limited = operation == Operation::Update && !trigger.columns.is_empty();
        if limited && !trigger.columns.iter().any(|column| set.contains(column)) {
            return Ok(false);
        }
        let Some(when) = &trigger.when else { return Ok(true) };
        let cells = rows.map(|row| Slotted { tuple: row.cloned(), version: None });
        Ok(self.now(when, &Env::level(None, None, &cells))? == Value::Bool(true))
    }
}
