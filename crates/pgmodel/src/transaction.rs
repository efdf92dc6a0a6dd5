//! Transactions, their outcomes, and snapshot visibility.
//!
//! A snapshot is a position in the order of commits. It sees what committed at or before it, and what its own
//! transaction did in earlier commands (manual, 13.2). It never sees the writes of an aborted transaction.

use retrial_pgmodel_sql::ast::Isolation;

use crate::footprint::Footprint;
use crate::lock::SessionNo;
use crate::notify::Pending;

/// The number of a transaction or subtransaction, assigned when it first writes or locks a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Xid(pub u32);

impl Xid {
    /// The creator of the initial rows, committed before everything else.
    pub(crate) const FROZEN: Xid = Xid(0);
}

/// The status of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// It is running.
    Running,
    /// It committed; the value is its position in the order of commits, from 1.
    Committed(u64),
    /// It was rolled back.
    Aborted,
}

#[derive(Clone, Copy, Debug)]
struct Xact {
    status: Status,
    parent: Option<Xid>,
    session: SessionNo,
}

/// All transactions since the initial state.
#[derive(Debug)]
pub(crate) struct Transactions {
    xacts: Vec<Xact>,
    commits: u64,
}

/// A snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// The number of transactions that had committed.
    pub(crate) at: u64,
    /// Its own transaction's commands from this one on are not visible.
    pub(crate) command: u32,
}

impl Transactions {
    pub(crate) fn new() -> Transactions {
        let frozen = Xact { status: Status::Committed(0), parent: None, session: SessionNo(u32::MAX) };
        Transactions { xacts: vec![frozen], commits: 0 }
    }

    pub(crate) fn reset(&mut self) {
        self.xacts.truncate(1);
        self.commits = 0;
    }

    pub(crate) fn assign(&mut self, session: SessionNo, parent: Option<Xid>) -> Xid {
        self.xacts.push(Xact { status: Status::Running, parent, session });
        Xid(self.xacts.len() as u32 - 1)
    }

    pub(crate) fn status(&self, xid: Xid) -> Status {
        self.xacts[xid.0 as usize].status
    }

    pub(crate) fn is_running(&self, xid: Xid) -> bool {
        self.status(xid) == Status::Running
    }

    pub(crate) fn session(&self, xid: Xid) -> SessionNo {
        self.xacts[xid.0 as usize].session
    }

    pub(crate) fn parent(&self, xid: Xid) -> Option<Xid> {
        self.xacts[xid.0 as usize].parent
    }

    /// Whether it is running in that session, which has one transaction at a time.
    pub(crate) fn is_own(&self, xid: Xid, session: SessionNo) -> bool {
        let xact = &self.xacts[xid.0 as usize];
        xact.status == Status::Running && xact.session == session
    }

    /// The top-level transaction of a subtransaction.
    pub(crate) fn top(&self, xid: Xid) -> Xid {
        let mut top = xid;
        while let Some(parent) = self.parent(top) {
            top = parent;
        }
        top
    }

    /// The oldest running transaction, or the next to be assigned if none is running.
    pub(crate) fn oldest_running(&self) -> Xid {
        let oldest = self.xacts.iter().position(|xact| xact.status == Status::Running);
        oldest.map_or(self.next(), |oldest| Xid(oldest as u32))
    }

    /// The number that the next transaction will get.
    pub(crate) fn next(&self) -> Xid {
        Xid(self.xacts.len() as u32)
    }

    pub(crate) fn commit(&mut self, xids: &[Xid]) {
        self.commits += 1;
        for xid in xids {
            self.xacts[xid.0 as usize].status = Status::Committed(self.commits);
        }
    }

    pub(crate) fn abort(&mut self, xids: &[Xid]) {
        for xid in xids {
            self.xacts[xid.0 as usize].status = Status::Aborted;
        }
    }

    pub(crate) fn snapshot(&self, command: u32) -> Snapshot {
        Snapshot { at: self.commits, command }
    }

    /// Whether a snapshot of that session sees what `xid` did in `command`.
    pub(crate) fn sees(&self, snapshot: Snapshot, session: SessionNo, xid: Xid, command: u32) -> bool {
        let xact = &self.xacts[xid.0 as usize];
        match xact.status {
            Status::Committed(at) => at <= snapshot.at,
            Status::Running => xact.session == session && command < snapshot.command,
            Status::Aborted => false,
        }
    }
}

/// A session's open transaction.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) isolation: Isolation,
    pub(crate) read_only: bool,
    pub(crate) deferrable: bool,
    /// Its number among the serializable transactions, while it takes part.
    pub(crate) serializable: Option<u32>,
    /// Whether BEGIN was sent; otherwise it belongs to a single statement or to a text of several.
    pub(crate) explicit: bool,
    /// Whether an error has aborted it, so that only its end is accepted.
    pub(crate) failed: bool,
    /// Whether a snapshot has been taken, so that the isolation level can no longer be changed.
    pub(crate) has_snapshot: bool,
    /// Whether the current statement has a snapshot, for which others may have to wait.
    pub(crate) reads: bool,
    /// The snapshot of a repeatable read or serializable transaction.
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) command: u32,
    /// Whether the current command has written, so that the next one gets a new number.
    pub(crate) command_used: bool,
    /// The transaction itself, followed by its open savepoints.
    pub(crate) levels: Vec<Level>,
    pub(crate) started: i64,
    /// The objects it has locked or written, if footprints are tracked.
    pub(crate) held: Footprint,
}

/// The transaction itself or one of its savepoints.
#[derive(Debug)]
pub(crate) struct Level {
    pub(crate) name: String,
    pub(crate) xid: Option<Xid>,
    /// Ids of released savepoints in it, which commit or abort with it.
    pub(crate) released: Vec<Xid>,
    /// The length of the change list when it began.
    pub(crate) changes: usize,
    /// The length of the undo list of definitions when it began.
    pub(crate) undo: usize,
    /// The length of the list of previous settings when it began, from which a rollback restores them.
    pub(crate) settings: usize,
    /// Whether the transaction was read-only when the level began; restored when the level ends in either way.
    pub(crate) read_only: bool,
    /// Its pending LISTEN, UNLISTEN and NOTIFY.
    pub(crate) pending: Option<Box<Pending>>,
}

impl Transaction {
    pub(crate) fn new(isolation: Isolation, explicit: bool, started: i64) -> Transaction {
        let top = Level {
            name: String::new(),
            xid: None,
            released: Vec::new(),
            changes: 0,
            undo: 0,
            settings: 0,
            read_only: false,
            pending: None,
        };
        Transaction {
            isolation,
            read_only: false,
            deferrable: false,
            serializable: None,
            explicit,
            failed: false,
            has_snapshot: false,
            reads: false,
            snapshot: None,
            command: 0,
            command_used: false,
            levels: vec![top],
            started,
            held: Footprint::default(),
        }
    }

    /// Whether the transaction or its current statement has a snapshot.
    pub(crate) fn holds_snapshot(&self) -> bool {
        self.reads || self.snapshot.is_some()
    }

    /// Whether all statements share one snapshot.
    pub(crate) fn keeps_snapshot(&self) -> bool {
        matches!(self.isolation, Isolation::RepeatableRead | Isolation::Serializable)
    }

    /// Whether its next snapshot makes it take part in serializable isolation.
    pub(crate) fn begins_serializable(&self) -> bool {
        self.isolation == Isolation::Serializable && self.snapshot.is_none()
    }

    /// Whether an error has aborted all of it.
    pub(crate) fn is_over(&self) -> bool {
        self.failed && self.levels.len() == 1
    }

    /// The ids of all levels from `depth` on.
    pub(crate) fn xids(&self, depth: usize) -> Vec<Xid> {
        self.levels[depth..]
            .iter()
            .flat_map(|level| level.xid.into_iter().chain(level.released.iter().copied()))
            .collect()
    }
}
