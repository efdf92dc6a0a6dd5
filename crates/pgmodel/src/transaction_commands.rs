//! BEGIN to COMMIT: the effects of a transaction's end, of errors and of savepoints on locks, rows and definitions.
//!
//! An error aborts a transaction and releases its locks at once, although the session must still end the block; within
//! a savepoint it aborts only what followed the savepoint (manual, 3.4). A rollback undoes everything except the
//! numbers drawn from sequences.

use retrial_pgmodel_sql::ast::TransactionModes;
use retrial_pgmodel_sql::error::{Failure, Result};

use crate::backend::{Backend, Undo};
use crate::footprint::{Object, Use};
use crate::lock::{LockTag, SessionNo};
use crate::notify;
use crate::outcome::{Notice, Outcome};
use crate::server::Server;
use crate::transaction::{Level, Snapshot, Transaction};

mod modes;

impl Server {
    /// BEGIN.
    pub(crate) fn begin(&self, session: SessionNo, modes: TransactionModes) -> Result<Outcome> {
        let mut backend = self.backend(session);
        let begun = backend.transaction.as_ref().is_some_and(|transaction| transaction.explicit);
        if begun {
            warn(&mut backend, "there is already a transaction in progress");
        }
        self.open(&mut backend, true);
        let applied = modes::apply(&mut backend, modes);
        if applied.is_err() {
            // A block whose BEGIN fails does not exist, so there is nothing to roll back.
            backend.xact().explicit = begun;
        }
        applied?;
        Ok(Outcome::bare("BEGIN"))
    }

    /// Starts a transaction if there is none.
    pub(crate) fn open(&self, backend: &mut Backend, explicit: bool) {
        let settings = &backend.settings;
        let (isolation, read_only) = (settings.default_isolation, settings.default_read_only);
        let deferrable = settings.default_deferrable;
        if backend.transaction.is_none() {
            backend.transactions += 1;
            let mut transaction = Transaction::new(isolation, explicit, backend.statement_started);
            (transaction.read_only, transaction.deferrable) = (read_only, deferrable);
            backend.transaction = Some(transaction);
        }
        backend.xact().explicit |= explicit;
    }

    /// SET TRANSACTION.
    pub(crate) fn set_transaction(&self, session: SessionNo, modes: TransactionModes) -> Result<Outcome> {
        let mut backend = self.backend(session);
        if !backend.in_block() {
            warn(&mut backend, "SET TRANSACTION can only be used in transaction blocks");
            return Ok(Outcome::bare("SET"));
        }
        modes::apply(&mut backend, modes)?;
        Ok(Outcome::bare("SET"))
    }

    /// COMMIT, which is a ROLLBACK for a failed transaction.
    pub(crate) fn commit(&self, session: SessionNo) -> Result<Outcome> {
        let failed = {
            let mut backend = self.backend(session);
            if backend.transaction.as_ref().is_none_or(|transaction| !transaction.explicit) {
                warn(&mut backend, "there is no transaction in progress");
            }
            backend.transaction.as_ref().is_some_and(|transaction| transaction.failed)
        };
        self.precommit(session)?;
        self.finish(session, !failed);
        Ok(Outcome::bare(if failed { "ROLLBACK" } else { "COMMIT" }))
    }

    /// ROLLBACK.
    pub(crate) fn rollback(&self, session: SessionNo) -> Outcome {
        {
            let mut backend = self.backend(session);
            if backend.transaction.as_ref().is_none_or(|transaction| !transaction.explicit) {
                warn(&mut backend, "there is no transaction in progress");
            }
        }
        self.finish(session, false);
        Outcome::bare("ROLLBACK")
    }

    /// Ends the session's transaction, if it has one.
    pub(crate) fn finish(&self, session: SessionNo, commit: bool) {
        self.touch_held(session);
        self.touch_numbers(session);
        if commit && self.backend(session).transaction.is_some() {
            self.touch(session, Object::Commit, Use::Write);
        }
        self.end_virtual(session);
        let (ended, pending) = {
            let mut backend = self.backend(session);
            let Some(transaction) = backend.transaction.as_mut() else { return };
            let ended = transaction.xids(0);
            let pending = if commit { notify::pending(transaction) } else { None };
            if commit {
                if !ended.is_empty() {
                    self.transactions.borrow_mut().commit(&ended);
                }
                let mut changes = std::mem::take(&mut backend.changes);
                if backend.committed.is_empty() {
                    backend.committed = changes;
                } else {
                    backend.committed.append(&mut changes);
                }
                keep_settings(&mut backend);
                self.schema.borrow_mut().commit(session);
            } else {
                self.transactions.borrow_mut().abort(&ended);
                self.take_back(&mut backend, 0);
            }
            backend.undo.clear();
            backend.changes.clear();
            backend.settings_before.clear();
            (ended, pending)
        };
        self.leave(session, commit);
        self.backend(session).transaction = None;
        if let Some(pending) = pending {
            self.publish(session, *pending);
        }
        self.release(session, &ended, |held| held.depth.is_some());
    }

    /// Wakes the sessions that wait for the end of the session's transaction.
    fn end_virtual(&self, session: SessionNo) {
        let number = {
            let mut backend = self.backend(session);
            std::mem::take(&mut backend.awaited).then_some(backend.transactions)
        };
        if let Some(number) = number {
            let mut woken = Vec::new();
            self.locks.borrow_mut().transaction_ended(LockTag::Virtual(session, number), &mut woken);
            self.wake(&woken);
        }
    }

    /// Handles the error of a statement: rolls back at once to the last savepoint, or the whole transaction.
    pub(crate) fn fail(&self, session: SessionNo) {
        let depth = self.backend(session).depth();
        let Some(explicit) = self.backend(session).transaction.as_ref().map(|it| it.explicit) else { return };
        if depth == 0 && !explicit {
            self.finish(session, false);
            return;
        }
        if depth == 0 {
            self.end_virtual(session);
        }
        self.undo_from(session, depth);
        if depth == 0 {
            self.leave(session, false);
        }
        self.backend(session).xact().failed = true;
    }

    /// Undoes what was done at savepoint depth `depth` and deeper.
    fn undo_from(&self, session: SessionNo, depth: usize) {
        self.touch_held(session);
        self.touch_numbers(session);
        let ended = {
            let mut backend = self.backend(session);
            let ended = backend.xact().xids(depth);
            self.transactions.borrow_mut().abort(&ended);
            self.take_back(&mut backend, depth);
            for level in &mut backend.xact().levels[depth..] {
                level.xid = None;
                level.released.clear();
                level.pending = None;
            }
            ended
        };
        self.release(session, &ended, |held| held.depth.is_some_and(|taken| taken >= depth));
    }

    /// Restores definitions, settings and the change list to their state when the level began.
    fn take_back(&self, backend: &mut Backend, depth: usize) {
        let level = &backend.xact().levels[depth];
        let (changes, undo, settings) = (level.changes, level.undo, level.settings);
        let read_only = level.read_only;
        backend.xact().read_only = read_only;
        backend.changes.truncate(changes);
        if let Some(before) = backend.settings_before.get(settings) {
            backend.settings = before.settings.clone();
        }
        backend.settings_before.truncate(settings);
        for undo in backend.undo.drain(undo..).rev() {
            self.undo(undo);
        }
    }

    fn undo(&self, undo: Undo) {
        match undo {
            Undo::Definition(id, before) => self.schema.borrow_mut().restore(id, before),
            Undo::Rows(id, heap) => self.heaps.borrow_mut()[id.0 as usize] = Some(*heap),
            Undo::CreatedIndex(id) => self.heap(id).drop_last_index(),
            Undo::Created(id) => {
                self.schema.borrow_mut().remove(id);
                self.heaps.borrow_mut()[id.0 as usize] = None;
            }
            Undo::CreatedRoutine(id) => {
                let mut schema = self.schema.borrow_mut();
                schema.routines.remove(id);
                schema.changed();
            }
            Undo::DroppedRoutine(id) => {
                let mut schema = self.schema.borrow_mut();
                schema.routines.keep(id);
                schema.changed();
            }
            Undo::CreatedSequence(id) => {
                self.schema.borrow_mut().sequences_mut().remove(id);
                self.sequences.borrow_mut().remove(&id);
            }
            Undo::DroppedSequence(id) => self.schema.borrow_mut().sequences_mut().restore(id),
            Undo::RestartedSequence(id, before) => {
                self.sequences.borrow_mut().insert(id, before);
            }
        }
    }

    /// Begins the unnamed subtransaction of a PL/pgSQL block.
    pub(crate) fn begin_block(&self, session: SessionNo) {
        self.push_level(&mut self.backend(session), "");
    }

    /// Ends such a block and merges its changes into the enclosing level.
    pub(crate) fn end_block(&self, session: SessionNo) {
        let mut backend = self.backend(session);
        let depth = backend.depth();
        merge_levels(&mut backend, depth);
    }

    /// Rolls back such a block.
    pub(crate) fn fail_block(&self, session: SessionNo) {
        let depth = self.backend(session).depth();
        self.undo_from(session, depth);
        self.backend(session).xact().levels.truncate(depth);
    }

    fn push_level(&self, backend: &mut Backend, name: &str) {
        let (changes, undo, settings) =
            (backend.changes.len(), backend.undo.len(), backend.settings_before.len());
        let (name, released) = (name.to_owned(), Vec::new());
        let read_only = backend.xact().read_only;
        let level = Level { name, xid: None, released, changes, undo, settings, read_only, pending: None };
        backend.xact().levels.push(level);
    }

    /// SAVEPOINT.
    pub(crate) fn savepoint(&self, session: SessionNo, name: &str) -> Result<Outcome> {
        let mut backend = self.backend(session);
        demand_begun(&mut backend, "SAVEPOINT")?;
        self.push_level(&mut backend, name);
        Ok(Outcome::bare("SAVEPOINT"))
    }

    /// ROLLBACK TO, which keeps the savepoint itself.
    pub(crate) fn rollback_to(&self, session: SessionNo, name: &str) -> Result<Outcome> {
        let depth = {
            let mut backend = self.backend(session);
            demand_begun(&mut backend, "ROLLBACK TO SAVEPOINT")?;
            depth_of(&mut backend, name)?
        };
        self.undo_from(session, depth);
        let mut backend = self.backend(session);
        let transaction = backend.xact();
        transaction.levels.truncate(depth + 1);
        transaction.failed = false;
        Ok(Outcome::bare("ROLLBACK"))
    }

    /// RELEASE, which merges the savepoint into the enclosing level.
    pub(crate) fn release_savepoint(&self, session: SessionNo, name: &str) -> Result<Outcome> {
        let mut backend = self.backend(session);
        demand_begun(&mut backend, "RELEASE SAVEPOINT")?;
        let depth = depth_of(&mut backend, name)?;
        merge_levels(&mut backend, depth);
        Ok(Outcome::bare("RELEASE"))
    }

    /// Records that a statement with a snapshot begins. Returns whether the snapshot is that of the transaction.
    pub(crate) fn begins_to_read(&self, session: SessionNo) -> bool {
        let mut backend = self.backend(session);
        let transaction = backend.xact();
        transaction.reads = true;
        transaction.has_snapshot = true;
        transaction.keeps_snapshot()
    }

    /// The snapshot that a statement reads with.
    pub(crate) fn take_snapshot(&self, session: SessionNo) -> Snapshot {
        if self.backend(session).xact().keeps_snapshot() {
            self.touch(session, Object::Commit, Use::Read);
        }
        if self.backend(session).xact().begins_serializable() {
            self.take_part(session);
        }
        let mut backend = self.backend(session);
        let transaction = backend.xact();
        transaction.has_snapshot = true;
        let command = transaction.command;
        let latest = self.transactions.borrow().snapshot(command);
        if transaction.keeps_snapshot() {
            let kept = *transaction.snapshot.get_or_insert(latest);
            return Snapshot { command, ..kept };
        }
        latest
    }
}

/// Merges what was done at savepoint depth `depth` and deeper into the enclosing level.
fn merge_levels(backend: &mut Backend, depth: usize) {
    let transaction = backend.xact();
    let xids = transaction.xids(depth);
    notify::merge(&mut transaction.levels, depth);
    transaction.read_only = transaction.levels[depth].read_only;
    transaction.levels.truncate(depth);
    transaction.levels.last_mut().expect("a savepoint stands on a level").released.extend(xids);
    for held in &mut backend.held {
        if let Some(taken) = &mut held.depth {
            *taken = (*taken).min(depth - 1);
        }
    }
}

/// Fails outside of a transaction block. A text of several statements counts as a block.
pub(crate) fn demand_block(backend: &mut Backend, what: &str) -> Result<()> {
    if backend.in_block() {
        return Ok(());
    }
    Err(Failure::sql("25P01", format!("{what} can only be used in transaction blocks")))
}

/// Fails without an explicit transaction. A text of several statements is not enough for a savepoint.
fn demand_begun(backend: &mut Backend, what: &str) -> Result<()> {
    if backend.xact().explicit {
        return Ok(());
    }
    Err(Failure::sql("25P01", format!("{what} can only be used in transaction blocks")))
}

fn depth_of(backend: &mut Backend, name: &str) -> Result<usize> {
    let levels = &backend.xact().levels;
    let found = levels.iter().rposition(|level| level.name == name).filter(|depth| *depth > 0);
    found.ok_or_else(|| Failure::sql("3B001", format!("savepoint \"{name}\" does not exist")))
}

/// At commit, undoes SET LOCAL and keeps SET.
fn keep_settings(backend: &mut Backend) {
    let befores = std::mem::take(&mut backend.settings_before);
    for before in befores.iter().rev().filter(|before| before.local) {
        let (now, then) = (&mut backend.settings, &before.settings);
        match &*before.name.to_ascii_lowercase() {
            "lock_timeout" => now.lock_timeout = then.lock_timeout,
            "statement_timeout" => now.statement_timeout = then.statement_timeout,
            "deadlock_timeout" => now.deadlock_timeout = then.deadlock_timeout,
            "default_transaction_isolation" => now.default_isolation = then.default_isolation,
            "default_transaction_read_only" => now.default_read_only = then.default_read_only,
            "default_transaction_deferrable" => now.default_deferrable = then.default_deferrable,
            name => {
                match then.others.get(name) {
                    Some(value) => now.others.insert(name.to_owned(), value.clone()),
                    None => now.others.remove(name),
                };
            }
        }
    }
}

pub(crate) fn warn(backend: &mut Backend, text: &str) {
    backend.notices.push(Notice { severity: "WARNING", text: text.to_owned() });
}
