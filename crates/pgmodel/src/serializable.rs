//! SERIALIZABLE: serializable snapshot isolation, as src/backend/storage/lmgr/predicate.c and README-SSI have it (Ports
//! and Grittner, "Serializable Snapshot Isolation in PostgreSQL", VLDB 2012).
//!
//! A serializable transaction leaves a mark on all that it reads (`held`), a writer that meets another's mark, and a
//! reader that meets a version which it must not see, note an rw-conflict between the two (`conflict`), and whoever
//! stands in the middle of two conflicts, the second of which points to the first to commit, fails. Where the marks are
//! depends on the server's plan (`plan`) and on what fits a page (`fits`). What the model cannot know is marked as
//! doubtful, and a transaction that a doubtful mark would put into a conflict is refused.
//!
//! Transactions of other levels take no part in it, and cost one look at a flag.

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

/// The parameter that says how fine the marks are: `page`, as a small table has them on the server, or `key`.
pub(crate) const GRANULARITY: &str = "retrial.predicate_lock_granularity";

/// A serializable transaction's number; numbers go up in the order of snapshots.
pub(crate) type Number = u32;

/// All that serializable transactions know of each other.
#[derive(Debug, Default)]
pub(crate) struct Serializable {
    transactions: BTreeMap<Number, Participant>,
    next: Number,
    /// Who has read what another has written since: the reader, then the writer.
    conflicts: BTreeSet<(Number, Number)>,
    /// Who may still make a read-only transaction's snapshot unsafe: the reader, then the writer.
    possibly_unsafe: BTreeSet<(Number, Number)>,
    /// The last number in the order of preparations and commits.
    last_commit: u64,
    /// Commits up to this one overlap no transaction that may still write.
    clearable: u64,
    cleared: u64,
    /// The oldest xmin of a running transaction.
    oldest: Option<Xid>,
    /// How fine the marks were asked to be so far.
    granularities: BTreeSet<Granularity>,
}

/// How fine the marks of a transaction are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Granularity {
    /// As the server has them in tables of a few rows: a reader marks whole pages, and with them their other rows.
    Page,
    /// As the server has them in tables of thousands of rows that it reads through an index.
    Key,
}

impl Granularity {
    /// The setting's value.
    pub fn name(self) -> &'static str {
        match self {
            Granularity::Page => "page",
            Granularity::Key => "key",
        }
    }
}

/// A serializable transaction, while it runs and as long as a transaction runs that has overlapped it.
#[derive(Debug)]
struct Participant {
    session: SessionNo,
    xid: Option<Xid>,
    /// The oldest transaction that ran when the snapshot was taken.
    xmin: Xid,
    /// The last commit that it sees.
    seen: u64,
    /// When it prepared and when it committed, if it has.
    committed: Option<(u64, u64)>,
    /// The next transaction's number at its end.
    finished_before: Xid,
    /// The earliest commit among those it has conflicts out to, kept after they are forgotten.
    earliest_out: Option<u64>,
    /// Declared so, or committed without a write.
    read_only: bool,
    wrote: bool,
    /// It must not commit.
    doomed: bool,
    safety: Safety,
    /// It waits for a safe snapshot.
    waits: bool,
    marks: Marks,
}

/// What is known of a read-only transaction's snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Safety {
    Unknown,
    Safe,
    Unsafe,
}

/// Whether something is known of the server, or may or may not be so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Certainty {
    Doubtful,
    Sure,
}

impl Serializable {
    /// Forgets everything.
    pub(crate) fn reset(&mut self) {
        if self.next > 0 {
            *self = Serializable::default();
        }
    }

    /// How fine the marks were asked to be so far.
    pub(crate) fn granularities(&self) -> impl Iterator<Item = Granularity> {
        self.granularities.iter().copied()
    }

    /// The transaction has got a number by which writes are known.
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
