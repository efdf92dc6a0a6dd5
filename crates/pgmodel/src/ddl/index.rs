//! CREATE INDEX and DROP INDEX.

use std::rc::Rc;

use retrial_pgmodel_sql::ast::{CreateIndex, TableLockMode};
use retrial_pgmodel_sql::bind;
use retrial_pgmodel_sql::catalog::{IndexDef, TableDef};
use retrial_pgmodel_sql::error::{Failure, Result};

use super::{Define, copy, name};
use crate::backend::Undo;

impl Define<'_> {
    pub(super) async fn create_index(&self, create: &CreateIndex, several: bool) -> Result<()> {
        if create.concurrently {
            super::demand_no_block(self.server, self.session, several, "CREATE INDEX CONCURRENTLY")?;
        }
        let mode =
            if create.concurrently { TableLockMode::ShareUpdateExclusive } else { TableLockMode::Share };
        let table = super::open_table(self.server, self.session, &create.table, mode, false).await?;
        let index = self.index(&table, create)?;
        if create.if_not_exists && self.is_taken(&index.name) {
            self.notice(format!("relation \"{}\" already exists, skipping", index.name));
            return Ok(());
        }
        self.demand_free(&index.name)?;
        let mut table = table;
        if create.fillfactor.is_some() {
            let mut sparse = copy(&table);
            sparse.layout.sparse_indexes = true;
            table = Rc::new(sparse);
        }
        if create.concurrently {
            return self.build_concurrently(&table, index).await;
        }
        if self.server.schema.borrow().is_being_changed(table.id, self.session) {
            let name = &table.name;
            return Err(Failure::not_modelled(format!(
                "two transactions that create indexes of {name} at once"
            )));
        }
        let mut table = copy(&table);
        table.indexes.push(Rc::new(index));
        let table = Rc::new(table);
        // A failed build leaves no index, so the undo entry is added only after it has succeeded.
        self.build(&table, table.indexes.len() - 1)?;
        self.undo(Undo::CreatedIndex(table.id));
        self.put(copy(&table));
        Ok(())
    }

    fn index(&self, table: &TableDef, create: &CreateIndex) -> Result<IndexDef> {
        let mut keys = Vec::new();
        for key in &create.keys {
            keys.push(bind::row_expr(
                &self.server.names(self.session),
                &key.expr,
                table,
                bind::Stored::Key,
                None,
            )?);
        }
        let filter = create.filter.as_ref().map(|filter| {
            bind::row_expr(
                &self.server.names(self.session),
                filter,
                table,
                bind::Stored::Predicate,
                Some(&retrial_pgmodel_sql::value::Type::Bool),
            )
        });
        let place = |name: &String| {
            let missing = || Failure::sql("42703", format!("column \"{name}\" does not exist"));
            table.column(name).ok_or_else(missing)
        };
        let included = create.included.iter().map(place).collect::<Result<Vec<usize>>>()?;
        let name = match &create.name {
            Some(name) => name.clone(),
            None => {
                let own =
                    create.keys.iter().zip(&keys).map(|(key, bound)| bind::index_column(&key.expr, bound));
                let parts = name::distinct(own.chain(create.included.iter().cloned()).collect());
                let part = name::joined(parts.iter().map(String::as_str));
                self.relation_name(table, Some(&part), "idx", false)
            }
        };
        let (unique, filter) = (create.unique, filter.transpose()?);
        let (primary, constraint, ready, valid) = (false, false, true, true);
        Ok(IndexDef { name, keys, included, unique, primary, constraint, filter, ready, valid })
    }

    pub(super) async fn drop_indexes(
        &self,
        names: &[String],
        if_exists: bool,
        concurrently: bool,
    ) -> Result<()> {
        for name in names {
            let mode = if concurrently {
                TableLockMode::ShareUpdateExclusive
            } else {
                TableLockMode::AccessExclusive
            };
            let Some((table, index)) = self.find_index(name, mode).await? else {
                if self.is_taken(name) {
                    return Err(name::wrong_kind(name, "an index"));
                }
                if !if_exists {
                    return Err(Failure::sql("42704", format!("index \"{name}\" does not exist")));
                }
                self.notice(format!("index \"{name}\" does not exist, skipping"));
                continue;
            };
            if table.indexes[index].constraint {
                let relation = &table.name;
                let message = format!(
                    "cannot drop index {name} because constraint {name} on table {relation} requires it"
                );
                return Err(Failure::sql("2BP01", message));
            }
            if concurrently {
                return self.drop_concurrently(&table, index).await;
            }
            self.remember(&table);
            let mut left = copy(&table);
            left.indexes.remove(index);
            self.server.widen_marks(self.session, table.id, Some(name));
            self.server.heap(table.id).drop_index(index);
            self.put(left);
        }
        Ok(())
    }

    /// The index of that name, with its table locked.
    async fn find_index(&self, name: &str, mode: TableLockMode) -> Result<Option<(Rc<TableDef>, usize)>> {
        let place = |table: &Rc<TableDef>| table.indexes.iter().position(|index| index.name == name);
        loop {
            let owner =
                self.server.schema.borrow().visible(self.session).find(|it| place(it).is_some()).cloned();
            let Some(owner) = owner else { return Ok(None) };
            self.server.lock_table(self.session, owner.id, mode, false).await?;
            let schema = self.server.schema.borrow();
            let again = schema.visible(self.session).find(|table| table.id == owner.id);
            if let Some((table, index)) = again.and_then(|table| Some((table.clone(), place(table)?))) {
                return Ok(Some((table, index)));
            }
        }
    }
}
