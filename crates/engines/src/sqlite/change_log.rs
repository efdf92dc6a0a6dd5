//! The log of row changes: each row before and after, in commit order, so that invariants need not infer versions from
//! reads.
//!
//! SQLite reports which rows a statement touched (<https://www.sqlite.org/c3ref/update_hook.html>), but not their
//! values. New values are read back by rowid; old values come from the log itself. The hook does not report `WITHOUT
//! ROWID` tables, rows displaced by REPLACE, or `DELETE` of a whole table. So the log is compared with the final rows
//! of every trial, and a difference is refused rather than passed on.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use retrial_engine::error::Error;
use retrial_engine::{Row, RowChange, Table};
use rusqlite::Connection;
use rusqlite::hooks::Action;

use super::database::Database;
use super::session::refused;
use super::statement::{self, Failure};

thread_local! {
    /// The rows touched by the running statement, in order.
    static TOUCHED: RefCell<Vec<(String, i64)>> = const { RefCell::new(Vec::new()) };
}

/// SQLite's update hook.
pub(super) fn touch(_: Action, _database: &str, table: &str, rowid: i64) {
    TOUCHED.with_borrow_mut(|touched| touched.push((table.to_owned(), rowid)));
}

/// Forgets the touched rows of a statement that failed and was rolled back.
pub(super) fn forget_touched() {
    TOUCHED.with_borrow_mut(Vec::clear);
}

/// A table's contents according to the log.
struct Known {
    table: Rc<Table>,
    /// The initial rows by rowid.
    base: BTreeMap<i64, Row>,
    /// The rows that commits of this trial have changed; `None` where a row was deleted.
    now: BTreeMap<i64, Option<Row>>,
    /// The SQL that reads one row.
    select: String,
}

#[derive(Default)]
pub(super) struct ChangeLog {
    known: Vec<Known>,
}

impl ChangeLog {
    /// Starts again from the rows of a new database.
    pub(super) fn rebase(&mut self, database: &Database) -> Result<(), Error> {
        self.known.clear();
        for name in database.tables()? {
            let (table, rows) = database.rows(&name)?;
            self.add(table, rows.into_iter().collect());
        }
        Ok(())
    }

    /// Forgets the changes of the last trial.
    pub(super) fn reset(&mut self) {
        forget_touched();
        self.known.iter_mut().for_each(|known| known.now.clear());
    }

    /// Adds the rows that the last statement touched to the session's uncommitted changes.
    pub(super) fn follow(
        &mut self,
        connection: &Connection,
        changes: &mut Vec<RowChange>,
    ) -> Result<(), Error> {
        let mut touched = TOUCHED.take();
        for (name, key) in touched.drain(..) {
            let index = match self.known.iter().position(|known| known.table.name == name) {
                Some(index) => index,
                None => {
                    let table = super::database::definition(connection, &name)?;
                    self.add(table, BTreeMap::new());
                    self.known.len() - 1
                }
            };
            let known = &self.known[index];
            let mut earlier = changes.iter().rev();
            let earlier = earlier.find(|change| change.key == key && change.table.name == name);
            let before = match earlier {
                Some(change) => change.after.clone(),
                None => known.row(key),
            };
            let after = known.read(connection, key)?;
            changes.push(RowChange { table: known.table.clone(), key, before, after });
        }
        TOUCHED.set(touched);
        Ok(())
    }

    /// Applies the changes of a commit.
    pub(super) fn apply(&mut self, committed: &[RowChange]) {
        for change in committed {
            let known = self.known.iter_mut().find(|known| Rc::ptr_eq(&known.table, &change.table));
            known.expect("a change is of a known table").now.insert(change.key, change.after.clone());
        }
    }

    /// Compares the log with the actual rows.
    pub(super) fn reconcile(&self, table: &Table, rows: &[(i64, Row)]) -> Result<(), Error> {
        let Some(known) = self.known.iter().find(|known| known.table.name == table.name) else {
            return Ok(());
        };
        let gone =
            known.now.iter().filter(|(key, row)| row.is_none() && known.base.contains_key(key)).count();
        let come =
            known.now.iter().filter(|(key, row)| row.is_some() && !known.base.contains_key(key)).count();
        let explained = rows.len() + gone == known.base.len() + come
            && rows.iter().all(|(key, row)| known.row(*key).as_ref() == Some(row));
        if !explained {
            return Err(Error::not_modelled(format!(
                "a statement that changes rows of {} behind the update hook of the sqlite engine (REPLACE, DELETE \
                 without WHERE, or WITHOUT ROWID)",
                table.name
            )));
        }
        Ok(())
    }

    fn add(&mut self, table: Rc<Table>, base: BTreeMap<i64, Row>) {
        let select = format!("SELECT * FROM \"{}\" WHERE rowid = ?1", table.name);
        self.known.push(Known { table, base, now: BTreeMap::new(), select });
    }
}

impl Known {
    fn row(&self, key: i64) -> Option<Row> {
        match self.now.get(&key) {
            Some(row) => row.clone(),
            None => self.base.get(&key).cloned(),
        }
    }

    fn read(&self, connection: &Connection, key: i64) -> Result<Option<Row>, Error> {
        let mut select = connection.prepare_cached(&self.select).map_err(refused)?;
        let columns = select.column_count();
        let mut rows = select.query([key]).map_err(refused)?;
        let row = rows.next().map_err(refused)?;
        let row = row.map(|row| statement::read(row, 0, columns)).transpose();
        row.map_err(|failure| match failure {
            Failure::Sql(error) => refused(error),
            Failure::Refused(error) => error,
        })
    }
}
