//! CREATE TRIGGER, DROP TRIGGER, and ALTER TABLE ENABLE and DISABLE TRIGGER.

use std::rc::Rc;

use retrial_pgmodel_sql::ast::{CreateTrigger, TableLockMode, Which};
use retrial_pgmodel_sql::bind;
use retrial_pgmodel_sql::catalog::{TableDef, Trigger};
use retrial_pgmodel_sql::error::{Failure, Result};

use crate::ddl::{Define, copy, open_table};
use crate::lock::LockTag;

impl Define<'_> {
    pub(crate) async fn create_trigger(&self, create: &CreateTrigger) -> Result<()> {
        let mode = TableLockMode::ShareRowExclusive;
        let table = open_table(self.server, self.session, &create.table, mode, false).await?;
        let name = &create.name;
        if name.starts_with("RI_ConstraintTrigger_") {
            return Err(Failure::not_modelled(format!("a trigger called {name}, as those of foreign keys")));
        }
        let mut columns = Vec::new();
        for column in &create.columns {
            let place = table.column(column).ok_or_else(|| {
                let message = format!("column \"{column}\" of relation \"{}\" does not exist", table.name);
                Failure::sql("42703", message)
            })?;
            if columns.contains(&place) {
                return Err(Failure::sql("42701", format!("column \"{column}\" specified more than once")));
            }
            columns.push(place);
        }
        let events = [create.insert, create.update, create.delete];
        let when = create
            .when
            .as_ref()
            .map(|when| bind::trigger_when(when, &table, create.row, events, &self.names()));
        let when = when.transpose()?;
        let function = &create.function;
        let found = self.server.schema.borrow().routines.exact(function, &[], self.session);
        let found =
            found.ok_or_else(|| Failure::sql("42883", format!("function {function}() does not exist")))?;
        if found.definition.returns != retrial_pgmodel_sql::ast::Returns::Trigger {
            return Err(Failure::sql("42P17", format!("function {function} must return type trigger")));
        }
        if create.args.len() > crate::routine::ARGUMENTS {
            return Err(Failure::not_modelled("a trigger with so many arguments"));
        }
        let known = table.triggers.iter().position(|trigger| trigger.name == *name);
        if known.is_some() && !create.replace {
            let message = format!("trigger \"{name}\" for relation \"{}\" already exists", table.name);
            return Err(Failure::sql("42710", message));
        }
        let trigger = Trigger {
            name: name.clone(),
            before: create.before,
            row: create.row,
            events,
            columns,
            when,
            function: function.clone(),
            args: create.args.clone(),
            enabled: true,
        };
        let mut changed = copy(&table);
        if let Some(known) = known {
            changed.triggers.remove(known);
        }
        changed.triggers.push(Rc::new(trigger));
        changed.triggers.sort_by(|left, right| left.name.cmp(&right.name));
        self.put(changed);
        Ok(())
    }

    pub(crate) async fn drop_trigger(&self, name: &str, table: &str, if_exists: bool) -> Result<()> {
        let known = self.server.schema.borrow().find(table, self.session).is_some();
        if !known && if_exists {
            self.notice(format!("relation \"{table}\" does not exist, skipping"));
            return Ok(());
        }
        // The trigger is looked up under a weak lock, which is released again if the trigger does not exist
        // (get_object_address_relobject).
        let mode = TableLockMode::AccessShare;
        let held = self.server.backend(self.session).held.len();
        let table = open_table(self.server, self.session, table, mode, false).await?;
        let is_it = |trigger: &Rc<Trigger>| trigger.name == name;
        if !table.triggers.iter().any(is_it) {
            if !if_exists {
                let missing = format!("trigger \"{name}\" for table \"{}\" does not exist", table.name);
                return Err(Failure::sql("42704", missing));
            }
            if self.server.backend(self.session).held.len() > held {
                self.server.unlock(self.session, LockTag::Table(table.id), mode);
            }
            let missing = format!("trigger \"{name}\" for relation \"{}\" does not exist", table.name);
            self.notice(format!("{missing}, skipping"));
            return Ok(());
        }
        let mode = TableLockMode::AccessExclusive;
        let table = open_table(self.server, self.session, &table.name, mode, false).await?;
        let Some(place) = table.triggers.iter().position(is_it) else {
            return Err(Failure::not_modelled("two transactions that drop one trigger at once"));
        };
        let mut changed = copy(&table);
        changed.triggers.remove(place);
        self.put(changed);
        Ok(())
    }
}

/// The table with the selected triggers enabled or disabled.
pub(crate) fn switched(mut table: TableDef, which: &Which, enabled: bool) -> Result<TableDef> {
    let mut found = *which == Which::User;
    for trigger in &mut table.triggers {
        let is_it = match which {
            Which::Named(name) => trigger.name == *name,
            Which::User => true,
        };
        if is_it {
            found = true;
            *trigger = Rc::new(Trigger { enabled, ..(**trigger).clone() });
        }
    }
    match which {
        Which::Named(name) if !found => {
            let message = format!("trigger \"{name}\" for table \"{}\" does not exist", table.name);
            Err(Failure::sql("42704", message))
        }
        _ => Ok(table),
    }
}
