//! One session as the server keeps it: its transaction, settings, locks held and the statement it works on.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};

use crate::ast::{Isolation, TableLockMode};
use crate::choice::Rerun;
use crate::error::{Failure, Result};
use crate::footprint::Footprint;
use crate::heap::Heap;
use crate::lock::LockTag;
use crate::notify::Ears;
use crate::outcome::{Change, Notices, Outcome};
use crate::routine::Calls;
use crate::stack;
use crate::transaction::Transaction;

use crate::catalog::TableId;
use crate::schema::Pending;
use crate::sequence::Sequence;
use crate::serializable::{GRANULARITY, Granularity};

/// The statements that a session works on.
pub(crate) struct Running {
    work: Option<Pin<Box<dyn Future<Output = ()>>>>,
    /// How deep they nest.
    depth: u32,
}

impl Running {
    pub(crate) fn new(depth: u32, work: impl Future<Output = ()> + 'static) -> Running {
        Running { work: Some(Box::pin(work)), depth }
    }

    /// Goes on as far as they get; whether they are done.
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
    /// A statement that is given up drops the plans that only it had.
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
    /// Every lock in the lock table, in the order of taking.
    pub(crate) held: Vec<Held>,
    pub(crate) settings: Settings,
    /// Settings to put back: at rollback all of them, at commit those of SET LOCAL.
    pub(crate) settings_before: Vec<SettingBefore>,
    pub(crate) wait: Wait,
    pub(crate) statement_deadline: Option<u64>,
    /// When the text came that it works on.
    pub(crate) statement_started: i64,
    /// The text came by the simple query protocol, without parameters.
    pub(crate) simple: bool,
    /// The text has several statements, which are a transaction block without BEGIN.
    pub(crate) several: bool,
    /// The parameters that the session began with, which RESET goes back to.
    pub(crate) startup: BTreeMap<String, String>,
    /// The calls of functions that the statement has come to.
    pub(crate) calls: Calls,
    pub(crate) running: Option<Running>,
    /// What the open transaction has done to rows, in order.
    pub(crate) changes: Vec<Change>,
    /// How to take back what the open transaction has done to definitions.
    pub(crate) undo: Vec<Undo>,
    pub(crate) results: Vec<Result<Outcome>>,
    pub(crate) notices: Notices,
    pub(crate) committed: Vec<Change>,
    pub(crate) work: Work,
    pub(crate) footprint: Footprint,
    /// What each sequence last gave this session.
    pub(crate) sequences: BTreeMap<TableId, i64>,
    pub(crate) last_sequence: Option<TableId>,
    /// What it listens to.
    pub(crate) ears: Ears,
    /// Whether its driver says by which plan a statement is run that leaves it open, and what it has said.
    pub(crate) answers: bool,
    pub(crate) rerun: Option<Rerun>,
    /// How many transactions it has begun, so that one can be waited for.
    pub(crate) transactions: u32,
    /// Whether somebody waits for the end of the one that it has now.
    pub(crate) awaited: bool,
}

/// The rows that a statement visited: what it looked at, and what it wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Row versions looked at or written.
    pub rows: u64,
    /// Of them, in scans of whole tables.
    pub scanned: u64,
}

/// A lock in the lock table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) tag: LockTag,
    pub(crate) mode: TableLockMode,
    /// The savepoint depth it was taken at, 0 for the transaction itself; none if it outlives the transaction.
    pub(crate) depth: Option<usize>,
}

/// How to take back a change of definitions.
#[derive(Debug)]
pub(crate) enum Undo {
    /// The transaction had made this of the table's definition before.
    Definition(TableId, Option<Pending>),
    /// The table's rows were these.
    Rows(TableId, Box<Heap>),
    /// The table did not have the index, the last one; its rows and their locks stay.
    CreatedIndex(TableId),
    /// The table was not there.
    Created(TableId),
    /// The function was not there.
    CreatedRoutine(u32),
    /// The function was there.
    DroppedRoutine(u32),
    /// The sequence was not there.
    CreatedSequence(TableId),
    /// The sequence was there.
    DroppedSequence(TableId),
    /// The sequence had given these numbers.
    RestartedSequence(TableId, Sequence),
}

/// Whether a session waits.
#[derive(Clone, Debug, Default)]
pub(crate) enum Wait {
    /// It does not.
    #[default]
    No,
    /// For a lock.
    Lock { tag: LockTag, deadlock_check: Option<u64>, lock_deadline: Option<u64> },
    /// For its driver to choose a plan.
    Choice,
    /// For the clock.
    Sleep { until: u64 },
    /// For a snapshot that is safe.
    Snapshot,
    /// No longer: it may go on.
    Over,
    /// No longer: the statement fails.
    Failed(Failure),
}

/// The parameters that SET changes and that the model acts upon. Times are in nanoseconds, 0 means never.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) lock_timeout: u64,
    pub(crate) statement_timeout: u64,
    pub(crate) deadlock_timeout: u64,
    pub(crate) default_isolation: Isolation,
    pub(crate) default_read_only: bool,
    pub(crate) default_deferrable: bool,
    /// Parameters that change nothing the model shows, such as `application_name`, and custom ones.
    pub(crate) others: BTreeMap<String, String>,
}

/// The settings before a SET.
pub(crate) struct SettingBefore {
    pub(crate) local: bool,
    pub(crate) name: String,
    pub(crate) settings: Settings,
}

impl Settings {
    /// How fine the session's serializable transactions mark what they read.
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

    /// The open transaction, where the caller is inside a statement, which always has one.
    pub(crate) fn xact(&mut self) -> &mut Transaction {
        self.transaction.as_mut().expect("a statement runs in a transaction")
    }

    /// Whether it is in a transaction block.
    pub(crate) fn in_block(&self) -> bool {
        self.several || self.transaction.as_ref().is_some_and(|transaction| transaction.explicit)
    }

    /// Gives a new session the name that it calls itself.
    pub(crate) fn call(&mut self, application: &str) {
        self.startup.insert("application_name".to_owned(), application.to_owned());
        self.settings.others = self.startup.clone();
    }

    /// How deep in savepoints the session is.
    pub(crate) fn depth(&self) -> usize {
        self.transaction.as_ref().map_or(0, |transaction| transaction.levels.len() - 1)
    }
}
