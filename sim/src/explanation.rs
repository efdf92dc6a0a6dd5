//! The explanation: from a trial and a breach, which act came before which and why, down to the contradiction. It must
//! never claim what the trace does not show: an edge that cannot be shown is left out, and it never words anything.
//!
//! The harness owns the store, so the order of versions is known and nothing is guessed from values being unique. What
//! a statement's parameter is from is followed back through what its actor read, was delivered, or asked of a part that
//! had stored that value.

use crate::anomaly::{Anomaly, Cell};
use crate::engine::Value;
use crate::fault::Fault;
use crate::invariant::Breach;
use crate::point::ActorId;
use crate::trace::{Event, Trace};
use crate::trial::{Ending, Run};

mod annotation;
mod delivery_outcome;
mod effect;
mod lost;
mod omission;
mod operated;
mod plain;
mod report;
mod rounds;
mod sources;
mod stale;
mod trace_index;
mod versions;
mod waits;
mod work;

use trace_index::TraceIndex;

/// Something that an actor did, named by its logical place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act {
    /// The index of its event. Of a write it is the commit's, at which others could see it.
    pub event: usize,
    /// Who.
    pub actor: ActorId,
    /// What the place is called.
    pub label: &'static str,
    /// Which of this actor's at that label it is in the trace, from 1.
    pub nth: u32,
}

/// Why one act comes before another.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the sentence above a variant names its fields")]
pub enum Reason {
    /// The later read the value that the earlier wrote.
    ReadWhatWrote { column: String, value: Value },
    /// The later overwrote the value that the earlier had read.
    OverwroteWhatRead { column: String, read: Value, written: Value },
    /// The later overwrote the value that the earlier wrote; with how many versions of others in between.
    Overwrote { column: String, old: Value, new: Value, between: usize },
    /// The later carries a value that the earlier sent, stored, brought or was answered.
    Carried { field: String, value: Value },
    /// The later replaced, in the same part, what the earlier had stored.
    Replaced { field: String, old: Value, new: Value },
    /// The later brought the message that the earlier sent.
    Delivered { message: Value, attempt: Value },
    /// The later brought once more the message that the earlier gave back, or had in hand when it died.
    DeliveredAgain { message: Value, attempt: Value },
    /// The same actor did one after the other.
    SameActor,
    /// The same actor did one after the other, and sent no statement in between.
    SameActorWroteNothing,
    /// The earlier failed with that error, so the same actor did the later.
    Failed { error: String },
    /// The earlier changed no row, and the same actor went on to the later.
    ChangedNothing,
    /// The process died at the later, before it had done anything else.
    Died,
    /// A part had that value from the earlier on, so what the later brought changed nothing.
    Known { field: String, value: Value },
    /// The later had to wait for something that the earlier's actor had, and what the earlier was at.
    Waited { resource: &'static str },
    /// Between them nobody wrote over that value.
    Stood { column: String, value: Value },
    /// In the later's process the earlier is the last note of that kind; or the later is one of the same step.
    LastNoted { key: &'static str },
    /// That fault struck at the earlier, and none struck the process between them.
    Injected { fault: Fault },
    /// The later wrote other rows of the table, and left that one as the earlier had written it.
    LeftAsWritten { column: String, value: Value },
}

/// What a process wrote down of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where.
    pub act: Act,
    /// Of what.
    pub key: &'static str,
    /// The first number.
    pub one: i64,
    /// The second.
    pub other: i64,
}

/// One step of an explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// What came first.
    pub before: Act,
    /// What came after it.
    pub after: Act,
    /// Why.
    pub because: Reason,
}

/// What an explanation ends in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the sentence above a variant names its fields")]
pub enum Contradiction {
    /// `write` came after `newer` in the database, and what it carries is from `older`, which came before.
    OlderStands { write: Act, newer: Act, older: Act, column: String, value: Value },
    /// `write` overwrote `lost`, which its actor had not seen.
    Unseen { write: Act, lost: Act, read: Act },
    /// A value was written over another, and nothing before carries it.
    OutOfNowhere { write: Act, column: String, old: Value, new: Value },
    /// What a message brought, or what an operation meant, was acknowledged, and nobody, or not that one, committed it.
    NeverWritten { done: Option<Act>, column: String, value: Value, stands: Value },
    /// A part took a value in when the message's deliveries had ended with `done`, so nobody was told and wrote it.
    TooLate { store: Act, done: Act, column: String, value: Value, stands: Value },
    /// A message was given up.
    Dead { letter: Act, message: Value, attempts: Value },
    /// An effect came before any commit of the value that it tells; `later` committed it, or nobody did.
    NothingBehind { effect: Act, value: Value, later: Option<Act> },
    /// A committed value was told to nobody: from then on it was committed `alike` times, and `told` fewer times.
    NobodyTold { write: Act, column: String, old: Value, value: Value, alike: usize, told: usize },
    /// The same effect again, with nothing new behind it.
    Again { effect: Act, moved: Vec<String>, value: Option<Value> },
    /// A report says one thing, and the store has another.
    SaysOtherwise { report: Act, field: String, said: Value, was: Value, by: Act },
    /// A statement failed for good, and the last word of the report does not own up to it.
    Unreported { failure: Act, report: Option<Act>, said: Value },
    /// A report counts what was not done.
    Counted { report: Act, column: String, said: Value, changed: usize, rewritten: usize },
    /// A value is left as it is although `end` is the end.
    Left { report: Option<Act>, column: String, value: Value, end: Act },
    /// A row was passed over; `meanwhile` wrote elsewhere what concerns it.
    PassedOver { column: String, row: Option<Value>, stands: Value, passed: Option<Act>, meanwhile: Vec<Act> },
    /// The round that repeats, how often it went round at the end, and the columns that moved in it.
    Circle { round: Vec<Act>, times: usize, moves: Vec<String> },
    /// The same act again and again; `moved` was the last that changed a value.
    Repeated { last: Act, times: usize, moved: Option<Act> },
    /// Each waits for the next, the last for the first; `victim` was given up.
    WaitsForItself { circle: Vec<Act>, victim: Option<Act> },
    /// A wait, who was waited for, and what the holder did meanwhile.
    Waiting { wait: Act, holders: Vec<ActorId>, meanwhile: Vec<Act>, micros: u64 },
    /// A lock held from one act to another; `kept` waited for it.
    Held { from: Act, to: Act, statements: usize, micros: u64, kept: Vec<Act> },
    /// One piece of work: how many rows it wrote, or how much it did.
    Large { act: Act, rows: usize, steps: u64 },
    /// What belongs together was let go of in parts before `next` began.
    Parts { parts: Vec<Act>, next: Act },
    /// Two transactions that each overwrote what the other had read.
    Crossed { one: Act, other: Act },
    /// The program gave up.
    Panicked { act: Act },
    /// What a process wrote down of itself, and what else it had written down by then.
    Annotated { note: Note, beside: Option<Note> },
    /// A statement was answered with so many rows, and that is wrong.
    Answered { act: Act, rows: usize },
    /// A statement failed, which it must not.
    Failed { act: Act, error: String },
    /// All that the trace shows is where it shows.
    Shows { act: Option<Act> },
}

/// Why a breach is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What went wrong, as the field calls it.
    pub anomaly: Anomaly,
    /// Where it shows.
    pub on: Option<Cell>,
    /// What came before what, in an order in which it can be read.
    pub edges: Vec<Edge>,
    /// What that leads to.
    pub end: Contradiction,
}

/// An event's place as acts are named, without its actor: `write#2`.
pub fn place(trace: &Trace, event: &Event) -> String {
    let label = trace_index::label(&event.kind);
    // Events are told apart by where they lie, not by what they say.
    let upto = trace.events.iter().take_while(|other| !std::ptr::eq(*other, event)).chain([event]);
    let same = upto.filter(|other| other.actor == event.actor && trace_index::label(&other.kind) == label);
    format!("{label}#{}", same.count())
}

/// Edges, and where they lead.
type Proof = (Vec<Edge>, Contradiction);

/// Argues a breach from the trial in which it was found.
pub fn explain(run: &Run, breach: &Breach) -> Explanation {
    let trace_index = TraceIndex::new(run);
    let (edges, end) =
        prove(&trace_index, breach).or_else(|| plain::explain(&trace_index, breach)).unwrap_or_else(|| {
            let event = breach.event.or_else(|| run.trace.events.len().checked_sub(1));
            (Vec::new(), Contradiction::Shows { act: event.map(|event| trace_index.act(event)) })
        });
    Explanation { anomaly: breach.anomaly, on: breach.on.clone(), edges, end }
}

fn prove(trace_index: &TraceIndex<'_>, breach: &Breach) -> Option<Proof> {
    if let Ending::Panicked { .. } = trace_index.run.ending {
        return waits::panic(trace_index);
    }
    // What shows in a note shows in no row.
    if let Some(proof) = breach.event.and_then(|event| annotation::explain(trace_index, event)) {
        return Some(proof);
    }
    let stale = || stale::explain(trace_index, breach);
    let operated = || operated::explain(trace_index, breach);
    match breach.anomaly {
        Anomaly::LostUpdate | Anomaly::StaleOverwrite | Anomaly::DirtyRead => {
            operated().or_else(stale).or_else(|| lost::explain(trace_index, breach))
        }
        Anomaly::LostAcknowledgement => {
            operated().or_else(|| lost::explain(trace_index, breach)).or_else(stale)
        }
        Anomaly::WriteSkew => waits::skew(trace_index),
        Anomaly::TornWrite => work::torn(trace_index, breach),
        Anomaly::DuplicateEffect => effect::duplicate(trace_index, breach),
        Anomaly::PhantomEffect => effect::phantom(trace_index, breach),
        Anomaly::Omission => omission::explain(trace_index, breach),
        Anomaly::FalseReport => report::explain(trace_index, breach),
        Anomaly::Livelock => rounds::explain(trace_index, breach),
        Anomaly::Deadlock => waits::deadlock(trace_index, breach),
        Anomaly::Starvation => waits::starvation(trace_index, breach),
        Anomaly::LongLockHold => waits::hold(trace_index, breach),
        Anomaly::UnboundedWork => work::large(trace_index, breach),
        Anomaly::Panic => waits::panic(trace_index),
        Anomaly::RuleBroken => None,
    }
}
