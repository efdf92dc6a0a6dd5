//! The contradiction that an explanation ends in, by what contradicts what.

use super::{Act, Note};
use crate::engine::Value;
use crate::point::ActorId;
use crate::trace::Attempt;

/// The contradiction that an explanation ends in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contradiction {
    /// A value is stale, missing or from nowhere.
    Value(WrongValue),
    /// A report to others has no commit behind it, or a commit no report.
    Effect(WrongEffect),
    /// A report and the store disagree, or work was not done.
    Report(WrongReport),
    /// The trial makes no progress, or somebody waits for too long.
    Stall(Stall),
    /// A unit of work is too large, or in parts.
    Work(Work),
    /// The result at which the violation shows, without a cause.
    Observed(Observed),
}

/// A value is stale, missing or from nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the sentence above a variant names its fields")]
pub enum WrongValue {
    /// `write` came after `newer` in the database, but its value is from `older`, which came before.
    OlderStands { write: Act, newer: Act, older: Act, column: String, value: Value },
    /// `write` overwrote `lost`, which its actor had not seen.
    Unseen { write: Act, lost: Act, read: Act },
    /// A value was overwritten with one that no earlier act carries.
    OutOfNowhere { write: Act, column: String, old: Value, new: Value },
    /// The value of a message or an operation was acknowledged, but was not committed, or not by that actor.
    NeverWritten { done: Option<Act>, column: String, value: Value, stands: Value },
    /// A part took in a value after the message's deliveries had ended with `done`, so no consumer was left to write
    /// it.
    TooLate { store: Act, done: Act, column: String, value: Value, stands: Value },
    /// A message became a dead letter after that attempt.
    Dead { letter: Act, last: Attempt },
    /// Two transactions that each overwrote what the other had read.
    Crossed { one: Act, other: Act },
}

/// A report to others has no commit behind it, or a commit no report.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the sentence above a variant names its fields")]
pub enum WrongEffect {
    /// An effect came before any commit of the value that it reports; `later` is the act that committed it, if any.
    NothingBehind { effect: Act, value: Value, later: Option<Act> },
    /// A committed value was not reported: from `write` on it was committed `alike` times, and reported only `told`
    /// times.
    NobodyTold { write: Act, column: String, old: Value, value: Value, alike: usize, told: usize },
    /// The same effect again, with no new change behind it.
    Again { effect: Act, moved: Vec<String>, value: Option<Value> },
}

/// A report and the store disagree, or work was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the sentence above a variant names its fields")]
pub enum WrongReport {
    /// A report says one thing, and the store has another.
    SaysOtherwise { report: Act, field: String, said: Value, was: Value, by: Act },
    /// A statement failed for good, and the final report does not say so.
    Unreported { failure: Act, report: Option<Act>, said: Value },
    /// A report counts work that was not done.
    Counted { report: Act, column: String, said: Value, changed: usize, rewritten: usize },
    /// A value was never changed, although `end` is the end.
    Left { report: Option<Act>, column: String, value: Value, end: Act },
    /// A row was skipped; `meanwhile` are related writes elsewhere.
    PassedOver { column: String, row: Option<Value>, stands: Value, passed: Option<Act>, meanwhile: Vec<Act> },
}

/// The trial makes no progress, or somebody waits for too long.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the sentence above a variant names its fields")]
pub enum Stall {
    /// A cycle: the round that repeats, how often it did at the end, and the columns that changed in it.
    Circle { round: Vec<Act>, times: usize, moves: Vec<String> },
    /// The same act repeated; `moved` was the last act that changed a value.
    Repeated { last: Act, times: usize, moved: Option<Act> },
    /// Each act waits for the next, the last for the first; `victim` was aborted.
    WaitsForItself { circle: Vec<Act>, victim: Option<Act> },
    /// A wait, the actors that were waited for, and what they did meanwhile.
    Waiting { wait: Act, holders: Vec<ActorId>, meanwhile: Vec<Act>, micros: u64 },
    /// A lock held from one act to another; the acts in `kept` waited for it.
    Held { from: Act, to: Act, statements: usize, micros: u64, kept: Vec<Act> },
}

/// A unit of work is too large, or in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the sentence above a variant names its fields")]
pub enum Work {
    /// One unit of work: how many rows it wrote, or how many steps it took.
    Large { act: Act, rows: usize, steps: u64 },
    /// Work that belongs together was released in `parts` before `next` began.
    Parts { parts: Vec<Act>, next: Act },
}

/// The result at which the violation shows, without a cause.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the sentence above a variant names its fields")]
pub enum Observed {
    /// The program panicked.
    Panicked { act: Act },
    /// A note of a process, and another one that it had recorded by then.
    Annotated { note: Note, beside: Option<Note> },
    /// A statement returned this many rows, which is wrong.
    Answered { act: Act, rows: usize },
    /// A statement failed that must not fail.
    Failed { act: Act, error: String },
    /// The trace shows only where the violation appears.
    Shows { act: Option<Act> },
}

impl From<WrongValue> for Contradiction {
    fn from(it: WrongValue) -> Contradiction {
        Contradiction::Value(it)
    }
}

impl From<WrongEffect> for Contradiction {
    fn from(it: WrongEffect) -> Contradiction {
        Contradiction::Effect(it)
    }
}

impl From<WrongReport> for Contradiction {
    fn from(it: WrongReport) -> Contradiction {
        Contradiction::Report(it)
    }
}

impl From<Stall> for Contradiction {
    fn from(it: Stall) -> Contradiction {
        Contradiction::Stall(it)
    }
}

impl From<Work> for Contradiction {
    fn from(it: Work) -> Contradiction {
        Contradiction::Work(it)
    }
}

impl From<Observed> for Contradiction {
    fn from(it: Observed) -> Contradiction {
        Contradiction::Observed(it)
    }
}
