//! DROP TABLE and TRUNCATE.

use std::rc::Rc;

use retrial_pgmodel_sql::ast::TableLockMode;
use retrial_pgmodel_sql::catalog::{ForeignKey, TableDef};
use retrial_pgmodel_sql::error::{Failure, Result};

use super::{Define, name};
use crate::backend::Undo;
use crate::lock::LockTag;
use crate::schema::Named;

impl Define<'_> {
    pub(super) async fn drop_tables(&self, names: &[String], if_exists: bool, cascade: bool) -> Result<()> {
        let mut tables: Vec<Rc<TableDef>> = Vec::new();
        for name in names {
            let mode = TableLockMode::AccessExclusive;
            match super::find_table(self.server, self.session, name, mode, false).await? {
                Some(table) => tables.push(table),
                None if self.is_taken(name) => return Err(name::wrong_kind(name, "a table")),
                None if if_exists => self.notice(format!("table \"{name}\" does not exist, skipping")),
                None => return Err(Failure::sql("42P01", format!("table \"{name}\" does not exist"))),
            }
        }
        let mut cascades = Vec::new();
        for table in &tables {
            let referring = self.server.schema.borrow().referring(table.id, self.session);
            let others = referring.into_iter().filter(|(from, _)| tables.iter().all(|it| it.id != from.id));
            cascades.extend(others.map(|(from, key)| (table, from, key)));
        }
        match &cascades[..] {
            [] => {}
            [(table, from, _), ..] if !cascade => {
                self.demand_settled(from)?;
                return Err(name::needed(&format!("table {}", table.name), tables.len()));
            }
            [one] => self.notice(cascade_to(one)),
            several => {
                let each: Vec<String> = several.iter().map(cascade_to).collect();
                let (many, each) = (several.len(), each.join("\n"));
                self.notice(format!("drop cascades to {many} other objects\nDETAIL:  {each}"));
            }
        }
        for (_, from, key) in &cascades {
            self.server.lock_table(self.session, from.id, TableLockMode::AccessExclusive, false).await?;
            let from = self.server.table(from.id, self.session);
            let mut left = super::copy(&from);
            left.foreign_keys = super::without(&from.foreign_keys, &key.name);
            self.put(left);
        }
        for table in tables {
            self.drop_owned_sequences(table.id, None).await?;
            self.lock_referenced(&table.foreign_keys).await?;
            self.server.meet_table(self.session, table.id)?;
            self.change(table.id, None);
        }
        Ok(())
    }

    /// Refuses an error about dependent objects of a table if another transaction may be about to drop them: the server
    /// waits for that transaction.
    pub(super) fn demand_settled(&self, table: &TableDef) -> Result<()> {
        let tag = LockTag::Table(table.id);
        if self.server.locks.borrow().is_owned_by_another(self.session, tag) {
            let name = &table.name;
            return Err(Failure::not_modelled(format!(
                "dropping what {name} needs while another transaction changes {name}"
            )));
        }
        Ok(())
    }

    pub(super) async fn truncate(&self, names: &[String], restart: bool, cascade: bool) -> Result<()> {
        let mut tables: Vec<Rc<TableDef>> = Vec::new();
        for name in names {
            let mode = TableLockMode::AccessExclusive;
            tables.push(super::open_table(self.server, self.session, name, mode, false).await?);
        }
        let mut at = 0;
        while let Some(table) = tables.get(at).cloned() {
            at += 1;
            let referring = self.server.schema.borrow().referring(table.id, self.session);
            for (from, _) in referring {
                if tables.iter().any(|known| known.id == from.id) {
                    continue;
                }
                if !cascade {
                    let message = "cannot truncate a table referenced in a foreign key constraint";
                    return Err(Failure::sql("0A000", message));
                }
                let mode = TableLockMode::AccessExclusive;
                tables.push(super::open_table(self.server, self.session, &from.name, mode, false).await?);
                self.notice(format!("truncate cascades to table \"{}\"", from.name));
            }
        }
        let run = self.run();
        for table in tables {
            self.server.meet_table(self.session, table.id)?;
            for (_, tuple) in self.live(&table) {
                run.account(&table, Some(tuple), None);
            }
            self.remember(&table);
            self.give_heap(&table);
            // The server rebuilds the indexes under a separate lock (reindex_relation).
            self.server.lock_table(self.session, table.id, TableLockMode::Share, false).await?;
            self.server.widen_marks(self.session, table.id, None);
            if restart {
                for Named { id, .. } in self.owned_sequences(table.id) {
                    let mode = TableLockMode::AccessExclusive;
                    self.server.lock_table(self.session, id, mode, false).await?;
                    let mut all = self.server.sequences.borrow_mut();
                    if let Some(sequence) = all.get_mut(&id) {
                        let before = sequence.clone();
                        (sequence.last, sequence.called) = (sequence.start, false);
                        drop(all);
                        self.undo(Undo::RestartedSequence(id, before));
                    }
                }
            }
        }
        Ok(())
    }
}

fn cascade_to((_, from, key): &(&Rc<TableDef>, Rc<TableDef>, Rc<ForeignKey>)) -> String {
    format!("drop cascades to constraint {} on table {}", key.name, from.name)
}
