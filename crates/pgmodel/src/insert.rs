//! INSERT, with ON CONFLICT. A row whose key was written by another uncommitted transaction waits for that transaction,
//! so that two live rows never have the same unique key.

use std::cell::RefCell;
use std::rc::Rc;

use retrial_pgmodel_sql::ast::LockWait;
use retrial_pgmodel_sql::catalog::{Operation, TableDef};
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::plan::{ConflictUpdate, Core, Insert, OnConflict};
use retrial_pgmodel_sql::value::{Tuple, Value};

use crate::execution::{Ctes, Env, Event, Execution, Slotted, update_strength};
use crate::footprint::{Object, Use};
use crate::heap::Header;
use crate::row_lock::{Claim, concurrent_delete, concurrent_update};
use crate::transaction::Status;
use crate::trigger;

impl Execution {
    pub(crate) async fn insert(&self, insert: &Insert, level: &Env<'_>) -> Result<Vec<Tuple>> {
        let Insert { table, source, on_conflict, .. } = insert;
        let updates = on_conflict.as_ref().and_then(|it| it.update.as_ref());
        if !table.triggers.is_empty() {
            Box::pin(self.before_insert(table, updates, level)).await?;
        }
        let (mut returned, mut affected) = (Vec::new(), 0);
        if let (Core::Values(rows), true) = (&source.core, source.is_bare()) {
            // Each row is computed only after the previous one was written, and so are the function calls in it.
            let ctes = Ctes { query: source, results: RefCell::default() };
            for values in rows {
                self.used.hold(values.len())?;
                let given = self.output(values, &Env::level(Some(level), Some(&ctes), &[])).await?.into();
                affected += u64::from(self.insert_row(insert, given, level, &mut returned).await?);
            }
        } else {
            for given in self.query(source, Some(level)).await? {
                affected += u64::from(self.insert_row(insert, given, level, &mut returned).await?);
            }
        }
        if !table.triggers.is_empty() {
            self.after_insert(table, updates)?;
        }
        self.affected.set(affected);
        Ok(returned)
    }

    /// Inserts one row of the source; returns whether a row was inserted or updated.
    async fn insert_row(
        &self,
        insert: &Insert,
        given: Tuple,
        level: &Env<'_>,
        returned: &mut Vec<Tuple>,
    ) -> Result<bool> {
        let Insert { table, row, on_conflict, returning, .. } = insert;
        let mut new: Tuple = {
            let cells = [Slotted::row(given)];
            self.output(row, &level.with(&cells)).await?.into()
        };
        if table.has_before_row(Operation::Insert) {
            let fired = self.before_row(table, Operation::Insert, &[], None, Some(new));
            let Some(fired) = Box::pin(fired).await? else { return Ok(false) };
            new = fired;
        }
        self.check_row(table, &new)?;
        let stored = match on_conflict {
            None => Some(self.add(table, new).await?),
            Some(on_conflict) => self.add_or(table, new, on_conflict, level).await?,
        };
        let Some(stored) = stored else { return Ok(false) };
        if !returning.is_empty() {
            let cells = [Slotted::row(stored)];
            returned.push(self.output(returning, &level.with(&cells)).await?.into());
        }
        Ok(true)
    }

    /// Inserts a row.
    async fn add(&self, table: &Rc<TableDef>, tuple: Tuple) -> Result<Tuple> {
        let keys = self.keys(table, &tuple)?;
        self.touch_keys(table.id, &keys, Use::Write);
        let version = self.store(table, &tuple)?;
        for (index, key) in keys.into_iter().enumerate() {
            let Some(key) = key else { continue };
            self.demand_unique(table, index, &key, version).await?;
            self.server.heap(table.id).enter(index, key, version);
        }
        self.inserted(table, &tuple)?;
        Ok(tuple)
    }

    fn store(&self, table: &TableDef, tuple: &Tuple) -> Result<u32> {
        self.visited(1, 0);
        if self.serializable {
            self.meet_row(table)?;
        }
        self.touch(Object::Tail(table.id), Use::Write);
        let (xid, command) = self.writing();
        let mut heap = self.server.heap(table.id);
        let row = heap.len();
        let before = heap.weight();
        heap.add(tuple.clone(), Header::new(xid, command, row));
        let added = heap.weight() - before;
        drop(heap);
        self.server.demand_room(row, added)?;
        Ok(row)
    }

    fn inserted(&self, table: &Rc<TableDef>, tuple: &Tuple) -> Result<()> {
        self.account(table, None, Some(tuple.clone()));
        let after = Some(tuple.clone());
        self.wrote(Event::new(table, None, after));
        if table.triggers.is_empty() { Ok(()) } else { self.queue_row(table, Operation::Insert, &[]) }
    }

    /// Inserts a row unless an arbiter index already contains its key; otherwise does what ON CONFLICT says.
    async fn add_or(
        &self,
        table: &Rc<TableDef>,
        tuple: Tuple,
        on_conflict: &OnConflict,
        level: &Env<'_>,
    ) -> Result<Option<Tuple>> {
        let keys = self.keys(table, &tuple)?;
        self.touch_keys(table.id, &keys, Use::Write);
        let is_arbiter = |index: &usize| match &on_conflict.arbiters {
            Some(arbiters) => arbiters.contains(index),
            None => table.indexes[*index].unique,
        };
        'again: loop {
            for index in (0..keys.len()).filter(is_arbiter) {
                let Some(key) = &keys[index] else { continue };
                let Some(there) = self.duplicate(table, index, key, None).await? else { continue };
                if self.is_repeatable() && !self.sees(table, there) {
                    return Err(concurrent_update());
                }
                let Some(update) = &on_conflict.update else { return Ok(None) };
                match self.update_conflicting(table, there, &tuple, update, level).await? {
                    Some(done) => return Ok(done),
                    // The row was changed or deleted before it could be locked.
                    None => continue 'again,
                }
            }
            let version = self.store(table, &tuple)?;
            for (index, key) in keys.iter().enumerate() {
                let Some(key) = key else { continue };
                if !is_arbiter(&index) {
                    self.demand_unique(table, index, key, version).await?;
                } else if self.serializable {
                    self.meet_entry(table, index, key, false)?;
                }
                self.server.heap(table.id).enter(index, key.clone(), version);
            }
            self.inserted(table, &tuple)?;
            return Ok(Some(tuple));
        }
    }

    /// DO UPDATE of the existing row. Returns the updated row, `Some(None)` if its WHERE rejects the row, or `None` if
    /// the row disappeared in the meantime.
    async fn update_conflicting(
        &self,
        table: &Rc<TableDef>,
        there: u32,
        excluded: &Tuple,
        update: &ConflictUpdate,
        level: &Env<'_>,
    ) -> Result<Option<Option<Tuple>>> {
        let set: Vec<usize> = update.set.iter().map(|(column, _)| *column).collect();
        let lock = trigger::strength(table, &set);
        match self.lock_version(table, there, lock, LockWait::Block).await? {
            Claim::Free => {}
            Claim::Invisible | Claim::SelfModified => return Err(second_time()),
            Claim::Deleted if self.is_repeatable() => return Err(concurrent_delete()),
            _ if self.is_repeatable() => return Err(concurrent_update()),
            _ => return Ok(None),
        }
        let before = self.server.heap(table.id).tuple(there).clone();
        let cells =
            [Slotted { tuple: Some(before.clone()), version: Some(there) }, Slotted::row(excluded.clone())];
        let env = level.with(&cells);
        if let Some(filter) = &update.filter
            && !self.holds(filter, &env).await?
        {
            return Ok(Some(None));
        }
        let mut after = self.assigned(&before, &update.set, &env).await?;
        if table.has_before_row(Operation::Update) {
            let fired = self.before_row(table, Operation::Update, &set, Some(&before), Some(after));
            let Some(fired) = Box::pin(fired).await? else { return Ok(Some(None)) };
            after = fired;
        }
        self.check_row(table, &after)?;
        let strength = update_strength(table, &before, &after);
        match self.claim(table, there, strength, LockWait::Block).await? {
            Claim::Free => {}
            Claim::SelfModified if !table.triggers.is_empty() => {
                self.gone(table, there, Claim::SelfModified, "updated")?;
                return Err(second_time());
            }
            Claim::Invisible | Claim::SelfModified => return Err(second_time()),
            _ => return Ok(None),
        }
        self.replace(table, there, strength, before, after.clone()).await?;
        if !table.triggers.is_empty() {
            self.queue_row(table, Operation::Update, &set)?;
        }
        Ok(Some(Some(after)))
    }

    fn sees(&self, table: &TableDef, version: u32) -> bool {
        let own = |header: &Header| self.server.transactions.borrow().is_own(header.xmin, self.session);
        let heap = self.server.heap(table.id);
        heap.header(version).is_some_and(own)
            || heap.sees(version, &self.server.transactions.borrow(), self.snapshot, self.session)
    }

    /// Checks NOT NULL and CHECK constraints.
    pub(crate) fn check_row(&self, table: &TableDef, tuple: &Tuple) -> Result<()> {
        for (column, value) in table.columns.iter().zip(tuple.iter()) {
            if column.not_null && !column.dropped && *value == Value::Null {
                let (column, name) = (&column.name, &table.name);
                return Err(Failure::sql(
                    "23502",
                    format!(
                        "null value in column \"{column}\" of relation \"{name}\" violates not-null constraint"
                    ),
                ));
            }
        }
        if table.checks.is_empty() {
            return Ok(());
        }
        let cells = [Slotted::row(tuple.clone())];
        for check in &table.checks {
            if self.now(&check.condition, &Env::level(None, None, &cells))? == Value::Bool(false) {
                let (check, name) = (&check.name, &table.name);
                return Err(Failure::sql(
                    "23514",
                    format!("new row for relation \"{name}\" violates check constraint \"{check}\""),
                ));
            }
        }
        Ok(())
    }

    /// Fails with 23505 if a unique index already has the key in a version other than `own`.
    pub(crate) async fn demand_unique(
        &self,
        table: &TableDef,
        index: usize,
        key: &[Value],
        own: u32,
    ) -> Result<()> {
        let def = &table.indexes[index];
        let there = if def.unique { self.duplicate(table, index, key, Some(own)).await? } else { None };
        if self.serializable {
            self.meet_entry(table, index, key, false)?;
        }
        if there.is_none() {
            return Ok(());
        }
        let constraint = &def.name;
        let message = format!("duplicate key value violates unique constraint \"{constraint}\"");
        let Some(columns) = def.columns() else { return Err(Failure::sql("23505", message)) };
        let detail = format!("Key {} already exists.", described(table, &columns, key));
        Err(Failure::detailed("23505", message, detail))
    }

    /// A live version with that key. Waits for transactions that are about to add or remove one.
    async fn duplicate(
        &self,
        table: &TableDef,
        index: usize,
        key: &[Value],
        own: Option<u32>,
    ) -> Result<Option<u32>> {
        if key.contains(&Value::Null) {
            return Ok(None);
        }
        loop {
            let Some((version, pending)) = self.first_live(table, index, key, own) else { return Ok(None) };
            match pending {
                Some(xid) => self.server.await_transaction(self.session, xid).await?,
                None => return Ok(Some(version)),
            }
        }
    }

    /// The first version under a key that is or may become live, with the running transaction that decides about it.
    fn first_live(
        &self,
        table: &TableDef,
        index: usize,
        key: &[Value],
        own: Option<u32>,
    ) -> Option<(u32, Option<crate::transaction::Xid>)> {
        let heap = self.server.heap(table.id);
        let transactions = self.server.transactions.borrow();
        let other = |xid| transactions.is_running(xid) && !transactions.is_own(xid, self.session);
        for version in heap.under(index, key).filter(|version| Some(*version) != own) {
            let Some(header) = heap.header(version) else { return Some((version, None)) };
            if transactions.status(header.xmin) == Status::Aborted {
                continue;
            }
            if other(header.xmin) {
                return Some((version, Some(header.xmin)));
            }
            match header.xmax {
                Some(xmax) if other(xmax) => return Some((version, Some(xmax))),
                Some(xmax) if transactions.status(xmax) != Status::Aborted => {}
                _ => return Some((version, None)),
            }
        }
        None
    }
}

fn second_time() -> Failure {
    Failure::sql("21000", "ON CONFLICT DO UPDATE command cannot affect row a second time")
}

/// `(a, b)=(1, 2)`, the format of the server's error details.
pub(crate) fn described(table: &TableDef, columns: &[usize], key: &[Value]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| &*table.columns[*column].name).collect();
    let text = |(column, value): (&usize, &Value)| value.output(&table.columns[*column].ty);
    let values: Vec<String> = columns.iter().zip(key).map(text).collect();
    format!("({})=({})", names.join(", "), values.join(", "))
}
