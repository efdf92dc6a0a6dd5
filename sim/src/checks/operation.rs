//! Logical operations, and whether an acknowledged one was lost. Each operation has the columns that it *intended* to
//! change, those that it *wrote*, and the version of the row that it was based on. An acknowledged intent must be in
//! the final row, or be superseded by an operation that had seen it. An operation is what its caller regards as one
//! unit of work; it may span many statements, transactions and requests.
//!
//! A read counts as of the time it was made or, if its request has `as_of`, as of the commit of its part named there.
//!
//! What an operation wrote needs no record of its own: it is every commit of its actor to its row from its beginning to
//! its acknowledgement, to the actor's next operation on that row, or to the end of its process. The versions of a row
//! are its states while it exists, in commit order (A. Adya, "Weak Consistency", MIT 1999). Between a delete and an add
//! it has no version. Rows with the same first column are one row, of which the last that was added counts.
//!
//! Each version after the one that carried out the intent is judged by its writer:
//! - An operation that intends the column with that value, and is based on nothing (a blind write) or on a read after
//!   the intent's version, supersedes it.
//! - One whose read came before has not seen it: a lost update (P4: Berenson et al., "A Critique of ANSI SQL Isolation
//!   Levels", SIGMOD 1995), even if both wrote the same value, as two increments do. But if it had read the intended
//!   value, nothing is lost: the order in which it comes second explains what it read.
//! - A writer that does not intend the column carries the value along and must not change it. If it does, that is a
//!   stale overwrite if the new value had been in the row before the intent's, otherwise a lost update.
//!
//! An operation takes effect at one instant (M. Herlihy, J. Wing, "Linearizability", TOPLAS 1990), however many commits
//! it makes. Its intent therefore counts where it first wrote it; if it writes the value again over what came in
//! between, it counts as a writer that only carries the column along. That is a stale write spread over several
//! transactions. Checkers of transactions pass it, because each of those has read what it overwrites (K. Kingsbury, P.
//! Alvaro, "Elle", VLDB 2020, calls an update lost if two *transactions* wrote after both had read the same version).
//! An operation also takes effect before it is acknowledged: an intent that was not carried out by then is a lost
//! acknowledgement.
//!
//! An intent whose value was already in the row needs no version of its own: it refers to the existing one. A row that
//! nothing in the trial writes has no known version, so an operation with nothing to change must not declare an intent
//! on it.
//!
//! An operation that supersedes an intent is accountable for it only once it is acknowledged itself; before that,
//! either value may be in the row.
//!
//! Not judged: intents that were never acknowledged; and rows that are absent at the end, which are another invariant's
//! concern. An operation that meant to delete the row ends all intents before it.

use crate::engine::Value;
use crate::point::ActorId;
use crate::trace::{EventKind, Field, Request, Stage, Trace};

pub(crate) use self::history::RowVersions;
pub use self::judgement::{Lost, losses, lost};

mod history;
mod judgement;

/// A logical operation on one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The actor that performs it.
    pub actor: ActorId,
    /// The table, or the part that keeps one.
    pub part: &'static str,
    /// The value of the row's first column, which identifies it.
    pub row: Value,
    /// The event at which it began.
    pub began: usize,
    /// The events at which it read its row, in order.
    pub reads: Vec<usize>,
    /// What it intends to change, in order of declaration. The last declaration of a column is what it is acknowledged
    /// for; those before are intermediate steps.
    pub intends: Vec<Intent>,
    /// Whether it intends to delete the row.
    pub deletes: bool,
    /// The event at which it was acknowledged to its caller; none if it never was.
    pub acknowledged: Option<usize>,
}

/// The value that an operation intends for a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The column.
    pub column: &'static str,
    /// Its value.
    pub value: Value,
    /// The event of the read that the value was derived from; none for a value that does not depend on the row.
    pub based_on: Option<usize>,
}

/// The operations on rows of that table or part, as their actors have recorded them, in the order in which they began.
pub fn recorded(trace: &Trace, part: &str) -> Vec<Operation> {
    let mut operations: Vec<Operation> = Vec::new();
    // For each operation number its index in `operations`; none if it is on another part.
    let mut places: Vec<Option<usize>> = Vec::new();
    let mut asked: Vec<Option<usize>> = vec![None; trace.cast.len()];
    // The commits of the part, because a read may be as of one of them and not of its own time.
    let mut commits: Vec<usize> = Vec::new();
    for (index, event) in trace.events.iter().enumerate() {
        let (number, stage) = match &event.kind {
            EventKind::Operated(number, stage) => (*number as usize, stage),
            EventKind::Ran(_) => {
                asked[event.actor.index()] = Some(index);
                continue;
            }
            EventKind::Requested(request) if request.part == part => {
                asked[event.actor.index()] = Some(seen_at(request, &commits).unwrap_or(index));
                continue;
            }
            EventKind::Committed(changes) if changes.iter().any(|change| change.table.name == part) => {
                commits.push(index);
                continue;
            }
            _ => continue,
        };
        if let Stage::Began(subject) = stage {
            places.resize(places.len().max(number + 1), None);
            if subject.0 == part {
                places[number] = Some(operations.len());
                operations.push(Operation::begun(event.actor, subject, index));
            }
            continue;
        }
        let Some(operation) = places.get(number).copied().flatten().map(|place| &mut operations[place])
        else {
            continue;
        };
        match stage {
            Stage::Began(_) => {}
            Stage::Saw => operation.reads.push(asked[event.actor.index()].unwrap_or(index)),
            Stage::Intends(fields) => fields.iter().for_each(|field| operation.intend(field)),
            Stage::Deletes => operation.deletes = true,
            Stage::Acknowledged => operation.acknowledged = Some(index),
        }
    }
    operations
}

/// The event whose state a request saw, if the request says as of which commit of its part it read.
pub fn seen_at(request: &Request, commits: &[usize]) -> Option<usize> {
    let as_of = request.field("as_of")?.integer()?;
    Some(usize::try_from(as_of - 1).map_or(0, |place| commits[place]))
}

impl Operation {
    fn begun(actor: ActorId, subject: &(&'static str, Value), began: usize) -> Operation {
        let (part, row) = (subject.0, subject.1.clone());
        let (reads, intends) = (Vec::new(), Vec::new());
        Operation { actor, part, row, began, reads, intends, deletes: false, acknowledged: None }
    }

    fn intend(&mut self, (column, value): &Field) {
        let intent = Intent { column, value: value.clone(), based_on: self.reads.last().copied() };
        self.intends.retain(|known| (known.column, &known.value) != (column, value));
        self.intends.push(intent);
    }

    /// What it finally intends: the last declaration of each column.
    pub fn means(&self) -> impl Iterator<Item = &Intent> {
        let is_last = |at: &usize| {
            let column = self.intends[*at].column;
            self.intends[at + 1..].iter().all(|later| later.column != column)
        };
        (0..self.intends.len()).filter(is_last).map(|at| &self.intends[at])
    }
}
