//! One session of the server: its transaction, settings, held locks and running statement.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};

use retrial_pgmodel_sql::ast::{Isolation, TableLockMode};
use retrial_pgmodel_sql::catalog::TableId;
use retrial_pgmodel_sql::error::{Failure, Result};
use retrial_pgmodel_sql::stack;

use crate::choice::Rerun;
use crate::footprint::Footprint;
use crate::heap::Heap;
use crate::lock::LockTag;
use crate::notify::Ears;
use crate::outcome::{Change, Notices, Outcome};
use crate::routine::Calls;
use crate::transaction::Transaction;

use crate::schema::Pending;
use crate::sequence::Sequence;
use crate::serializable::{GRANULARITY, Granularity};

/// The statements that a session is executing.
pub(crate) struct Running {
    work: Option<Pin<Box<dyn Future<Output = ()>>>>,
    /// Their nesting depth.
    depth: u32,
}

impl Running {
    pub(crate) fn new(depth: u32, work: impl Future<Output = ()> + 'static) -> Running {
        Running { work: Some(Box::pin(work)), depth }
    }

    /// Runs them as far as possible; returns whether they have finished.
    pub(crate) fn poll(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        stack::with_depth(self.depth, || {
            let done = self.work.as_mut().is_none_or(|work| work.as_mut().poll(&mut context).is_ready());
            if done {
                self.work = None;
            }
            done
        })
    }
}

impl Drop for Running {
    /// A cancelled statement may be the last owner of deeply nested plans, so dropping it needs stack space as well.
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            stack::with_depth(self.depth, || drop(work));
        }
    }
}

/// A session's state.
pub(crate) struct Backend {
    pub(crate) open: bool,
    pub(crate) transaction: Option<Transaction>,
    /// Its entries in the lock table, in the order of acquisition.
    pub(crate) held: Vec<Held>,
    pub(crate) settings: Settings,
    /// Settings to restore: all of them at rollback, those of SET LOCAL at commit.
    pub(crate) settings_before: Vec<SettingBefore>,
    pub(crate) wait: Wait,
    pub(crate) statement_deadline: Option<u64>,
    /// When the current query string arrived.
    pub(crate) statement_started: i64,
    /// Whether the query string came by the simple query protocol, without parameters.
    pub(crate) simple: bool,
    /// Whether the query string has several statements, which form a transaction block without BEGIN.
    pub(crate) several: bool,
    /// The parameters that the session started with; RESET restores them.
    pub(crate) startup: BTreeMap<String, String>,
    /// The function calls that the statement has reached.
    pub(crate) calls: Calls,
    pub(crate) running: Option<Running>,
    /// The row changes of the open transaction, in order.
    pub(crate) changes: Vec<Change>,
    /// How to undo the open transaction's DDL.
    pub(crate) undo: Vec<Undo>,
    pub(crate) results: Vec<Result<Outcome>>,
    pub(crate) notices: Notices,
    pub(crate) committed: Vec<Change>,
    pub(crate) work: Work,
    pub(crate) footprint: Footprint,
    /// The value that each sequence last returned to this session.
    pub(crate) sequences: BTreeMap<TableId, i64>,
    pub(crate) last_sequence: Option<TableId>,
    /// The channels it listens to.
    pub(crate) ears: Ears,
    /// Whether its driver chooses the plan of a statement whose result depends on it, and the choice made.
    pub(crate) answers: bool,
    pub(crate) rerun: Option<Rerun>,
    /// How many transactions it has begun; identifies one that another session waits for.
    pub(crate) transactions: u32,
    /// Whether another session waits for the end of its current transaction.
    pub(crate) awaited: bool,
}

/// The rows that a statement visited: read and written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Row versions read or written.
    pub rows: u64,
    /// How many of them were visited by scans of whole tables.
    pub scanned: u64,
}

/// A lock in the lock table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) tag: LockTag,
    pub(crate) mode: TableLockMode,
    /// The savepoint depth at which it was taken, 0 for the transaction itself; `None` if it outlives the transaction.
    pub(crate) depth: Option<usize>,
}

/// How to undo a DDL change.
#[derive(Debug)]
pub(crate) enum Undo {
    /// The table's definition in this transaction before the change, if the transaction had changed it already.
    Definition(TableId, Option<Pending>),
    /// The table's rows before the change.
    Rows(TableId, Box<Heap>),
    /// Removes the index that was added last; the table's rows and their locks stay.
    CreatedIndex(TableId),
    /// Removes the created table.
    Created(TableId),
    /// Removes the created function.
    CreatedRoutine(u32),
    /// Restores the dropped function.
    DroppedRoutine(u32),
    /// Removes the created sequence.
    CreatedSequence(TableId),
    /// Restores the dropped sequence.
    DroppedSequence(TableId),
    /// The sequence's state before the restart.
    RestartedSequence(TableId, Sequence),
}

/// Whether and for what a session waits.
#[derive(Clone, Debug, Default)]
pub(crate) enum Wait {
    /// It does not wait.
    #[default]
    No,
    /// For a lock.
    Lock { tag: LockTag, deadlock_check: Option<u64>, lock_deadline: Option<u64> },
    /// Waits for its driver to choose a plan.
    Choice,
    /// Waits for the clock.
    Sleep { until: u64 },
    /// Waits for a safe snapshot.
    Snapshot,
    /// The wait is over: the statement may continue.
    Over,
    /// The wait is over: the statement fails.
    Failed(Failure),
}

/// The settings that affect the model. Times are in nanoseconds; 0 means never.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) lock_timeout: u64,
    pub(crate) statement_timeout: u64,
    pub(crate) deadlock_timeout: u64,
    pub(crate) default_isolation: Isolation,
    pub(crate) default_read_only: bool,
    pub(crate) default_deferrable: bool,
    /// Parameters that change nothing in the model, such as `application_name`, and custom ones.
    pub(crate) others: BTreeMap<String, String>,
}

/// Settings as they were before a SET.
pub(crate) struct SettingBefore {
    pub(crate) local: bool,
    pub(crate) name: String,
    pub(crate) settings: Settings,
}

impl Settings {
    /// The granularity at which the session's serializable transactions mark what they read.
    pub(crate) fn granularity(&self) -> Granularity {
        match self.others.get(GRANULARITY) {
            Some(value) if value == Granularity::Key.name() => Granularity::Key,
            _ => Granularity::Page,
        }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            lock_timeout: 0,
            statement_timeout: 0,
            deadlock_timeout: 1_000_000_000,
            default_isolation: Isolation::ReadCommitted,
            default_read_only: false,
            default_deferrable: false,
            others: BTreeMap::new(),
        }
    }
}

impl Backend {
    pub(crate) fn new() -> Backend {
        Backend {
            open: true,
            transaction: None,
            held: Vec::new(),
            settings: Settings::default(),
            settings_before: Vec::new(),
            wait: Wait::No,
            statement_deadline: None,
            statement_started: 0,
            simple: false,
            several: false,
            startup: BTreeMap::new(),
            calls: Calls::default(),
            running: None,
            changes: Vec::new(),
            undo: Vec::new(),
            results: Vec::new(),
            notices: Notices::default(),
            committed: Vec::new(),
            work: Work::default(),
            footprint: Footprint::default(),
            sequences: BTreeMap::new(),
            last_sequence: None,
            ears: Ears::default(),
            answers: false,
            rerun: None,
            transactions: 0,
            awaited: false,
        }
    }

    /// The open transaction. A running statement always has one.
    pub(crate) fn xact(&mut self) -> &mut Transaction {
        self.transaction.as_mut().expect("a statement runs in a transaction")
    }

    /// Whether the session is in a transaction block.
    pub(crate) fn in_block(&self) -> bool {
        self.several || self.transaction.as_ref().is_some_and(|transaction| transaction.explicit)
    }

    /// Sets the application name of a new session.
    pub(crate) fn call(&mut self, application: &str) {
        self.startup.insert("application_name".to_owned(), application.to_owned());
        self.settings.others = self.startup.clone();
    }

    /// How many savepoints are open.
    pub(crate) fn depth(&self) -> usize {
        self.transaction.as_ref().map_or(0, |transaction| transaction.levels.len() - 1)
    }
}
