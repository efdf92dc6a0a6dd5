//! CREATE INDEX and DROP INDEX.
//!
//! A concurrent build lets writers go on: it waits for those that began before the index was known, builds, waits
//! for those that began before it was built, and for every older snapshot (manual, CREATE INDEX, "Building Indexes
//! Concurrently").

use std::rc::Rc;

use super::{Define, copy};
use crate::ast::{CreateIndex, TableLockMode};
use crate::backend::Undo;
use crate::bind;
use crate::catalog::{IndexDef, TableDef};
use crate::error::{Failure, Result};
use crate::lock::{LockTag, SessionNo, conflict};
use crate::plan::Expr;

impl Define<'_> {
    pub(super) async fn create_index(&self, create: &CreateIndex, several: bool) -> Result<()> {
        let block = several || self.server.backend(self.session).xact().explicit;
        if create.concurrently && block {
            let message = "CREATE INDEX CONCURRENTLY cannot run inside a transaction block";
            return Err(Failure::sql("25001", message));
        }
        let mode =
            if create.concurrently { TableLockMode::ShareUpdateExclusive } else { TableLockMode::Share };
        let table = super::open_table(self.server, self.session, &create.table, mode, false).await?;
        if let Some(name) = &create.name {
            self.demand_unmade(name)?;
        }
        if let Some(name) = create.name.as_ref().filter(|name| create.if_not_exists && self.is_taken(name)) {
            self.notice(format!("relation \"{name}\" already exists, skipping"));
            return Ok(());
        }
        let index = self.index(&table, create)?;
        if create.concurrently {
            return self.build_concurrently(&table, index).await;
        }
        self.undo(Undo::CreatedIndex(table.id, index.name.clone()));
        let mut table = copy(&table);
        table.indexes.push(Rc::new(index));
        let table = Rc::new(table);
        self.build(&table, table.indexes.len() - 1)?;
        self.put(copy(&table));
        Ok(())
    }

    /// Refuses a name that another transaction is about to give to an index: the server would wait for it.
    fn demand_unmade(&self, name: &str) -> Result<()> {
        let backends = self.server.backends.borrow();
        let makes = |undo: &Undo| matches!(undo, Undo::CreatedIndex(_, made) if made == name);
        let others = backends.iter().enumerate().filter(|(index, _)| *index != self.session.0 as usize);
        if others.into_iter().any(|(_, backend)| backend.undo.iter().any(makes)) {
            return Err(Failure::not_modelled(format!("two transactions that create {name} at once")));
        }
        Ok(())
    }

    fn index(&self, table: &TableDef, create: &CreateIndex) -> Result<IndexDef> {
        let mut keys = Vec::new();
        for key in &create.keys {
            keys.push(bind::row_expr(&key.expr, table, bind::Stored::Key, None, &self.names())?);
        }
        let filter = create.filter.as_ref().map(|filter| {
            bind::row_expr(filter, table, bind::Stored::Predicate, Some(&crate::value::Type::Bool), &self.names())
        });
        let part = |key: &Expr| match key {
            Expr::Column { column, .. } => table.columns[*column].name.clone(),
            _ => "expr".to_owned(),
        };
        let place = |name: &String| {
            let missing = || Failure::sql("42703", format!("column \"{name}\" does not exist"));
            table.column(name).ok_or_else(missing)
        };
        let included = create.included.iter().map(place).collect::<Result<Vec<usize>>>()?;
        let name = match &create.name {
            Some(name) => {
                self.demand_free(name)?;
                name.clone()
            }
            None => {
                let parts: Vec<String> =
                    keys.iter().map(part).chain(create.included.iter().cloned()).collect();
                self.free_name(format!("{}_{}_idx", table.name, parts.join("_")), &table.indexes)
            }
        };
        let (unique, filter) = (create.unique, filter.transpose()?);
        let (primary, constraint, valid) = (false, false, true);
        Ok(IndexDef { name, keys, included, unique, primary, constraint, filter, valid })
    }

    /// Builds an index beside writers. It is known to them, and kept by them, before the first wait; queries use it
    /// after the last. Where its rows turn out not to be unique it stays behind, invalid, as the server leaves it.
    async fn build_concurrently(&self, table: &Rc<TableDef>, index: IndexDef) -> Result<()> {
        let mut wider = copy(table);
        let (unique, place) = (index.unique, wider.indexes.len());
        wider.indexes.push(Rc::new(IndexDef { valid: false, unique: false, ..index }));
        let wider = Rc::new(wider);
        self.build(&wider, place)?;
        let known = self.put(copy(&wider));
        self.await_writers(&known).await?;
        let mut done = copy(&self.server.table(table.id));
        let old = &done.indexes[place];
        let enforced = IndexDef { unique, ..(**old).clone() };
        done.indexes[place] = Rc::new(enforced);
        let done = self.put(done);
        self.demand_unique_rows(&done, place)?;
        self.await_writers(&done).await?;
        self.await_snapshots().await?;
        let mut valid = copy(&self.server.table(table.id));
        let old = &valid.indexes[place];
        let usable = IndexDef { valid: true, ..(**old).clone() };
        valid.indexes[place] = Rc::new(usable);
        self.put(valid);
        Ok(())
    }

    /// Waits for every transaction that holds a lock with which rows are written.
    async fn await_writers(&self, table: &TableDef) -> Result<()> {
        let writers: Vec<SessionNo> = {
            let backends = self.server.backends.borrow();
            let writes = |held: &crate::backend::Held| {
                held.tag == LockTag::Table(table.id) && conflict(held.mode, TableLockMode::Share)
            };
            let writing = backends.iter().enumerate().filter(|(_, backend)| backend.held.iter().any(writes));
            writing.map(|(index, _)| SessionNo(index as u32)).collect()
        };
        for writer in writers {
            self.await_session(writer).await?;
        }
        Ok(())
    }

    /// Waits for every transaction whose snapshot is older than the index.
    async fn await_snapshots(&self) -> Result<()> {
        let readers: Vec<SessionNo> = {
            let backends = self.server.backends.borrow();
            let reads = |backend: &crate::backend::Backend| {
                backend.transaction.as_ref().is_some_and(|transaction| transaction.snapshot.is_some())
            };
            let reading = backends.iter().enumerate().filter(|(_, backend)| reads(backend));
            reading.map(|(index, _)| SessionNo(index as u32)).collect()
        };
        for reader in readers {
            self.await_session(reader).await?;
        }
        Ok(())
    }

    /// Waits for the transaction that a session has open, if it is another's.
    async fn await_session(&self, other: SessionNo) -> Result<()> {
        if other == self.session || self.server.backend(other).transaction.is_none() {
            return Ok(());
        }
        // Whether it has written yet or not, its number is what the wait is for.
        let xid = self.server.xid(other);
        self.server.await_transaction(self.session, xid).await
    }

    pub(super) async fn drop_indexes(&self, names: &[String], if_exists: bool) -> Result<()> {
        for name in names {
            let owner = {
                let schema = self.server.schema.borrow();
                let all = schema.all(self.session);
                all.into_iter().find(|table| table.indexes.iter().any(|index| index.name == *name))
            };
            let Some(owner) = owner else {
                if !if_exists {
                    return Err(Failure::sql("42704", format!("index \"{name}\" does not exist")));
                }
                self.notice(format!("index \"{name}\" does not exist, skipping"));
                continue;
            };
            let mode = TableLockMode::AccessExclusive;
            let table = super::open_table(self.server, self.session, &owner.name, mode, false).await?;
            let Some(index) = table.indexes.iter().position(|index| index.name == *name) else {
                return Err(Failure::sql("42704", format!("index \"{name}\" does not exist")));
            };
            if table.indexes[index].constraint {
                let relation = &table.name;
                let message = format!(
                    "cannot drop index {name} because constraint {name} on table {relation} requires it"
                );
                return Err(Failure::sql("2BP01", message));
            }
            self.remember(&table);
            let mut left = copy(&table);
            left.indexes.remove(index);
            self.server.heap(table.id).drop_index(index);
            self.put(left);
        }
        Ok(())
    }
}
