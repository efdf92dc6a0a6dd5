//! CREATE, ALTER, DROP and TRUNCATE: definitions change under their table locks, at once and for good only when the
//! transaction commits. They must never touch a table whose lock they do not hold.

use std::rc::Rc;

use crate::ast::{Statement, TableLockMode};
use crate::backend::Undo;
use crate::catalog::{ForeignKey, IndexDef, TableDef};
use crate::error::{Failure, Result};
use crate::heap::{Heap, Image};
use crate::lock::SessionNo;
use crate::outcome::{Notice, Outcome};
use crate::run::Run;
use crate::server::{Server, SessionNames};
use crate::value::{Tuple, Value};

mod alter;
mod constraint;
mod create;
mod drop;
mod index;

/// One definition being changed.
pub(crate) struct Define<'a> {
    pub(crate) server: &'a Rc<Server>,
    pub(crate) session: SessionNo,
}

/// The command tag of a definition.
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

/// Changes a definition. `several` says that the statement is one of several in a text.
pub(crate) async fn define(
    server: &Rc<Server>,
    session: SessionNo,
    statement: &Statement,
    several: bool,
) -> Result<Outcome> {
    let define = Define { server, session };
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
                return Err(Failure::not_modelled("DROP INDEX CONCURRENTLY"));
            }
            define.drop_indexes(names, *if_exists).await?;
        }
        Statement::CreateSequence { name, if_not_exists, start, increment } => {
            define.create_sequence(name, *if_not_exists, *start, *increment)?;
        }
        Statement::DropSequence { names, if_exists } => define.drop_sequences(names, *if_exists)?,
        Statement::Truncate { tables, restart_identity, cascade } => {
            define.truncate(tables, *restart_identity, *cascade).await?;
        }
        Statement::CreateFunction(create) => define.create_function(create)?,
        Statement::DropFunction { functions, if_exists } => define.drop_functions(functions, *if_exists)?,
        Statement::CreateTrigger(create) => define.create_trigger(create).await?,
        Statement::DropTrigger { name, table, if_exists } => {
            define.drop_trigger(name, table, *if_exists).await?;
        }
        _ => return Err(Failure::not_modelled("this statement")),
    }
    Ok(Outcome::bare(tag(statement)))
}

/// Locks a table by its name, which may mean another one after the wait.
pub(crate) async fn open_table(
    server: &Rc<Server>,
    session: SessionNo,
    name: &str,
    mode: TableLockMode,
    nowait: bool,
) -> Result<Rc<TableDef>> {
    loop {
        let found = server.schema.borrow().find(name, session);
        let Some(table) = found else { return Err(missing(name)) };
        if !server.lock_table(session, table.id, mode, nowait).await? {
            return Err(Failure::sql("55P03", format!("could not obtain lock on relation \"{name}\"")));
        }
        let again = server.schema.borrow().find(name, session);
        match again {
            Some(again) if again.id == table.id => return Ok(again),
            Some(_) => {}
            None => return Err(missing(name)),
        }
    }
}

fn missing(name: &str) -> Failure {
    Failure::sql("42P01", format!("relation \"{name}\" does not exist"))
}

impl Define<'_> {
    /// The names that the session knows.
    pub(crate) fn names(&self) -> SessionNames {
        self.server.names(self.session)
    }

    pub(crate) fn notice(&self, text: String) {
        self.server.backend(self.session).notices.push(Notice { severity: "NOTICE", text });
    }

    pub(crate) fn undo(&self, undo: Undo) {
        self.server.backend(self.session).undo.push(undo);
    }

    /// Remembers a table, rows and all, before it changes.
    fn remember(&self, table: &Rc<TableDef>) {
        let heap = Box::new(self.server.heap(table.id).clone());
        self.undo(Undo::Table(table.clone(), heap));
    }

    /// A statement of this session that sees what is committed and what the transaction itself has done.
    fn run(&self) -> Run {
        let command = self.server.backend(self.session).xact().command;
        let snapshot = self.server.transactions.borrow().snapshot(command);
        Run::new(self.server, self.session, [].into(), snapshot)
    }

    /// The rows that are live now, with their versions.
    fn live(&self, table: &TableDef) -> Vec<(u32, Tuple)> {
        let run = self.run();
        let heap = self.server.heap(table.id);
        let visible = heap.visible(&self.server.transactions.borrow(), run.snapshot, self.session);
        visible.into_iter().map(|version| (version, heap.tuple(version).clone())).collect()
    }

    /// Gives an index of `table` its entries, and demands that a unique one is unique.
    fn build(&self, table: &Rc<TableDef>, index: usize) -> Result<()> {
        self.demand_unique_rows(table, index)?;
        let run = self.run();
        // The key is made of tuples alone; the heap must not be borrowed twice while it is made.
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

    /// Puts a changed definition in place.
    pub(crate) fn put(&self, table: TableDef) -> Rc<TableDef> {
        let table = Rc::new(table);
        self.server.schema.borrow_mut().replace(table.clone());
        table
    }

    /// Makes room for a new table's rows.
    fn give_heap(&self, table: &TableDef) {
        let mut heaps = self.server.heaps.borrow_mut();
        let place = table.id.0 as usize;
        if heaps.len() <= place {
            heaps.resize_with(place + 1, || None);
        }
        let image = Image { rows: Vec::new(), indexes: vec![Default::default(); table.indexes.len()] };
        heaps[place] = Some(Heap::new(Rc::new(image)));
    }

    /// Whether any relation has that name, as the session sees it.
    fn is_taken(&self, name: &str) -> bool {
        let schema = self.server.schema.borrow();
        let is_there =
            |table: &TableDef| table.name == name || table.indexes.iter().any(|index| index.name == name);
        schema.visible(self.session).any(|table| is_there(table))
            || self.server.sequences.borrow().contains_key(name)
    }

    /// The name, or with the first number behind it that makes it free.
    fn free_name(&self, name: String, also_taken: &[Rc<IndexDef>]) -> String {
        let (schema, sequences) = (self.server.schema.borrow(), self.server.sequences.borrow());
        let of_table = |table: &'_ Rc<TableDef>| {
            let indexes = table.indexes.iter().map(|index| index.name.clone());
            indexes.chain([table.name.clone()]).filter(|taken| taken.starts_with(&name)).collect::<Vec<_>>()
        };
        let tables: Vec<String> = schema.visible(self.session).flat_map(of_table).collect();
        let taken = tables.iter().chain(sequences.keys()).map(String::as_str);
        free_among(name.clone(), taken.chain(also_taken.iter().map(|index| index.name.as_str())))
    }

    fn demand_free(&self, name: &str) -> Result<()> {
        if self.server.schema.borrow().is_being_made(name, self.session) {
            return Err(Failure::not_modelled(format!("two transactions that create {name} at once")));
        }
        if self.is_taken(name) {
            return Err(Failure::sql("42P07", format!("relation \"{name}\" already exists")));
        }
        Ok(())
    }
}

/// The name, or with the least number behind it that makes it free.
fn free_among<'n>(name: String, taken: impl Iterator<Item = &'n str>) -> String {
    let (mut is_taken, mut numbers) = (false, Vec::new());
    for rest in taken.filter_map(|taken| taken.strip_prefix(&name)) {
        is_taken |= rest.is_empty();
        numbers.extend(rest.parse::<usize>().ok().filter(|_| !rest.starts_with(['0', '+'])));
    }
    if !is_taken {
        return name;
    }
    // Of so many numbers and one more, one is free.
    let mut used = vec![false; numbers.len() + 2];
    for number in numbers {
        if let Some(used) = used.get_mut(number) {
            *used = true;
        }
    }
    let free = used.iter().skip(1).position(|used| !used).map_or(1, |place| place + 1);
    format!("{name}{free}")
}

/// A definition to be changed.
pub(crate) fn copy(table: &TableDef) -> TableDef {
    TableDef {
        id: table.id,
        name: table.name.clone(),
        columns: table.columns.clone(),
        indexes: table.indexes.clone(),
        checks: table.checks.clone(),
        foreign_keys: table.foreign_keys.clone(),
        triggers: table.triggers.clone(),
    }
}

/// The foreign keys that another change leaves.
pub(crate) fn without(keys: &[Rc<ForeignKey>], name: &str) -> Vec<Rc<ForeignKey>> {
    keys.iter().filter(|key| key.name != name).cloned().collect()
}
