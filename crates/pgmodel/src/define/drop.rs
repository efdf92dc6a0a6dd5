//! DROP TABLE, DROP SEQUENCE and TRUNCATE.

use std::rc::Rc;

use super::Define;
use crate::ast::TableLockMode;
use crate::backend::Undo;
use crate::catalog::TableDef;
use crate::error::{Failure, Result};
use crate::plan::Expr;
use crate::value::Value;

impl Define<'_> {
    pub(super) async fn drop_tables(&self, names: &[String], if_exists: bool, cascade: bool) -> Result<()> {
        let mut tables: Vec<Rc<TableDef>> = Vec::new();
        for name in names {
            let known = self.server.schema.borrow().find(name, self.session).is_some();
            if !known {
                if !if_exists {
                    return Err(Failure::sql("42P01", format!("table \"{name}\" does not exist")));
                }
                self.notice(format!("table \"{name}\" does not exist, skipping"));
                continue;
            }
            let mode = TableLockMode::AccessExclusive;
            let opened = super::open_table(self.server, self.session, name, mode, false).await;
            tables.push(opened.map_err(|failure| match failure {
                Failure::Sql(error) if error.code == "42P01" => {
                    Failure::sql("42P01", format!("table \"{name}\" does not exist"))
                }
                other => other,
            })?);
        }
        for table in &tables {
            let referring = self.server.schema.borrow().referring(table.id, self.session);
            for (from, key) in referring {
                if tables.iter().any(|dropped| dropped.id == from.id) {
                    continue;
                }
                if !cascade {
                    let name = &table.name;
                    let message = format!("cannot drop table {name} because other objects depend on it");
                    return Err(Failure::sql("2BP01", message));
                }
                self.server.lock_table(self.session, from.id, TableLockMode::AccessExclusive, false).await?;
                self.notice(format!("drop cascades to constraint {} on table {}", key.name, from.name));
                let mut left = super::copy(&from);
                left.foreign_keys = super::without(&from.foreign_keys, &key.name);
                self.put(left);
            }
        }
        for table in tables {
            self.lock_referenced(&table.foreign_keys).await?;
            for sequence in sequences(&table) {
                self.drop_sequence(&sequence);
            }
            self.change(table.id, None);
        }
        Ok(())
    }

    pub(super) fn drop_sequences(&self, names: &[String], if_exists: bool) -> Result<()> {
        for name in names {
            if !self.server.sequences.borrow().contains_key(name) {
                if !if_exists {
                    return Err(Failure::sql("42P01", format!("sequence \"{name}\" does not exist")));
                }
                self.notice(format!("sequence \"{name}\" does not exist, skipping"));
            }
            self.drop_sequence(name);
        }
        Ok(())
    }

    fn drop_sequence(&self, name: &str) {
        let dropped = self.server.sequences.borrow_mut().remove(name);
        if let Some(sequence) = dropped {
            self.undo(Undo::DroppedSequence(name.to_owned(), sequence));
        }
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
            for (version, tuple) in self.live(&table) {
                let row = self.server.heap(table.id).row(version);
                run.account(&table, row, Some(tuple), None);
            }
            self.remember(&table);
            self.give_heap(&table);
            // The indexes are built anew under a lock of its own (reindex_relation).
            self.server.lock_table(self.session, table.id, TableLockMode::Share, false).await?;
            if restart {
                for name in sequences(&table) {
                    let mut all = self.server.sequences.borrow_mut();
                    if let Some(sequence) = all.get_mut(&name) {
                        let before = sequence.clone();
                        (sequence.last, sequence.called) = (sequence.start, false);
                        drop(all);
                        self.undo(Undo::DroppedSequence(name, before));
                    }
                }
            }
        }
        Ok(())
    }
}

/// The sequences that number a table's columns.
fn sequences(table: &TableDef) -> Vec<String> {
    let name = |default: &Expr| match default {
        Expr::System { args, .. } => match &args[..] {
            [Expr::Const(Value::Text(name))] => Some(name.to_string()),
            _ => None,
        },
        _ => None,
    };
    table.columns.iter().filter_map(|column| column.default.as_ref().and_then(name)).collect()
}
