//! ALTER TABLE … RENAME: a table, a column, a constraint. Other sessions see the old name until the transaction
//! commits.

use std::rc::Rc;

use retrial_pgmodel_sql::catalog::{Check, ForeignKey, IndexDef, TableDef};
use retrial_pgmodel_sql::error::{Failure, Result};

use super::{Define, name};

impl Define<'_> {
    pub(super) fn rename_table(&self, mut table: TableDef, to: &str) -> Result<TableDef> {
        self.demand_free(to)?;
        table.name = to.to_owned();
        Ok(table)
    }

    pub(super) fn rename_column(&self, mut table: TableDef, column: &str, to: &str) -> Result<TableDef> {
        let Some(place) = table.column(column) else {
            return Err(Failure::sql("42703", format!("column \"{column}\" does not exist")));
        };
        if table.column(to).is_some() {
            let relation = &table.name;
            let message = format!("column \"{to}\" of relation \"{relation}\" already exists");
            return Err(Failure::sql("42701", message));
        }
        table.columns[place].name = to.to_owned();
        Ok(table)
    }

    pub(super) fn rename_constraint(&self, mut table: TableDef, from: &str, to: &str) -> Result<TableDef> {
        if let Some(index) = table.indexes.iter_mut().find(|index| index.constraint && index.name == from) {
            // A constraint and its index share one name.
            self.demand_free(to)?;
            *index = Rc::new(IndexDef { name: to.to_owned(), ..IndexDef::clone(index) });
            return Ok(table);
        }
        let check = table.checks.iter().position(|check| check.name == from);
        let key = table.foreign_keys.iter().position(|key| key.name == from);
        if check.is_none() && key.is_none() {
            let message = format!("constraint \"{from}\" for table \"{}\" does not exist", table.name);
            return Err(Failure::sql("42704", message));
        }
        name::demand_new_constraint(&table, to)?;
        if let Some(place) = check {
            let check = table.checks.remove(place);
            table.add_check(Check { name: to.to_owned(), ..check });
        }
        if let Some(place) = key {
            let key = ForeignKey::clone(&table.foreign_keys[place]);
            table.foreign_keys[place] = Rc::new(ForeignKey { name: to.to_owned(), ..key });
        }
        Ok(table)
    }
}
