//! Checks of existing rows against new NOT NULLs and constraints, and VALIDATE CONSTRAINT, which does not block writers
//! (manual, ALTER TABLE). The rows are checked in order once the definition is final (ATRewriteTables in
//! src/backend/commands/tablecmds.c).

use std::collections::{BTreeSet, btree_set};
use std::rc::Rc;

use retrial_pgmodel_sql::ast::TableLockMode;
use retrial_pgmodel_sql::catalog::{Check, ForeignKey, TableDef};
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::value::{Tuple, Value};

use super::{Define, find_key};
use crate::execution::{Env, Slotted};
use crate::footprint::{Object, Use};

/// What existing rows must satisfy.
#[derive(Debug, Default)]
pub(super) struct Demands {
    no_null: BTreeSet<usize>,
    /// CHECK constraints and foreign keys, by name.
    checks: Vec<String>,
    keys: Vec<String>,
}

impl Define<'_> {
    pub(super) fn validate(&self, mut table: TableDef, name: &str) -> Result<TableDef> {
        // Writers are not blocked, so the order of their commits and this read matters.
        self.server.touch(self.session, Object::Table(table.id), Use::Read);
        if let Some(check) = table.checks.iter_mut().find(|check| check.name == name) {
            if !std::mem::replace(&mut check.validated, true) {
                self.demand_checked(name);
            }
            return Ok(table);
        }
        if let Some(key) = table.foreign_keys.iter_mut().find(|key| key.name == name) {
            if !key.validated {
                *key = Rc::new(ForeignKey { validated: true, ..ForeignKey::clone(key) });
                self.demand_referenced(name);
            }
            return Ok(table);
        }
        let relation = &table.name;
        Err(if find_key(&table, name).is_some() {
            let what = "is not a foreign key or check constraint";
            Failure::sql("42809", format!("constraint \"{name}\" of relation \"{relation}\" {what}"))
        } else {
            Failure::sql("42704", format!("constraint \"{name}\" of relation \"{relation}\" does not exist"))
        })
    }

    pub(super) fn demand_no_null(&self, columns: &[usize]) {
        self.demands.borrow_mut().no_null.extend(columns);
    }

    pub(super) fn demand_checked(&self, check: &str) {
        self.demands.borrow_mut().checks.push(check.to_owned());
    }

    pub(super) fn demand_referenced(&self, key: &str) {
        self.demands.borrow_mut().keys.push(key.to_owned());
    }

    /// Checks the rows against everything that is demanded of them.
    pub(super) async fn verify(&self, table: &TableDef) -> Result<()> {
        let Demands { no_null, checks, keys } = self.demands.take();
        // If a row violates several, the one added first is reported.
        let named = |name: &String| table.checks.iter().find(|check| check.name == *name);
        let checks: Vec<&Check> = checks.iter().filter_map(named).collect();
        if !no_null.is_empty() || !checks.is_empty() {
            let run = self.run();
            for (_, tuple) in self.live(table) {
                run.visited(1, 1);
                demand_values(table, &tuple, no_null.iter())?;
                let cells = [Slotted::row(tuple)];
                for check in &checks {
                    if run.now(&check.condition, &Env::level(None, None, &cells))? == Value::Bool(false) {
                        let (name, relation) = (&check.name, &table.name);
                        let what = format!("of relation \"{relation}\" is violated by some row");
                        return Err(Failure::sql("23514", format!("check constraint \"{name}\" {what}")));
                    }
                }
            }
        }
        let named = |name: &String| table.foreign_keys.iter().find(|key| key.name == *name);
        for key in keys.iter().filter_map(named) {
            self.server.lock_table(self.session, key.to, TableLockMode::RowShare, false).await?;
            self.server.touch(self.session, Object::Table(key.to), Use::Read);
            self.demand_targets(table, key)?;
        }
        Ok(())
    }

    /// 23503 if a row references a missing row.
    fn demand_targets(&self, table: &TableDef, key: &ForeignKey) -> Result<()> {
        let to = self.server.table(key.to, self.session);
        let referenced: Vec<Tuple> = self.live(&to).into_iter().map(|(_, tuple)| tuple).collect();
        let there: BTreeSet<Vec<&Value>> =
            referenced.iter().map(|other| key.referenced.iter().map(|it| &other[*it]).collect()).collect();
        for (_, tuple) in self.live(table) {
            let wanted: Vec<&Value> = key.columns.iter().map(|column| &tuple[*column]).collect();
            if !wanted.contains(&&Value::Null) && !there.contains(&wanted) {
                let (relation, name) = (&table.name, &key.name);
                let message = format!(
                    "insert or update on table \"{relation}\" violates foreign key constraint \"{name}\""
                );
                return Err(Failure::sql("23503", message));
            }
        }
        Ok(())
    }
}

/// 23502 if one of the columns is NULL.
fn demand_values(table: &TableDef, tuple: &Tuple, columns: btree_set::Iter<'_, usize>) -> Result<()> {
    for place in columns {
        let column = &table.columns[*place];
        if !column.dropped && tuple[*place] == Value::Null {
            let (column, name) = (&column.name, &table.name);
            let message = format!("column \"{column}\" of relation \"{name}\" contains null values");
            return Err(Failure::sql("23502", message));
        }
    }
    Ok(())
}
