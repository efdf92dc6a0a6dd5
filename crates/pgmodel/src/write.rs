//! UPDATE and DELETE. Each row is claimed in turn, rechecked if another transaction has changed it in the meantime, and
//! written. Only the newest version of a row is ever replaced.

use std::rc::Rc;

use retrial_pgmodel_sql::access;
use retrial_pgmodel_sql::ast::{LockStrength, LockWait};
use retrial_pgmodel_sql::catalog::{Operation, TableDef};
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::plan::{Delete, Expr, Join, Path, Query, Select, Slot, Update};
use retrial_pgmodel_sql::value::{Tuple, Value};

use crate::execution::{Env, Event, Execution, Slotted, update_strength};
use crate::footprint::{Object, Use};
use crate::heap::Header;
use crate::row_lock::{Claim, concurrent_delete, concurrent_update};
use crate::scan::Rows;
use crate::serializable::Entries;
use crate::transaction::Xid;
use crate::trigger::{self, Locked};

/// The parts common to UPDATE and DELETE: a target in slot 0 and the rows joined with it.
pub(crate) struct Target<'a> {
    pub(crate) table: &'a Rc<TableDef>,
    slots: &'a [Slot],
    join: &'a Join,
    path: &'a Path,
}

impl Execution {
    pub(crate) async fn update(&self, update: &Update, level: &Env<'_>) -> Result<Vec<Tuple>> {
        let Update { table, slots, join, set, returning, .. } = update;
        let path = access::of_update(update);
        let target = Target { table, slots, join, path };
        let columns: Vec<usize> = set.iter().map(|(column, _)| *column).collect();
        if !table.triggers.is_empty() {
            Box::pin(self.before_statement(table, Operation::Update, &columns, level)).await?;
        }
        let mut rows = Rows::new(self, level, target.slots, Some(join), path);
        let (mut returned, mut affected) = (Vec::new(), 0);
        while let Some(mut cells) = rows.next().await? {
            if let Some(after) = self.update_row(&target, &columns, set, &mut cells, level).await? {
                affected += 1;
                if !returning.is_empty() {
                    cells[0] = Slotted::row(after);
                    returned.push(self.output(returning, &level.with(&cells)).await?.into());
                }
            }
        }
        if !table.triggers.is_empty() {
            self.queue_statement(table, Operation::Update, &columns)?;
        }
        self.affected.set(affected);
        Ok(returned)
    }

    /// Updates one row; `None` if it turned out not to be updated.
    async fn update_row(
        &self,
        target: &Target<'_>,
        columns: &[usize],
        set: &[(usize, Expr)],
        cells: &mut [Slotted],
        level: &Env<'_>,
    ) -> Result<Option<Tuple>> {
        let table = target.table;
        loop {
            let (Some(version), Some(before)) = (cells[0].version, cells[0].tuple.clone()) else {
                return Ok(None);
            };
            let mut after = self.assigned(&before, set, &level.with(cells)).await?;
            if table.has_before_row(Operation::Update) {
                let lock = trigger::strength(table, columns);
                match Box::pin(self.lock_target(target, lock, cells, level)).await? {
                    Locked::Same => {}
                    Locked::Moved => continue,
                    Locked::Gone => return Ok(None),
                }
                let fired = self.before_row(table, Operation::Update, columns, Some(&before), Some(after));
                let Some(fired) = Box::pin(fired).await? else { return Ok(None) };
                after = fired;
            }
            self.check_row(table, &after)?;
            let strength = update_strength(table, &before, &after);
            match self.claim(table, version, strength, LockWait::Block).await? {
                Claim::Free => {
                    self.replace(table, version, strength, before, after.clone()).await?;
                    if !table.triggers.is_empty() {
                        self.queue_row(table, Operation::Update, columns)?;
                    }
                    return Ok(Some(after));
                }
                Claim::Updated(next) => {
                    let lock = trigger::strength(table, columns);
                    if !Box::pin(self.look_again(target, next, lock, cells, level)).await? {
                        return Ok(None);
                    }
                }
                other => return self.gone(table, version, other, "updated").map(|()| None),
            }
        }
    }

    pub(crate) async fn delete(&self, delete: &Delete, level: &Env<'_>) -> Result<Vec<Tuple>> {
        let Delete { table, slots, join, returning, .. } = delete;
        let path = access::of_delete(delete);
        let target = Target { table, slots, join, path };
        if !table.triggers.is_empty() {
            Box::pin(self.before_statement(table, Operation::Delete, &[], level)).await?;
        }
        let mut rows = Rows::new(self, level, target.slots, Some(join), path);
        let (mut returned, mut affected) = (Vec::new(), 0);
        'rows: while let Some(mut cells) = rows.next().await? {
            loop {
                let (Some(version), Some(before)) = (cells[0].version, cells[0].tuple.clone()) else {
                    continue 'rows;
                };
                if table.has_before_row(Operation::Delete) {
                    let lock = LockStrength::Update;
                    match Box::pin(self.lock_target(&target, lock, &mut cells, level)).await? {
                        Locked::Same => {}
                        Locked::Moved => continue,
                        Locked::Gone => continue 'rows,
                    }
                    let fired = self.before_row(table, Operation::Delete, &[], Some(&before), None);
                    if Box::pin(fired).await?.is_none() {
                        continue 'rows;
                    }
                }
                match self.claim(table, version, LockStrength::Update, LockWait::Block).await? {
                    Claim::Free => {
                        self.remove(table, version, before)?;
                        if !table.triggers.is_empty() {
                            self.queue_row(table, Operation::Delete, &[])?;
                        }
                        affected += 1;
                        if !returning.is_empty() {
                            returned.push(self.output(returning, &level.with(&cells)).await?.into());
                        }
                        continue 'rows;
                    }
                    Claim::Updated(next) => {
                        let lock = LockStrength::Update;
                        if !Box::pin(self.look_again(&target, next, lock, &mut cells, level)).await? {
                            continue 'rows;
                        }
                    }
                    other => {
                        self.gone(table, version, other, "deleted")?;
                        continue 'rows;
                    }
                }
            }
        }
        if !table.triggers.is_empty() {
            self.queue_statement(table, Operation::Delete, &[])?;
        }
        self.affected.set(affected);
        Ok(returned)
    }

    /// Locks the newest version of the target's row and checks whether it still has to be written.
    async fn look_again(
        &self,
        target: &Target<'_>,
        next: u32,
        strength: LockStrength,
        cells: &mut [Slotted],
        level: &Env<'_>,
    ) -> Result<bool> {
        if self.is_repeatable() {
            return Err(concurrent_update());
        }
        let (claim, newest) = self.lock_newest(target.table, next, strength, LockWait::Block).await?;
        if claim != Claim::Free {
            return Ok(false);
        }
        self.moved(target, newest, cells, level).await
    }

    /// Moves to the newest version of the target's row and checks whether it still has to be written.
    pub(crate) async fn moved(
        &self,
        target: &Target<'_>,
        newest: u32,
        cells: &mut [Slotted],
        level: &Env<'_>,
    ) -> Result<bool> {
        let tuple = self.server.heap(target.table.id).tuple(newest).clone();
        let before = cells.to_vec();
        cells[0] = Slotted { tuple: Some(tuple), version: Some(newest) };
        self.visited(1, 0);
        self.recheck(target.path, Some(target.join), &before, cells, level).await
    }

    /// Handles a row that can no longer be written. Fails with 27000 if a function called by this statement has written
    /// it, and with 40001 if it was deleted and the snapshot is kept.
    pub(crate) fn gone(&self, table: &TableDef, version: u32, claim: Claim, what: &str) -> Result<()> {
        let changed_by = self.server.heap(table.id).header(version).map(|header| header.cmax);
        if claim == Claim::SelfModified && changed_by != Some(self.snapshot.command) {
            let message = format!(
                "tuple to be {what} was already modified by an operation triggered by the current command"
            );
            return Err(Failure::sql("27000", message));
        }
        if claim == Claim::Deleted && self.is_repeatable() { Err(concurrent_delete()) } else { Ok(()) }
    }

    /// The row with new values in the SET columns.
    pub(crate) async fn assigned(
        &self,
        before: &Tuple,
        set: &[(usize, Expr)],
        env: &Env<'_>,
    ) -> Result<Tuple> {
        let mut after = before.to_vec();
        for (column, expr) in set {
            after[*column] = match self.at_once(expr, env) {
                Ok(value) => value,
                Err(stop) => Box::pin(self.had_first(expr, env, stop)).await?,
            };
        }
        Ok(after.into())
    }

    /// Adds a new version in place of one that has been claimed.
    pub(crate) async fn replace(
        &self,
        table: &Rc<TableDef>,
        version: u32,
        strength: LockStrength,
        before: Tuple,
        after: Tuple,
    ) -> Result<u32> {
        if self.serializable {
            self.meet_change(table, version)?;
        }
        let entries = self.serializable.then(|| self.entries(table, &before, &after));
        let (xid, command) = self.writing();
        let (new, over_own) = {
            let transactions = self.server.transactions.borrow();
            let mut heap = self.server.heap(table.id);
            let mut header = Header::new(xid, command, heap.row(version));
            let own = |other: Xid| transactions.is_own(other, self.session);
            let over_own = heap.header(version).is_some_and(|old| own(old.xmin));
            // A lock that the transaction already holds on the row contributes to the strength of its update
            // (compute_new_xmax_infomask).
            let held = heap.header(version).and_then(|old| {
                old.lockers.iter().filter(|(locker, _)| own(*locker)).map(|(_, held)| *held).max()
            });
            let strength = held.map_or(strength, |held| held.max(strength));
            // Lockers of the old version that do not conflict with this update also lock the new one.
            if let Some(old) = heap.header(version) {
                let stays =
                    |locker: &&(Xid, LockStrength)| transactions.is_running(locker.0) && !own(locker.0);
                header.lockers = old.lockers.iter().filter(stays).copied().collect();
            }
            let weight = heap.weight();
            let new = heap.add(after.clone(), header);
            let added = heap.weight() - weight;
            let old = heap.mark(version);
            (old.xmax, old.cmax, old.xmax_strength, old.next) = (Some(xid), command, strength, Some(new));
            drop(heap);
            self.server.demand_room(new, added)?;
            (new, over_own)
        };
        let old_keys = self.keys(table, &before)?;
        self.visited(1, 0);
        self.touch(Object::Tail(table.id), Use::Write);
        self.touch_keys(table.id, &old_keys, Use::Write);
        if table.leaves_keys_alone(&before, &after) {
            if let Some(entries) = entries {
                self.meet_entries(table, &old_keys, entries)?;
            }
            let mut heap = self.server.heap(table.id);
            let entered = old_keys.into_iter().enumerate();
            entered
                .filter_map(|(index, key)| Some((index, key?)))
                .for_each(|(index, key)| heap.enter(index, key, new));
        } else {
            Box::pin(self.enter_changed(table, old_keys, &after, new, entries)).await?;
        }
        self.account(table, Some(before.clone()), Some(after.clone()));
        self.wrote(Event { over_own, ..Event::new(table, Some(before), Some(after)) });
        Ok(new)
    }

    /// Adds the index entries of a new version whose keys are not all those of the old one.
    async fn enter_changed(
        &self,
        table: &Rc<TableDef>,
        old_keys: Vec<Option<Vec<Value>>>,
        after: &Tuple,
        new: u32,
        entries: Option<Entries>,
    ) -> Result<()> {
        let new_keys = self.keys(table, after)?;
        self.touch_keys(table.id, &new_keys, Use::Write);
        for (index, (old, key)) in old_keys.into_iter().zip(new_keys).enumerate() {
            let Some(key) = key else { continue };
            if old.as_ref() != Some(&key) {
                self.demand_unique(table, index, &key, new).await?;
            } else if let Some(entries) = entries {
                self.meet_entry_of(table, index, &key, entries)?;
            }
            self.server.heap(table.id).enter(index, key, new);
        }
        Ok(())
    }

    /// Deletes a version that has been claimed.
    pub(crate) fn remove(&self, table: &Rc<TableDef>, version: u32, before: Tuple) -> Result<()> {
        if self.serializable {
            self.meet_change(table, version)?;
        }
        let (xid, command) = self.writing();
        {
            let mut heap = self.server.heap(table.id);
            let old = heap.mark(version);
            (old.xmax, old.cmax, old.xmax_strength, old.next) =
                (Some(xid), command, LockStrength::Update, None);
        }
        let keys = self.keys(table, &before)?;
        self.touch_keys(table.id, &keys, Use::Write);
        self.account(table, Some(before.clone()), None);
        self.wrote(Event::new(table, Some(before), None));
        Ok(())
    }

    /// Records a written row as an event if triggers or foreign keys need it.
    pub(crate) fn wrote(&self, event: Event) {
        if !event.table.triggers.is_empty() || self.concerns_foreign_keys(&event) {
            self.events.borrow_mut().push(event);
        }
    }

    /// Locks the rows that the level's locking clauses name; false if the row then no longer belongs to the result.
    pub(crate) async fn lock_row(
        &self,
        query: &Query,
        select: &Select,
        path: &Path,
        cells: &mut [Slotted],
        level: &Env<'_>,
    ) -> Result<bool> {
        let before = cells.to_vec();
        let mut moved = false;
        for lock in &query.locks {
            let (Slot::Table(table), Some(version)) = (&select.slots[lock.slot], cells[lock.slot].version)
            else {
                continue;
            };
            let (claim, newest) = if self.is_repeatable() {
                let claim = self.lock_version(table, version, lock.strength, lock.wait).await?;
                if matches!(claim, Claim::Updated(_) | Claim::Deleted) {
                    return Err(concurrent_update());
                }
                (claim, version)
            } else {
                self.lock_newest(table, version, lock.strength, lock.wait).await?
            };
            if claim != Claim::Free {
                return Ok(false);
            }
            if newest != version {
                let tuple = self.server.heap(table.id).tuple(newest).clone();
                cells[lock.slot] = Slotted { tuple: Some(tuple), version: Some(newest) };
                self.visited(1, 0);
                moved = true;
            }
        }
        if !moved {
            return Ok(true);
        }
        self.recheck(path, select.join.as_ref(), &before, cells, level).await
    }
}
