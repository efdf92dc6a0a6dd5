//! CREATE INDEX CONCURRENTLY and DROP INDEX CONCURRENTLY: one command with several transactions, which does not block
//! writers and waits for transactions that do not know the latest change yet (manual, CREATE INDEX, "Building Indexes
//! Concurrently"; DefineIndex in src/backend/commands/indexcmds.c, index_drop in src/backend/catalog/index.c).
//!
//! If such a command fails, its earlier steps stay: an index that is not valid, and perhaps not even ready. It waits
//! for transactions whether or not they have written. If one of them waits for the command in turn, that is a deadlock,
//! and one of the two is its victim.

use std::rc::Rc;

use retrial_pgmodel_sql::ast::TableLockMode;
use retrial_pgmodel_sql::catalog::{IndexDef, TableDef, TableId};
use retrial_pgmodel_sql::error::{Failure, Result};

use super::{Define, copy};
use crate::backend::{Backend, Wait};
use crate::footprint::{Object, Use};
use crate::lock::{LockTag, SessionNo, conflict};

impl Define<'_> {
    /// Builds an index without blocking writers.
    pub(super) async fn build_concurrently(&self, table: &Rc<TableDef>, index: IndexDef) -> Result<()> {
        let mut known = copy(table);
        let place = known.indexes.len();
        known.indexes.push(Rc::new(IndexDef { ready: false, valid: false, ..index }));
        self.server.heap(table.id).add_index(|_| Ok::<_, Failure>(None))?;
        self.publish(known);
        // From here on the command runs its own transactions, which have no snapshot while they wait.
        self.server.backend(self.session).xact().reads = false;
        self.await_lockers(table.id, TableLockMode::Share).await?;
        let ready = self.changed(table.id, place, |index| index.ready = true);
        self.demand_unique_rows(&ready, place)?;
        self.enter_missing(&ready, place, false).await?;
        let ready = self.publish(ready);
        self.await_lockers(table.id, TableLockMode::Share).await?;
        self.enter_missing(&ready, place, true).await?;
        self.await_snapshots().await?;
        self.publish(self.changed(table.id, place, |index| index.valid = true));
        Ok(())
    }

    /// Drops an index while its table is in use: first queries stop using it, then writers stop maintaining it.
    pub(super) async fn drop_concurrently(&self, table: &TableDef, place: usize) -> Result<()> {
        let name = table.indexes[place].name.clone();
        self.publish(self.changed(table.id, place, |index| index.valid = false));
        self.server.backend(self.session).xact().reads = false;
        self.await_lockers(table.id, TableLockMode::AccessExclusive).await?;
        self.publish(self.changed(table.id, place, |index| index.ready = false));
        self.await_lockers(table.id, TableLockMode::AccessExclusive).await?;
        let mut left = copy(&self.server.table(table.id, self.session));
        if let Some(place) = left.indexes.iter().position(|index| index.name == name) {
            left.indexes.remove(place);
            self.server.heap(table.id).drop_index(place);
            self.publish(left);
        }
        Ok(())
    }

    /// Publishes a definition to all sessions; it stays even if this command fails.
    fn publish(&self, table: TableDef) -> Rc<TableDef> {
        self.server.touch(self.session, Object::Definitions, Use::Write);
        self.server.touch(self.session, Object::TableLock(table.id), Use::Lock);
        let table = Rc::new(table);
        self.server.schema.borrow_mut().publish(table.clone());
        table
    }

    /// The current definition of a table, with one index changed.
    fn changed(&self, table: TableId, place: usize, change: impl FnOnce(&mut IndexDef)) -> TableDef {
        let mut table = copy(&self.server.table(table, self.session));
        let mut index = IndexDef::clone(&table.indexes[place]);
        change(&mut index);
        table.indexes[place] = Rc::new(index);
        table
    }

    /// Inserts the currently visible rows that the index lacks. Rows written while the index was not ready may be
    /// duplicates of what it has by now.
    async fn enter_missing(&self, table: &TableDef, place: usize, unique: bool) -> Result<()> {
        let run = self.run();
        for (version, tuple) in self.live(table) {
            run.visited(1, 1);
            let Some(key) = run.key(table, place, &tuple)? else { continue };
            if self.server.heap(table.id).under(place, &key).any(|entered| entered == version) {
                continue;
            }
            if unique {
                run.demand_unique(table, place, &key, version).await?;
            }
            self.server.heap(table.id).enter(place, key, version);
        }
        Ok(())
    }

    /// Waits for every transaction that holds a lock on the table which conflicts with that mode.
    async fn await_lockers(&self, table: TableId, mode: TableLockMode) -> Result<()> {
        let in_the_way = |backend: &Backend| {
            backend.held.iter().any(|held| held.tag == LockTag::Table(table) && conflict(held.mode, mode))
        };
        self.await_sessions(in_the_way).await
    }

    /// Waits for every transaction whose snapshot may be older than the index: one that keeps a snapshot, or one in the
    /// middle of a statement, even if it waits for this session.
    async fn await_snapshots(&self) -> Result<()> {
        self.server.touch(self.session, Object::Commit, Use::Write);
        self.server.touch(self.session, Object::Waits, Use::Lock);
        let running = |backend: &Backend| {
            backend.transaction.as_ref().filter(|it| !it.is_over()).map(|it| it.holds_snapshot())
        };
        // LOCK TABLE has no snapshot, but the one used to look up the name may still be registered.
        let waits = |backend: &Backend| matches!(backend.wait, Wait::Lock { tag: LockTag::Table(_), .. });
        let looks_up = |backend: &Backend| running(backend) == Some(false) && waits(backend);
        if self.server.backends.borrow().iter().any(looks_up) {
            return Err(Failure::not_modelled(
                "CREATE INDEX CONCURRENTLY while another session waits in LOCK TABLE",
            ));
        }
        let has_snapshot = |backend: &Backend| running(backend) == Some(true);
        self.await_sessions(has_snapshot).await
    }

    /// Waits for the current transactions of all matching sessions.
    async fn await_sessions(&self, such: impl Fn(&Backend) -> bool) -> Result<()> {
        let found: Vec<(SessionNo, u32)> = {
            let backends = self.server.backends.borrow();
            let numbered =
                backends.iter().enumerate().map(|(number, backend)| (SessionNo(number as u32), backend));
            let others = numbered.filter(|(session, backend)| *session != self.session && such(backend));
            others.map(|(session, backend)| (session, backend.transactions)).collect()
        };
        for (session, number) in found {
            self.server.await_session(self.session, session, number).await?;
        }
        Ok(())
    }
}
