//! A statement's execution: its session, parameters, snapshot and intermediate results.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use retrial_pgmodel_sql::ast::LockStrength;
use retrial_pgmodel_sql::catalog::{TableDef, TableId};
use retrial_pgmodel_sql::error::Result;
use retrial_pgmodel_sql::plan::{Expr, Query};
use retrial_pgmodel_sql::value::{Tuple, Value};

use crate::footprint::{Object, Use, key_digest};
use crate::limit::Used;
use crate::lock::SessionNo;
use crate::outcome::Change;
use crate::routine::Function;
use crate::serializable::Reading;
use crate::server::Server;
use crate::transaction::{Snapshot, Xid};
use crate::trigger::Firing;

/// A statement's execution.
pub(crate) struct Execution {
    pub(crate) server: Rc<Server>,
    pub(crate) session: SessionNo,
    pub(crate) params: Rc<[Value]>,
    pub(crate) snapshot: Snapshot,
    /// The results of uncorrelated subqueries, by the address of the query.
    pub(crate) once: RefCell<BTreeMap<usize, Rc<Vec<Tuple>>>>,
    /// The written rows for which foreign keys and AFTER triggers run at the end of the statement.
    pub(crate) events: RefCell<Vec<Event>>,
    /// How many rows the last data-modifying query has written.
    pub(crate) affected: Cell<u64>,
    /// The user-defined functions that the plan may call.
    pub(crate) functions: Vec<Rc<Function>>,
    /// Whether a subquery with side effects is run for each row although the server might run it once.
    pub(crate) per_row: bool,
    /// The resources used, against their limits.
    pub(crate) used: Used,
    /// Whether reads are marked, as in a serializable transaction, and how the next read is done.
    pub(crate) serializable: bool,
    pub(crate) reading: Cell<Reading>,
}

/// A row that a statement has written.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) table: Rc<TableDef>,
    /// Whether the replaced version was this transaction's own.
    pub(crate) over_own: bool,
    pub(crate) before: Option<Tuple>,
    pub(crate) after: Option<Tuple>,
    /// The AFTER triggers to call for it.
    pub(crate) fires: Vec<Firing>,
}

/// One slot's tuple, and its version if the slot is a table; no tuple where an outer join found no match.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slotted {
    pub(crate) tuple: Option<Tuple>,
    pub(crate) version: Option<u32>,
}

/// The results of a level's common table expressions.
pub(crate) struct Ctes<'a> {
    pub(crate) query: &'a Query,
    pub(crate) results: RefCell<Vec<Option<Rc<Vec<Tuple>>>>>,
}

/// The slots that an expression can reference: those of its level, then those of the surrounding levels.
#[derive(Clone, Copy)]
pub(crate) struct Env<'a> {
    pub(crate) outer: Option<&'a Env<'a>>,
    pub(crate) cells: &'a [Slotted],
    pub(crate) keys: &'a [Value],
    pub(crate) aggregates: &'a [Value],
    pub(crate) output: &'a [Value],
    pub(crate) sets: &'a [Value],
    pub(crate) ctes: Option<&'a Ctes<'a>>,
}

impl<'a> Env<'a> {
    /// An environment of one level with these slots.
    pub(crate) fn level(
        outer: Option<&'a Env<'a>>,
        ctes: Option<&'a Ctes<'a>>,
        cells: &'a [Slotted],
    ) -> Env<'a> {
        Env { outer, cells, keys: &[], aggregates: &[], output: &[], sets: &[], ctes }
    }

    /// The environment `levels` levels further out.
    pub(crate) fn up(&self, levels: usize) -> &Env<'a> {
        let mut env = self;
        for _ in 0..levels {
            env = env.outer.expect("a plan names levels that there are");
        }
        env
    }
}

impl Slotted {
    /// A row that is not a stored version.
    pub(crate) fn row(tuple: Tuple) -> Slotted {
        Slotted { tuple: Some(tuple), version: None }
    }

    /// The value of a column, if the slot has a row.
    pub(crate) fn value(&self, column: usize) -> Option<&Value> {
        self.tuple.as_ref()?.get(column)
    }
}

impl Event {
    /// A written row, before its triggers are chosen.
    pub(crate) fn new(table: &Rc<TableDef>, before: Option<Tuple>, after: Option<Tuple>) -> Event {
        Event { table: table.clone(), over_own: false, before, after, fires: Vec::new() }
    }
}

impl Execution {
    /// A statement that starts now with this snapshot.
    pub(crate) fn new(
        server: &Rc<Server>,
        session: SessionNo,
        params: Rc<[Value]>,
        snapshot: Snapshot,
    ) -> Execution {
        let serializable =
            server.backend(session).transaction.as_ref().is_some_and(|it| it.serializable.is_some());
        Execution {
            server: server.clone(),
            session,
            params,
            snapshot,
            once: RefCell::default(),
            events: RefCell::default(),
            affected: Cell::new(0),
            functions: Vec::new(),
            per_row: false,
            used: Used::default(),
            serializable,
            reading: Cell::default(),
        }
    }

    /// Whether all statements of the transaction share one snapshot, so that a newer version is an error instead of
    /// being followed.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.server.backend(self.session).xact().keeps_snapshot()
    }

    /// Whether a query that could run once is run for each row.
    pub(crate) fn reruns(&self, query: &Query) -> bool {
        self.per_row && !query.correlated && query.has_effect()
    }

    /// Counts rows that were read or written.
    pub(crate) fn visited(&self, rows: u64, scanned: u64) {
        let mut backend = self.server.backend(self.session);
        backend.work.rows += rows;
        backend.work.scanned += scanned;
    }

    /// The transaction and command number for a write; marks the number as used, so that the next command gets another.
    pub(crate) fn writing(&self) -> (Xid, u32) {
        let xid = self.server.xid(self.session);
        let mut backend = self.server.backend(self.session);
        let transaction = backend.xact();
        transaction.command_used = true;
        (xid, self.snapshot.command)
    }

    pub(crate) fn touch(&self, object: Object, how: Use) {
        self.server.touch(self.session, object, how);
    }

    /// The tuple's key in each index of a table; `None` for an index that does not include it.
    pub(crate) fn keys(&self, table: &TableDef, tuple: &Tuple) -> Result<Vec<Option<Vec<Value>>>> {
        (0..table.indexes.len()).map(|index| self.key(table, index, tuple)).collect()
    }

    /// The tuple's key in one index.
    pub(crate) fn key(&self, table: &TableDef, index: usize, tuple: &Tuple) -> Result<Option<Vec<Value>>> {
        let index = &table.indexes[index];
        if !index.ready {
            return Ok(None);
        }
        let cells = [Slotted::row(tuple.clone())];
        let env = Env::level(None, None, &cells);
        if let Some(filter) = &index.filter
            && self.now(filter, &env)? != Value::Bool(true)
        {
            return Ok(None);
        }
        let key = |key: &Expr| match key {
            Expr::Column { column, .. } => Ok(tuple[*column].clone()),
            other => self.now(other, &env),
        };
        index.keys.iter().map(key).collect::<Result<_>>().map(Some)
    }

    /// Records a use of the rows with these keys.
    pub(crate) fn touch_keys(&self, table: TableId, keys: &[Option<Vec<Value>>], how: Use) {
        if keys.is_empty() {
            self.touch(Object::Table(table), how);
        }
        for (index, key) in keys.iter().enumerate() {
            if let Some(key) = key {
                self.touch(Object::Key(table, key_digest(index, key)), how);
            }
        }
    }

    /// Records a use of this row, under each of its keys.
    pub(crate) fn touch_row(&self, table: &TableDef, tuple: &Tuple, how: Use) -> Result<()> {
        if !self.server.tracks.get() {
            return Ok(());
        }
        let [index] = &table.indexes[..] else {
            self.touch_keys(table.id, &self.keys(table, tuple)?, how);
            return Ok(());
        };
        // Most tables have a single one-column key, which needs no allocation.
        match &index.keys[..] {
            [Expr::Column { column, .. }] if index.filter.is_none() => {
                let key = key_digest(0, std::slice::from_ref(&tuple[*column]));
                self.touch(Object::Key(table.id, key), how);
            }
            _ => self.touch_keys(table.id, &self.keys(table, tuple)?, how),
        }
        Ok(())
    }

    /// Records a change of the transaction.
    pub(crate) fn account(&self, table: &Rc<TableDef>, before: Option<Tuple>, after: Option<Tuple>) {
        self.server.backend(self.session).changes.push(Change { table: table.clone(), before, after });
    }
}

/// The columns that a foreign key may refer to: those of unique indexes over plain columns and all rows. An update that
/// leaves them unchanged takes the weaker row lock (manual, 13.3.2).
pub(crate) fn key_columns(table: &TableDef) -> impl Iterator<Item = usize> + '_ {
    let usable = table.indexes.iter().filter(|index| index.unique && index.filter.is_none());
    usable.flat_map(|index| index.plain_columns())
}

/// The lock that an update takes on its row.
pub(crate) fn update_strength(table: &TableDef, before: &Tuple, after: &Tuple) -> LockStrength {
    let changed = key_columns(table).any(|column| before[column] != after[column]);
    if changed { LockStrength::Update } else { LockStrength::NoKeyUpdate }
}
