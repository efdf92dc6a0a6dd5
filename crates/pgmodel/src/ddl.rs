//! CREATE, ALTER, DROP and TRUNCATE. A definition changes at once for its own transaction, and for others when it
//! commits. A table is touched only while its lock is held.

use std::cell::RefCell;
use std::rc::Rc;

use retrial_pgmodel_sql::ast::{Statement, TableLockMode};
use retrial_pgmodel_sql::catalog::{ForeignKey, TableDef, TableId};
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::value::{Tuple, Value};

use crate::backend::Undo;
use crate::execution::Execution;
use crate::heap::{Heap, Image};
use crate::lock::{LockTag, SessionNo};
use crate::names::SessionNames;
use crate::outcome::{Notice, Outcome};
use crate::server::Server;

mod alter;
mod concurrent_index;
mod constraint;
mod create;
mod drop;
mod index;
mod name;
mod rename;
mod retype;
mod sequence;
mod using_index;
mod validate;

use validate::Demands;

/// A DDL statement being executed.
pub(crate) struct Define<'a> {
    pub(crate) server: &'a Rc<Server>,
    pub(crate) session: SessionNo,
    /// What existing rows must be checked against once the definition is final.
    demands: RefCell<Demands>,
}

/// The command tag of a DDL statement.
pub(crate) fn tag(statement: &Statement) -> &'static str {
    match statement {
        Statement::CreateTable(_) => "CREATE TABLE",
        Statement::CreateTableAs { .. } => "CREATE TABLE AS",
        Statement::DropTable { .. } => "DROP TABLE",
        Statement::AlterTable { .. } => "ALTER TABLE",
        Statement::CreateIndex(_) => "CREATE INDEX",
        Statement::DropIndex { .. } => "DROP INDEX",
        Statement::CreateSequence { .. } => "CREATE SEQUENCE",
        Statement::DropSequence { .. } => "DROP SEQUENCE",
        Statement::Truncate { .. } => "TRUNCATE TABLE",
        Statement::CreateFunction(_) => "CREATE FUNCTION",
        Statement::DropFunction { .. } => "DROP FUNCTION",
        Statement::CreateTrigger(_) => "CREATE TRIGGER",
        Statement::DropTrigger { .. } => "DROP TRIGGER",
        _ => "",
    }
}

/// Executes a DDL statement. `several` means that it is one of several in a query string.
pub(crate) async fn define(
    server: &Rc<Server>,
    session: SessionNo,
    statement: &Statement,
    several: bool,
) -> Result<Outcome> {
    let define = Define { server, session, demands: RefCell::default() };
    server.xid(session);
    match statement {
        Statement::CreateTable(table) => define.create_table(table).await?,
        Statement::CreateTableAs { .. } => {
            return Err(Failure::not_modelled("CREATE TABLE AS; create the table, then INSERT … SELECT"));
        }
        Statement::DropTable { names, if_exists, cascade } => {
            define.drop_tables(names, *if_exists, *cascade).await?;
        }
        Statement::AlterTable { table, if_exists, actions } => {
            define.alter(table, *if_exists, actions).await?;
        }
        Statement::CreateIndex(index) => define.create_index(index, several).await?,
        Statement::DropIndex { names, if_exists, concurrently } => {
            if *concurrently {
                demand_no_block(server, session, several, "DROP INDEX CONCURRENTLY")?;
                if names.len() > 1 {
                    let message = "DROP INDEX CONCURRENTLY does not support dropping multiple objects";
                    return Err(Failure::sql("0A000", message));
                }
            }
            define.drop_indexes(names, *if_exists, *concurrently).await?;
        }
        Statement::CreateSequence { name, if_not_exists, start, increment } => {
            define.create_sequence(name, *if_not_exists, *start, *increment)?;
        }
        Statement::DropSequence { names, if_exists } => define.drop_sequences(names, *if_exists).await?,
        Statement::Truncate { tables, restart_identity, cascade } => {
            define.truncate(tables, *restart_identity, *cascade).await?;
        }
        Statement::CreateFunction(create) => define.create_function(create).await?,
        Statement::DropFunction { functions, if_exists } => define.drop_functions(functions, *if_exists)?,
        Statement::CreateTrigger(create) => define.create_trigger(create).await?,
        Statement::DropTrigger { name, table, if_exists } => {
            define.drop_trigger(name, table, *if_exists).await?;
        }
        _ => return Err(Failure::not_modelled("this statement")),
    }
    Ok(Outcome::bare(tag(statement)))
}

/// 25001 for a command that runs its own transactions, if it is in a transaction block.
fn demand_no_block(server: &Server, session: SessionNo, several: bool, what: &str) -> Result<()> {
    if several || server.backend(session).xact().explicit {
        return Err(Failure::sql("25001", format!("{what} cannot run inside a transaction block")));
    }
    Ok(())
}

/// Looks up a table by name and locks it. After the wait the name may refer to another table.
pub(crate) async fn open_table(
    server: &Rc<Server>,
    session: SessionNo,
    name: &str,
    mode: TableLockMode,
    nowait: bool,
) -> Result<Rc<TableDef>> {
    let found = find_table(server, session, name, mode, nowait).await?;
    if found.is_none() {
        server.demand_no_relation(session, name)?;
    }
    found.ok_or_else(|| Failure::sql("42P01", format!("relation \"{name}\" does not exist")))
}

/// The same, but a missing table is not an error.
pub(crate) async fn find_table(
    server: &Rc<Server>,
    session: SessionNo,
    name: &str,
    mode: TableLockMode,
    nowait: bool,
) -> Result<Option<Rc<TableDef>>> {
    loop {
        let found = server.schema.borrow().find(name, session);
        let Some(table) = found else { return Ok(None) };
        if !server.lock_table(session, table.id, mode, nowait).await? {
            return Err(Failure::sql("55P03", format!("could not obtain lock on relation \"{name}\"")));
        }
        let again = server.schema.borrow().find(name, session);
        match again {
            Some(again) if again.id == table.id => return Ok(Some(again)),
            // The name now refers to another table, so the lock on the old one is released.
            _ => server.unlock(session, LockTag::Table(table.id), mode),
        }
    }
}

impl Define<'_> {
    /// The names visible to the session.
    pub(crate) fn names(&self) -> SessionNames {
        self.server.names(self.session)
    }

    pub(crate) fn notice(&self, text: String) {
        self.server.backend(self.session).notices.push(Notice { severity: "NOTICE", text });
    }

    pub(crate) fn undo(&self, undo: Undo) {
        self.server.backend(self.session).undo.push(undo);
    }

    /// Saves a table's rows for undo.
    fn remember(&self, table: &TableDef) {
        let heap = Box::new(self.server.heap(table.id).clone());
        self.undo(Undo::Rows(table.id, heap));
    }

    /// Locks the tables that dropped foreign keys refer to, because the triggers on them are dropped, too. The key that
    /// was created last comes first (RemoveTriggerById in src/backend/commands/trigger.c).
    async fn lock_referenced(&self, keys: &[Rc<ForeignKey>]) -> Result<()> {
        let mut keys: Vec<&Rc<ForeignKey>> = keys.iter().collect();
        keys.sort_by_key(|key| std::cmp::Reverse(key.made));
        for key in keys {
            self.server.lock_table(self.session, key.to, TableLockMode::AccessExclusive, false).await?;
        }
        Ok(())
    }

    /// An execution in this session that sees what is committed now and what the transaction itself has done.
    fn run(&self) -> Execution {
        let command = self.server.backend(self.session).xact().command;
        let snapshot = self.server.transactions.borrow().snapshot(command);
        Execution::new(self.server, self.session, [].into(), snapshot)
    }

    /// The rows that are visible now, with their versions.
    fn live(&self, table: &TableDef) -> Vec<(u32, Tuple)> {
        let run = self.run();
        let heap = self.server.heap(table.id);
        let visible = heap.visible(&self.server.transactions.borrow(), run.snapshot, self.session);
        visible.into_iter().map(|version| (version, heap.tuple(version).clone())).collect()
    }

    /// Fills an index of `table`; an error if a unique index has duplicates.
    fn build(&self, table: &Rc<TableDef>, index: usize) -> Result<()> {
        self.demand_unique_rows(table, index)?;
        let run = self.run();
        // The key depends on tuples alone; the heap must not be borrowed twice while keys are computed.
        let mut heap = self.server.heap(table.id).clone();
        let versions = u64::from(heap.len());
        run.visited(versions, versions);
        heap.add_index(|tuple| run.key(table, index, tuple))?;
        *self.server.heap(table.id) = heap;
        Ok(())
    }

    fn demand_unique_rows(&self, table: &TableDef, index: usize) -> Result<()> {
        if !table.indexes[index].unique {
            return Ok(());
        }
        let run = self.run();
        let mut seen = std::collections::BTreeSet::new();
        for (_, tuple) in self.live(table) {
            let Some(key) = run.key(table, index, &tuple)? else { continue };
            if !key.contains(&Value::Null) && !seen.insert(key) {
                let name = &table.indexes[index].name;
                return Err(Failure::sql("23505", format!("could not create unique index \"{name}\"")));
            }
        }
        Ok(())
    }

    /// Installs a changed definition, visible to this transaction until it commits.
    pub(crate) fn put(&self, table: TableDef) -> Rc<TableDef> {
        let table = Rc::new(table);
        self.change(table.id, Some(table.clone()));
        table
    }

    /// Changes or drops a definition, and records how to undo it.
    fn change(&self, id: TableId, def: Option<Rc<TableDef>>) {
        let before = self.server.schema.borrow_mut().change(id, def, self.session);
        self.undo(Undo::Definition(id, before));
    }

    /// Creates the heap of a new table.
    fn give_heap(&self, table: &TableDef) {
        let mut heaps = self.server.heaps.borrow_mut();
        let place = table.id.0 as usize;
        if heaps.len() <= place {
            heaps.resize_with(place + 1, || None);
        }
        let image = Image {
            rows: Vec::new(),
            indexes: vec![Default::default(); table.indexes.len()],
            counted: false,
        };
        heaps[place] = Some(Heap::new(Rc::new(image)));
    }
}

/// A copy of a definition, to be changed.
pub(crate) fn copy(table: &TableDef) -> TableDef {
    TableDef {
        id: table.id,
        name: table.name.clone(),
        columns: table.columns.clone(),
        indexes: table.indexes.clone(),
        checks: table.checks.clone(),
        foreign_keys: table.foreign_keys.clone(),
        layout: table.layout,
        triggers: table.triggers.clone(),
    }
}

/// The index of the table's constraint of that name.
pub(crate) fn find_key(table: &TableDef, name: &str) -> Option<usize> {
    table.indexes.iter().position(|index| index.constraint && index.name == name)
}

/// The foreign keys except the one of that name.
pub(crate) fn without(keys: &[Rc<ForeignKey>], name: &str) -> Vec<Rc<ForeignKey>> {
    keys.iter().filter(|key| key.name != name).cloned().collect()
}
