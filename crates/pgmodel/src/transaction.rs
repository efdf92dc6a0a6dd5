//! Which transactions there are, what became of them, and what a snapshot sees of them.
//!
//! A snapshot is a position in the order of commits: it sees what committed at or before it and what its own
//! transaction did in earlier commands (manual, 13.2). It must never see what an aborted transaction wrote.

use crate::ast::Isolation;
use crate::footprint::Footprint;
use crate::lock::SessionNo;
use crate::notify::Pending;

/// A transaction's or subtransaction's number, given to it when it first writes or locks a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Xid(pub u32);

impl Xid {
    /// Whoever wrote the initial rows: committed before everything.
    pub const FROZEN: Xid = Xid(0);
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It still runs.
    Running,
    /// It committed as the so-manieth.
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
pub struct Transactions {
    xacts: Vec<Xact>,
    commits: u64,
}

/// What a statement sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// How many transactions had committed.
    pub at: u64,
    /// Its own transaction's commands from this one on are not seen.
    pub command: u32,
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

    /// Whether it runs in that session: a session has one transaction at a time.
    pub(crate) fn is_own(&self, xid: Xid, session: SessionNo) -> bool {
        let xact = &self.xacts[xid.0 as usize];
        xact.status == Status::Running && xact.session == session
    }

    /// The transaction that a savepoint's number belongs to.
    pub(crate) fn top(&self, xid: Xid) -> Xid {
        let mut top = xid;
        while let Some(parent) = self.parent(top) {
            top = parent;
        }
        top
    }

    /// The oldest transaction that runs, or the next to come.
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
    /// Its number among the serializable ones, while it takes part.
    pub(crate) serializable: Option<u32>,
    /// BEGIN was sent; otherwise it is the statement's own, or that of a text of several statements.
    pub(crate) explicit: bool,
    /// An error has ended it; only its end is accepted.
    pub(crate) failed: bool,
    /// A snapshot has been taken, so that its isolation level can no longer be changed.
    pub(crate) has_snapshot: bool,
    /// The statement that is being worked on has a snapshot, which others may have to wait for.
    pub(crate) reads: bool,
    /// The snapshot of a repeatable read transaction.
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) command: u32,
    /// The command has written, so that the next one gets another number.
    pub(crate) command_used: bool,
    /// The transaction itself, then its open savepoints.
    pub(crate) levels: Vec<Level>,
    pub(crate) started: i64,
    /// What it has locked or written, where footprints are kept.
    pub(crate) held: Footprint,
}

/// The transaction itself or one of its savepoints.
#[derive(Debug)]
pub(crate) struct Level {
    pub(crate) name: String,
    pub(crate) xid: Option<Xid>,
    /// Ids of released savepoints inside it, which share its fate.
    pub(crate) released: Vec<Xid>,
    /// How long the account of changes was when it began.
    pub(crate) changes: usize,
    /// How long the list of undone definitions was when it began.
    pub(crate) undo: usize,
    /// The settings as they were, put back on rollback.
    pub(crate) settings: usize,
    /// Whether the transaction was read-only then, which it is again when the level ends, either way.
    pub(crate) read_only: bool,
    /// What it does at the commit to who listens.
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

    /// Whether it has a snapshot, its own or its statement's.
    pub(crate) fn holds_snapshot(&self) -> bool {
        self.reads || self.snapshot.is_some()
    }

    /// Whether every statement shares one snapshot.
    pub(crate) fn keeps_snapshot(&self) -> bool {
        matches!(self.isolation, Isolation::RepeatableRead | Isolation::Serializable)
    }

    /// Whether it is to take part among the serializable ones from now on.
    pub(crate) fn begins_serializable(&self) -> bool {
        self.isolation == Isolation::Serializable && self.snapshot.is_none()
    }

    /// Whether an error has ended all of it.
    pub(crate) fn is_over(&self) -> bool {
        self.failed && self.levels.len() == 1
    }

    /// All ids of the levels from `depth` on.
    pub(crate) fn xids(&self, depth: usize) -> Vec<Xid> {
        self.levels[depth..]
            .iter()
            .flat_map(|level| level.xid.into_iter().chain(level.released.iter().copied()))
            .collect()
    }
}
