//! Logical operations, and whether what they were acknowledged for is lost: for each the columns that it *intended* to
//! change, those that it *wrote*, and the version of the row that it was based on. An acknowledged intent stands in the
//! end, or was superseded by an operation that had seen it. It must never take a statement, a transaction or a request
//! for an operation: an operation is what its caller takes for one piece of work, and may be many of those.
//!
//! A read counts for when it was made; where its request says `as_of`, for the commit of its part that it names.
//!
//! What an operation wrote needs no record of its own: it is every commit of its actor to its row from its beginning to
//! its acknowledgement, or to the actor's next operation on that row, or to the end of its process. The versions of a
//! row are the states in which it was there, in commit order (A. Adya, "Weak Consistency", MIT 1999). While it is
//! absent between a delete and an add it has no version, and rows with the same first column are one row, of which the
//! last that was added counts.
//!
//! Over each version after the one by which the intent was carried out, it is asked who wrote it:
//! - An operation that intends the column with that value, and is based on nothing (a blind write), or on a read after
//!   the intent's version, supersedes it.
//! - One whose read came before has not seen it: a lost update (P4: Berenson et al., "A Critique of ANSI SQL Isolation
//!   Levels", SIGMOD 1995), also where both wrote the same value, as two increments do. Had it read the value that the
//!   intent is for, though, nothing is lost: the order in which it comes second explains what it read.
//! - Whoever does not intend the column carries it along, and has to leave the value as it is. If not, that is a stale
//!   overwrite where the new value had stood in the row before the intent's, else a lost update.
//!
//! An operation takes effect at one instant (M. Herlihy, J. Wing, "Linearizability", TOPLAS 1990), however many commits
//! it makes. So its intent counts where it first wrote it; if it writes it once more over what came in between, it is
//! carried along like any other. That is a stale write spread over several transactions. Checkers of transactions pass
//! it, because each of those has read what it overwrites (K. Kingsbury, P. Alvaro, "Elle", VLDB 2020, calls an update
//! lost where two *transactions* wrote what both had read the same version of). And it takes effect before it is
//! acknowledged: an intent that was not carried out by then is a lost acknowledgement.
//!
//! An intent whose value stood already needs no version of its own: it is about the one that stood. Of a row that
//! nobody in the trial writes no version is known, so whoever has nothing to change must not declare an intent there.
//!
//! What supersedes an intent answers for it only once it is acknowledged itself; before that, either value may stand.
//!
//! What is not judged: intents that were never acknowledged; and rows that are absent in the end, which is a matter of
//! rows and another invariant's. An operation that meant to delete the row ends all intents before it.

use std::fmt;
use std::rc::Rc;

use crate::actor::Actor;
use crate::digest::Digest;
use crate::engine::Value;
use crate::footprint::Use;
use crate::point::ActorId;
use crate::trace::{EventKind, Exchange, Field, Trace};

pub(crate) use self::history::RowVersions;
pub use self::judgement::{Lost, losses, lost};

mod history;
mod judgement;

/// A logical operation on one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Whose.
    pub actor: ActorId,
    /// The table, or the part that keeps one.
    pub part: &'static str,
    /// What the row is known by: the value of its first column.
    pub row: Value,
    /// The event at which it began.
    pub began: usize,
    /// The events at which it read its row, in order.
    pub reads: Vec<usize>,
    /// What it is to change, in the order in which that was declared. Of a column the last declaration is what it is
    /// acknowledged for; those before are steps on its way.
    pub intends: Vec<Intent>,
    /// Whether it means to delete the row.
    pub deletes: bool,
    /// The event at which its caller was told that it is done; none where nobody was.
    pub acknowledged: Option<usize>,
}

/// What an operation means a column to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The column.
    pub column: &'static str,
    /// Its value.
    pub value: Value,
    /// The event of the read that the value was made from; none for a value that does not depend on what stood there.
    pub based_on: Option<usize>,
}

/// How far an operation has come.
#[derive(Clone, Debug)]
pub enum Stage {
    /// It has begun, on a row of a table or a part.
    Began(Rc<(&'static str, Value)>),
    /// It has read its row.
    Saw,
    /// It is to change these columns to these values.
    Intends(Rc<[Field]>),
    /// It is to delete the row.
    Deletes,
    /// Its caller has been told that it is done.
    Acknowledged,
}

/// An operation that goes on. Dropping it says nothing: it is one that was never acknowledged.
#[derive(Debug)]
pub struct Ongoing {
    actor: Actor,
    number: u32,
}

impl Actor {
    /// Begins an operation on the row of that table or part which is known by that value. An actor may have several,
    /// each on another row; another one on the same row ends the one before.
    pub fn operation(&self, part: &'static str, row: impl Into<Value>) -> Ongoing {
        let number = self.shared.operations.get() + 1;
        self.shared.operations.set(number);
        let begun = Ongoing { actor: self.clone(), number };
        begun.tell(Stage::Began(Rc::new((part, row.into()))));
        begun
    }
}

impl Ongoing {
    /// It has read its row. What counts is when: at the actor's last statement, or its last request to that part, so
    /// this is said before there is another.
    pub fn saw(&self) {
        self.tell(Stage::Saw);
    }

    /// It is to change these columns to these values. A value that is made from what the operation has read is declared
    /// after that read; one declared before any read depends on none. Of a column that is declared twice the last
    /// declaration is what the operation is acknowledged for; a value made anew from another read is declared anew.
    pub fn intends(&self, fields: Vec<Field>) {
        self.tell(Stage::Intends(fields.into()));
    }

    /// It is to delete the row.
    pub fn deletes(&self) {
        self.tell(Stage::Deletes);
    }

    /// Its caller is told that it is done.
    pub fn acknowledged(self) {
        // The answer can be told from outside, beside commits and what a sink receives.
        self.actor.shared.touch("outcome", "", None, Use::Write);
        self.tell(Stage::Acknowledged);
    }

    fn tell(&self, stage: Stage) {
        self.actor.shared.count_call();
        self.actor.shared.record(self.actor.id, EventKind::Operated(self.number, stage));
    }
}

/// The operations on rows of that table or part, as their actors have recorded them, in the order in which they began.
pub fn recorded(trace: &Trace, part: &str) -> Vec<Operation> {
    let mut operations: Vec<Operation> = Vec::new();
    // For each number the place of its operation, which may be one on another part.
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
            EventKind::Exchanged(exchange) if exchange.part == part => {
                asked[event.actor.index()] = Some(seen_at(exchange, &commits).unwrap_or(index));
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

/// The event whose state a request has seen, where it says as of which commit of its part it is.
pub fn seen_at(exchange: &Exchange, commits: &[usize]) -> Option<usize> {
    let as_of = exchange.field("as_of")?.integer()?;
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

    /// What it means to have changed in the end.
    pub fn means(&self) -> impl Iterator<Item = &Intent> {
        let is_last = |at: &usize| {
            let column = self.intends[*at].column;
            self.intends[at + 1..].iter().all(|later| later.column != column)
        };
        (0..self.intends.len()).filter(is_last).map(|at| &self.intends[at])
    }
}

impl Stage {
    /// What an event of it is called.
    pub fn name(&self) -> &'static str {
        match self {
            Stage::Began(_) => "operation",
            Stage::Saw => "saw",
            Stage::Intends(_) => "intends",
            Stage::Deletes => "deletes",
            Stage::Acknowledged => "acknowledged",
        }
    }

    pub(crate) fn digest(&self, digest: &mut Digest) {
        digest.text(self.name());
        match self {
            Stage::Began(subject) => {
                digest.text(subject.0);
                subject.1.digest(digest);
            }
            Stage::Intends(fields) => fields.iter().for_each(|(column, value)| {
                digest.text(column);
                value.digest(digest);
            }),
            Stage::Saw | Stage::Deletes | Stage::Acknowledged => {}
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stage::Began(subject) => write!(f, "begins on {} {}", subject.0, subject.1),
            Stage::Saw => f.write_str("has read its row"),
            Stage::Intends(fields) => {
                f.write_str("intends")?;
                fields.iter().try_for_each(|(column, value)| write!(f, " {column}={value}"))
            }
            Stage::Deletes => f.write_str("means to delete its row"),
            Stage::Acknowledged => f.write_str("is acknowledged"),
        }
    }
}
