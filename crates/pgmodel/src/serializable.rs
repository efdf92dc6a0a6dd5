//! SERIALIZABLE: serializable snapshot isolation, following src/backend/storage/lmgr/predicate.c and README-SSI (Ports
//! and Grittner, "Serializable Snapshot Isolation in PostgreSQL", VLDB 2012).
//!
//! A serializable transaction marks everything that it reads (`held`). An rw-conflict between two transactions is
//! recorded (`conflict`) if one writes what the other has marked, or reads a version that it must not see. A
//! transaction in the middle of two conflicts, the second of which points to the first to commit, fails. The places of
//! the marks depend on the server's plan (`plan`) and on how many rows fit a page (`fits`). What the model cannot know
//! is marked as doubtful; a transaction that would get into a conflict by a doubtful mark is refused.
//!
//! Transactions of other levels do not take part; they only check a flag.

use std::collections::{BTreeMap, BTreeSet};

use crate::lock::SessionNo;
use crate::transaction::Xid;
use held::Marks;

mod conflict;
mod definition;
mod end;
mod fits;
mod held;
mod plan;
mod reading;
mod snapshot;
mod writing;

pub(crate) use plan::{PRICES, Reading};
pub(crate) use writing::Entries;

/// The parameter for the granularity of marks: `page`, as on the server in a small table, or `key`.
pub(crate) const GRANULARITY: &str = "retrial.predicate_lock_granularity";

/// A serializable transaction's number; numbers increase in the order of snapshots.
pub(crate) type Number = u32;

/// The state shared by all serializable transactions.
#[derive(Debug, Default)]
pub(crate) struct Serializable {
    transactions: BTreeMap<Number, Participant>,
    next: Number,
    /// The rw-conflicts: the reader, then the transaction that has since written what it read.
    conflicts: BTreeSet<(Number, Number)>,
    /// The transactions that may still make a read-only transaction's snapshot unsafe: the reader, then the writer.
    possibly_unsafe: BTreeSet<(Number, Number)>,
    /// The last number in the common order of prepares and commits.
    last_commit: u64,
    /// Commits up to this one overlap no transaction that may still write.
    clearable: u64,
    cleared: u64,
    /// The oldest xmin of a running transaction.
    oldest: Option<Xid>,
    /// The granularities that have been used so far.
    granularities: BTreeSet<Granularity>,
}

/// The granularity of a transaction's marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Granularity {
    /// As on the server in tables of a few rows: a reader marks whole pages, including their other rows.
    Page,
    /// As on the server in tables of thousands of rows that are read through an index.
    Key,
}

impl Granularity {
    /// The value of the parameter.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Granularity::Page => "page",
            Granularity::Key => "key",
        }
    }
}

/// A serializable transaction, kept while it or a transaction that overlapped it is running.
#[derive(Debug)]
struct Participant {
    session: SessionNo,
    xid: Option<Xid>,
    /// The oldest transaction that was running when the snapshot was taken.
    xmin: Xid,
    /// The last commit that its snapshot sees.
    seen: u64,
    /// The positions of its prepare and its commit, once it has committed.
    committed: Option<(u64, u64)>,
    /// The number that the next transaction had when this one finished.
    finished_before: Xid,
    /// The earliest commit among the transactions it has conflicts out to, kept after they are forgotten.
    earliest_out: Option<u64>,
    /// Declared READ ONLY, or committed without a write.
    read_only: bool,
    wrote: bool,
    /// It must not commit.
    doomed: bool,
    safety: Safety,
    /// It is waiting for a safe snapshot.
    waits: bool,
    marks: Marks,
}

/// What is known about the safety of a read-only transaction's snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Safety {
    Unknown,
    Safe,
    Unsafe,
}

/// Whether something is known to be so on the server, or may or may not be so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Certainty {
    Doubtful,
    Sure,
}

impl Serializable {
    /// Clears all state.
    pub(crate) fn reset(&mut self) {
        if self.next > 0 {
            *self = Serializable::default();
        }
    }

    /// The granularities that have been used so far.
    pub(crate) fn granularities(&self) -> impl Iterator<Item = Granularity> {
        self.granularities.iter().copied()
    }

    /// Records the number by which a transaction's writes are identified.
    pub(crate) fn register(&mut self, number: Number, xid: Xid) {
        if let Some(participant) = self.transactions.get_mut(&number) {
            participant.xid = Some(xid);
        }
    }

    fn is_running(&self, number: Number) -> bool {
        self.transactions.get(&number).is_some_and(|it| it.committed.is_none())
    }

    fn participant(&mut self, number: Number) -> &mut Participant {
        self.transactions.get_mut(&number).expect("a transaction's number is forgotten after the transaction")
    }
}
