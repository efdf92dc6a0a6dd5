//! CREATE INDEX CONCURRENTLY and DROP INDEX CONCURRENTLY: several transactions in one command, which lets writers go on
//! and waits for those that do not know yet what has changed (manual, CREATE INDEX, "Building Indexes Concurrently";
//! DefineIndex in src/backend/commands/indexcmds.c, index_drop in src/backend/catalog/index.c).
//!
//! What such a command has done before it fails stays: an index that is not valid, and perhaps not even ready. It waits
//! for transactions, whether they have written or not, and for a session that waits for it in turn it waits for ever,
//! so that one of them is a deadlock's victim.

use std::rc::Rc;

use super::{Define, copy};
use crate::ast::TableLockMode;
use crate::backend::{Backend, Wait};
use crate::catalog::{IndexDef, TableDef, TableId};
use crate::error::{Failure, Result};
use crate::footprint::{Object, Use};
use crate::lock::{LockTag, SessionNo, conflict};

impl Define<'_> {
    /// Builds an index beside writers.
    pub(super) async fn build_concurrently(&self, table: &Rc<TableDef>, index: IndexDef) -> Result<()> {
        let mut known = copy(table);
        let place = known.indexes.len();
        known.indexes.push(Rc::new(IndexDef { ready: false, valid: false, ..index }));
        self.server.heap(table.id).add_index(|_| Ok::<_, Failure>(None))?;
        self.publish(known);
        // From here on the command has transactions of its own, which have no snapshot while they wait.
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

    /// Drops an index beside those who use its table: first no query uses it any more, then nobody writes to it.
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

    /// Changes a definition for everybody, whatever becomes of this command.
    fn publish(&self, table: TableDef) -> Rc<TableDef> {
        self.server.touch(self.session, Object::Definitions, Use::Write);
        self.server.touch(self.session, Object::TableLock(table.id), Use::Lock);
        let table = Rc::new(table);
        self.server.schema.borrow_mut().publish(table.clone());
        table
    }

    /// The table as it now is, with one index changed.
    fn changed(&self, table: TableId, place: usize, change: impl FnOnce(&mut IndexDef)) -> TableDef {
        let mut table = copy(&self.server.table(table, self.session));
        let mut index = IndexDef::clone(&table.indexes[place]);
        change(&mut index);
        table.indexes[place] = Rc::new(index);
        table
    }

    /// Enters the rows that are live now and not in the index yet. Those that were written while the index was not
    /// ready may turn out to be duplicates of what it has by then.
    async fn enter_missing(&self, table: &TableDef, place: usize, unique: bool) -> Result<()> {
        let run = self.run();
        for (version, tuple) in self.live(table) {
            run.visited(1, 1);
            let Some(key) = run.key(table, place, &tuple)? else { continue };
            if self.server.heap(table.id).under(place, &key).any(|exercised| exercised == version) {
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
    /// middle of a statement, though it may be waiting for this very session.
    async fn await_snapshots(&self) -> Result<()> {
        self.server.touch(self.session, Object::Commit, Use::Write);
        self.server.touch(self.session, Object::Waits, Use::Lock);
        let running = |backend: &Backend| {
            backend.transaction.as_ref().filter(|it| !it.is_over()).map(|it| it.holds_snapshot())
        };
        // LOCK TABLE has no snapshot, but one by which it has looked the name up may be left.
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

    /// Waits for the transactions that such sessions now have.
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
