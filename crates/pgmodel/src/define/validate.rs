//! Whether the rows that are there meet a constraint: when it is added, or later with VALIDATE CONSTRAINT, which lets
//! writers go on (manual, ALTER TABLE). It looks at what has committed by then.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::{Define, find_key};
use crate::ast::TableLockMode;
use crate::catalog::{Check, ForeignKey, TableDef};
use crate::error::{Failure, Result};
use crate::footprint::{Object, Use};
use crate::run::{Env, Slotted};
use crate::value::{Tuple, Value};

impl Define<'_> {
    pub(super) async fn validate(&self, mut table: TableDef, name: &str) -> Result<TableDef> {
        // Writers go on beside it, so that the order of their commits and this look matters.
        self.server.touch(self.session, Object::Table(table.id), Use::Read);
        if let Some(place) = table.checks.iter().position(|check| check.name == name) {
            if !table.checks[place].validated {
                self.demand_checked(&table, &table.checks[place])?;
                table.checks[place].validated = true;
            }
            return Ok(table);
        }
        if let Some(place) = table.foreign_keys.iter().position(|key| key.name == name) {
            let key = table.foreign_keys[place].clone();
            if !key.validated {
                let mode = TableLockMode::RowShare;
                self.server.lock_table(self.session, key.to, mode, false).await?;
                self.server.touch(self.session, Object::Table(key.to), Use::Read);
                let to = (key.to != table.id).then(|| self.server.table(key.to, self.session));
                self.demand_referenced(&table, to.as_deref(), &key)?;
                let validated = true;
                table.foreign_keys[place] = Rc::new(ForeignKey { validated, ..ForeignKey::clone(&key) });
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

    /// 23514 where a row does not meet a CHECK.
    pub(super) fn demand_checked(&self, table: &TableDef, check: &Check) -> Result<()> {
        let run = self.run();
        for (_, tuple) in self.live(table) {
            run.visited(1, 1);
            let cells = [Slotted::row(tuple)];
            if run.now(&check.condition, &Env::level(None, None, &cells))? == Value::Bool(false) {
                let (name, relation) = (&check.name, &table.name);
                let message =
                    format!("check constraint \"{name}\" of relation \"{relation}\" is violated by some row");
                return Err(Failure::sql("23514", message));
            }
        }
        Ok(())
    }

    /// 23503 where a row refers to none; `to` is the other table, none where it is the table itself.
    pub(super) fn demand_referenced(
        &self,
        table: &TableDef,
        to: Option<&TableDef>,
        key: &ForeignKey,
    ) -> Result<()> {
        let referenced: Vec<Tuple> =
            self.live(to.unwrap_or(table)).into_iter().map(|(_, tuple)| tuple).collect();
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
