//! Foreign key checks, run at the end of a statement like the server's triggers: a new reference locks the referenced
//! row FOR KEY SHARE; a key that is removed must have no references left, or takes them along (manual, 5.4.5 and
//! 13.3.2). The checks see what is committed when they run, whatever the statement itself saw, except that a repeatable
//! read transaction finds a referenced row by its own snapshot.

use std::rc::Rc;

use retrial_pgmodel_sql::ast::{KeyAction, LockStrength, LockWait, TableLockMode};
use retrial_pgmodel_sql::catalog::{ForeignKey, IndexDef, Operation, TableDef, TableId, Trigger};
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::value::{Tuple, Value};

use crate::backend::Held;
use crate::execution::{Event, Execution, update_strength};
use crate::footprint::{Object, Use, key_digest};
use crate::insert::described;
use crate::lock::LockTag;
use crate::row_lock::{Claim, concurrent_delete, concurrent_update};
use crate::transaction::Snapshot;

impl Execution {
    /// Whether a written row needs foreign key checks. Most leave their keys unchanged.
    pub(crate) fn concerns_foreign_keys(&self, event: &Event) -> bool {
        event.table.foreign_keys.iter().any(|key| event.concerns_reference(key))
            || self
                .server
                .schema
                .borrow()
                .is_referenced(event.table.id, self.session, |key| event.concerns_referred(key))
    }

    /// Runs the foreign key checks of all written rows, including those written by the checks.
    pub(crate) async fn foreign_keys(&self) -> Result<()> {
        let mut at = 0;
        loop {
            let Some(event) = self.events.borrow().get(at).cloned() else { return Ok(()) };
            at += 1;
            if !event.fires.is_empty() {
                self.after(&event, true).await?;
            }
            // Triggers fire in the order of their names, and RI_ConstraintTrigger_a_… sorts before
            // RI_ConstraintTrigger_c_….
            let referring = self.server.schema.borrow().referring(event.table.id, self.session);
            for (table, key) in referring {
                self.referenced(&event, &table, &key).await?;
            }
            for key in &event.table.foreign_keys {
                self.reference(&event, key).await?;
            }
            if !event.fires.is_empty() {
                self.after(&event, false).await?;
            }
        }
    }

    /// An execution in the statement's own transaction that sees what is committed now. Each check is a command of its
    /// own (ri_PerformCheck increments the command counter), so it sees what earlier checks wrote.
    fn latest(&self) -> Execution {
        let command = self.next_command();
        let snapshot = self.server.transactions.borrow().snapshot(command);
        Execution::new(&self.server, self.session, self.params.clone(), snapshot)
    }

    fn next_command(&self) -> u32 {
        let mut backend = self.server.backend(self.session);
        let transaction = backend.xact();
        if std::mem::take(&mut transaction.command_used) {
            transaction.command += 1;
        }
        transaction.command
    }

    /// Checks a referencing row: the referenced row must exist, and is locked.
    async fn reference(&self, event: &Event, key: &ForeignKey) -> Result<()> {
        let Some(after) = event.after.as_ref().filter(|_| event.concerns_reference(key)) else {
            return Ok(());
        };
        let wanted = picked(after, &key.columns);
        let to = self.server.table(key.to, self.session);
        if wanted.contains(&Value::Null) {
            return self.look_in(&to).await;
        }
        self.server.lock_table(self.session, to.id, TableLockMode::RowShare, false).await?;
        let repeatable = self.is_repeatable();
        let look = if repeatable {
            let snapshot = Snapshot { command: self.next_command(), ..self.snapshot };
            Execution::new(&self.server, self.session, self.params.clone(), snapshot)
        } else {
            self.latest()
        };
        self.looks_through(&to, &key.referenced)?;
        look.mark_look(&to, &key.referenced, &wanted)?;
        for version in look.find(&to, &key.referenced, &wanted) {
            let (claim, newest) = self.share_key(&look, &to, version).await?;
            let tuple = self.server.heap(to.id).tuple(newest).clone();
            if claim == Claim::Free && picked(&tuple, &key.referenced) == wanted {
                return Ok(());
            }
        }
        let message = format!(
            "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
            event.table.name, key.name
        );
        let described = described(&event.table, &key.columns, &wanted);
        Err(Failure::detailed(
            "23503",
            message,
            format!("Key {described} is not present in table \"{}\".", to.name),
        ))
    }

    /// Locks a row that a check has found: the newest of its versions, or only this version if the transaction is
    /// repeatable read.
    async fn share_key(&self, look: &Execution, table: &TableDef, version: u32) -> Result<(Claim, u32)> {
        let (strength, wait) = (LockStrength::KeyShare, LockWait::Block);
        if !self.is_repeatable() {
            return look.lock_newest(table, version, strength, wait).await;
        }
        match look.lock_version(table, version, strength, wait).await? {
            Claim::Updated(_) | Claim::Deleted => Err(concurrent_update()),
            other => Ok((other, version)),
        }
    }

    /// Opens the referenced table for a row whose reference is NULL and releases the lock again: for an inserted row
    /// the server opens the table before it looks at the values (RI_FKey_check).
    async fn look_in(&self, to: &TableDef) -> Result<()> {
        let (tag, mode) = (LockTag::Table(to.id), TableLockMode::RowShare);
        let had = self.has_table(to.id, mode);
        self.server.lock_table(self.session, to.id, mode, false).await?;
        if !had {
            self.server.unlock(self.session, tag, mode);
        }
        Ok(())
    }

    /// Whether the session already holds a table's lock in that mode.
    fn has_table(&self, table: TableId, mode: TableLockMode) -> bool {
        let is_it = |held: &Held| held.tag == LockTag::Table(table) && held.mode == mode;
        self.server.backend(self.session).held.iter().any(is_it)
    }

    /// Checks a row that others may refer to and that was deleted or changed its key.
    async fn referenced(&self, event: &Event, from: &Rc<TableDef>, key: &Rc<ForeignKey>) -> Result<()> {
        let Some(before) = event.before.as_ref().filter(|_| event.concerns_referred(key)) else {
            return Ok(());
        };
        let old = picked(before, &key.referenced);
        let new = event.after.as_ref().map(|after| picked(after, &key.referenced));
        let action = if new.is_some() { key.on_update } else { key.on_delete };
        let mode = match action {
            KeyAction::NoAction | KeyAction::Restrict => TableLockMode::RowShare,
            _ => TableLockMode::RowExclusive,
        };
        let had = self.has_table(from.id, mode);
        self.server.lock_table(self.session, from.id, mode, false).await?;
        let look = self.latest();
        self.looks_through(from, &key.columns)?;
        // With NO ACTION another row may have taken over the key. The server looks for it after it has locked the
        // table, and releases the lock if it finds one (ri_restrict).
        if action == KeyAction::NoAction {
            look.mark_look(&event.table, &key.referenced, &old)?;
            if !look.find(&event.table, &key.referenced, &old).is_empty() {
                if !had {
                    self.server.unlock(self.session, LockTag::Table(from.id), mode);
                }
                return Ok(());
            }
        }
        // The table may have been renamed meanwhile.
        let from = &self.server.table(from.id, self.session);
        if !from.triggers.is_empty() {
            demand_no_triggers(from, action)?;
        }
        look.mark_look(from, &key.columns, &old)?;
        for version in look.find(from, &key.columns, &old) {
            match action {
                KeyAction::NoAction | KeyAction::Restrict => {
                    let (claim, newest) = self.share_key(&look, from, version).await?;
                    let tuple = self.server.heap(from.id).tuple(newest).clone();
                    if claim == Claim::Free && picked(&tuple, &key.columns) == old {
                        return Err(violated(&event.table, from, key, &old));
                    }
                }
                KeyAction::Cascade => self.follow(&look, from, key, version, &old, new.as_deref()).await?,
                KeyAction::SetNull => {
                    let nulls = vec![Value::Null; old.len()];
                    self.follow(&look, from, key, version, &old, Some(&nulls)).await?;
                }
                KeyAction::SetDefault => return Err(Failure::not_modelled("ON DELETE SET DEFAULT")),
            }
        }
        Ok(())
    }

    /// Deletes a referencing row, or changes its key.
    async fn follow(
        &self,
        look: &Execution,
        from: &Rc<TableDef>,
        key: &ForeignKey,
        version: u32,
        old: &[Value],
        new: Option<&[Value]>,
    ) -> Result<()> {
        let mut version = version;
        loop {
            let before = self.server.heap(from.id).tuple(version).clone();
            if picked(&before, &key.columns) != old {
                return Ok(());
            }
            let after: Option<Tuple> = new.map(|new| {
                let mut after = before.to_vec();
                for (column, value) in key.columns.iter().zip(new) {
                    after[*column] = value.clone();
                }
                after.into()
            });
            let strength = match &after {
                Some(after) => update_strength(from, &before, after),
                None => LockStrength::Update,
            };
            match look.claim(from, version, strength, LockWait::Block).await? {
                // A row that only the current snapshot sees must not be changed by this transaction (the crosscheck
                // snapshot of ri_PerformCheck).
                Claim::Free if self.is_repeatable() && !self.sees_own(look, from, version) => {
                    return Err(concurrent_update());
                }
                Claim::Free => {
                    let operation = if after.is_some() { Operation::Update } else { Operation::Delete };
                    match after {
                        Some(after) => {
                            look.check_row(from, &after)?;
                            look.replace(from, version, strength, before, after).await?;
                        }
                        None => look.remove(from, version, before)?,
                    }
                    if !from.triggers.is_empty() {
                        look.queue_row(from, operation, &key.columns)?;
                    }
                    self.events.borrow_mut().append(&mut look.events.borrow_mut());
                    return Ok(());
                }
                Claim::Updated(_) if self.is_repeatable() => return Err(concurrent_update()),
                Claim::Deleted if self.is_repeatable() => return Err(concurrent_delete()),
                Claim::Updated(next) => {
                    let (claim, newest) = look.lock_newest(from, next, strength, LockWait::Block).await?;
                    if claim != Claim::Free {
                        return Ok(());
                    }
                    version = newest;
                }
                _ => return Ok(()),
            }
        }
    }

    /// Whether the version is visible to the transaction's snapshot, or was written by the transaction itself.
    fn sees_own(&self, look: &Execution, table: &TableDef, version: u32) -> bool {
        let snapshot = Snapshot { command: look.snapshot.command, ..self.snapshot };
        let heap = self.server.heap(table.id);
        heap.sees(version, &self.server.transactions.borrow(), snapshot, self.session)
    }

    /// Counts the versions that a check without an index reads.
    fn looks_through(&self, table: &TableDef, columns: &[usize]) -> Result<()> {
        const CHEAP: u32 = 8;
        let whole = |index: &Rc<IndexDef>| index.valid && index.filter.is_none() && index.is_over(columns);
        if table.indexes.iter().any(whole) {
            return Ok(());
        }
        self.used.step(u64::from(self.server.heap(table.id).len() / CHEAP))
    }

    /// The visible versions whose columns have these values, found by an index if there is one. Without an index every
    /// check reads all versions.
    fn find(&self, table: &TableDef, columns: &[usize], values: &[Value]) -> Vec<u32> {
        let whole = |index: &Rc<IndexDef>| index.valid && index.filter.is_none() && index.is_over(columns);
        let index = table.indexes.iter().position(whole);
        // Finding none is a read, too.
        let looked_at = |index| Object::Key(table.id, key_digest(index, values));
        self.touch(index.map_or(Object::Table(table.id), looked_at), Use::Read);
        let heap = self.server.heap(table.id);
        let transactions = self.server.transactions.borrow();
        let candidates: Vec<u32> = match index {
            Some(index) => heap.under(index, values).collect(),
            None => (0..heap.len()).collect(),
        };
        let visible = candidates.into_iter().filter(|version| {
            let tuple = heap.tuple(*version);
            columns.iter().zip(values).all(|(column, value)| tuple[*column] == *value)
                && heap.sees(*version, &transactions, self.snapshot, self.session)
        });
        visible.collect()
    }
}

impl Event {
    /// Whether the row's reference must be checked. An update that leaves it unchanged needs a check only if it
    /// replaced the transaction's own version (RI_FKey_fk_upd_check_required); an update to NULL never does.
    fn concerns_reference(&self, key: &ForeignKey) -> bool {
        let Some(after) = &self.after else { return false };
        let Some(before) = &self.before else { return true };
        let is_null = key.columns.iter().any(|column| after[*column] == Value::Null);
        !is_null && (self.over_own || key.columns.iter().any(|column| before[*column] != after[*column]))
    }

    /// Whether a key that others may refer to was removed or changed.
    fn concerns_referred(&self, key: &ForeignKey) -> bool {
        let Some(before) = &self.before else { return false };
        let moved = |after: &Tuple| key.referenced.iter().any(|column| before[*column] != after[*column]);
        let is_null = key.referenced.iter().any(|column| before[*column] == Value::Null);
        !is_null && self.after.as_ref().is_none_or(moved)
    }
}

/// Refuses triggers that a cascade would call, some of them once for all its rows.
fn demand_no_triggers(table: &TableDef, action: KeyAction) -> Result<()> {
    let operations = match action {
        KeyAction::NoAction | KeyAction::Restrict => return Ok(()),
        KeyAction::Cascade | KeyAction::SetNull | KeyAction::SetDefault => {
            [Operation::Update, Operation::Delete]
        }
    };
    let is_called = |trigger: &Rc<Trigger>| {
        (trigger.before || !trigger.row) && operations.iter().any(|it| trigger.events[*it as usize])
    };
    if table.triggers.iter().any(is_called) {
        let what = "a foreign key's action on a table with BEFORE or statement triggers";
        return Err(Failure::not_modelled(what));
    }
    Ok(())
}

fn picked(tuple: &Tuple, columns: &[usize]) -> Vec<Value> {
    columns.iter().map(|column| tuple[*column].clone()).collect()
}

fn violated(table: &TableDef, from: &TableDef, key: &ForeignKey, old: &[Value]) -> Failure {
    let message = format!(
        "update or delete on table \"{}\" violates foreign key constraint \"{}\" on table \"{}\"",
        table.name, key.name, from.name
    );
    let described = described(table, &key.referenced, old);
    Failure::detailed(
        "23503",
        message,
        format!("Key {described} is still referenced from table \"{}\".", from.name),
    )
}
