//! Explanations: derives from a trial and a breach which act came before which and why, down to the contradiction. An
//! edge that the trace does not show is left out. Wording is left to the renderer.
//!
//! The harness owns the store, so the order of versions is known. Messages are followed by their numbers, stores to the
//! requests that they were made for, versions to the statements of their commit. What an actor did with a value in its
//! memory is not in the trace: there an edge says that two acts have equal values ([`Basis::EqualValues`]).

use crate::anomaly::{Anomaly, Cell};
use crate::engine::Value;
use crate::fault::Fault;
use crate::invariant::Breach;
use crate::point::ActorId;
use crate::trace::{Attempt, Event, Trace};
use crate::trial::{Ending, Run};

mod annotation;
mod contradiction;
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

pub use contradiction::{Contradiction, Observed, Stall, Work, WrongEffect, WrongReport, WrongValue};

use trace_index::TraceIndex;

/// An act of an actor, named by its logical place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act {
    /// The index of its event; for a write, of the commit that made it visible.
    pub event: usize,
    /// The actor.
    pub actor: ActorId,
    /// The label of the place.
    pub label: &'static str,
    /// Its index among the actor's acts at that label in the trace, from 1.
    pub nth: u32,
}

/// Why one act comes before another.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the sentence above a variant names its fields")]
pub enum Reason {
    /// The later act read the value that the earlier act wrote.
    ReadWhatWrote { column: String, value: Value, basis: Basis },
    /// The later overwrote the value that the earlier had read.
    OverwroteWhatRead { column: String, read: Value, written: Value, basis: Basis },
    /// The later overwrote the value that the earlier wrote, with `between` versions by others in between.
    Overwrote { column: String, old: Value, new: Value, between: usize },
    /// The later carries a value that the earlier sent, stored, delivered or received as an answer.
    Carried { field: String, value: Value, basis: Basis },
    /// The later replaced, in the same part, what the earlier had stored.
    Replaced { field: String, old: Value, new: Value },
    /// The later delivered the message that the earlier sent.
    Delivered(Attempt),
    /// The later redelivered the message that the earlier gave back, or was processing when its process died.
    DeliveredAgain(Attempt),
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
    /// A part had that value since the earlier, so the value that the later delivered changed nothing.
    Known { field: String, value: Value },
    /// The later waited for a resource that the earlier's actor held; the earlier is the act that took it, or the
    /// actor's last act before the wait.
    Waited { resource: &'static str },
    /// No write replaced that value between them.
    Stood { column: String, value: Value },
    /// The earlier is the last note of that key in the later's process, or the later is a note of the same step.
    LastNoted { key: &'static str },
    /// That fault was injected at the earlier, and no other hit the process between them.
    Injected { fault: Fault },
    /// The later wrote other rows of the table, and left this one as the earlier wrote it.
    LeftAsWritten { column: String, value: Value },
}

/// What an edge about a value rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The trace links the two acts: the store was made for that request, the statement read that row.
    Linked,
    /// The two acts have equal values, and nothing else in the trace links them.
    EqualValues,
}

/// A note that a process recorded about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// The act that recorded it.
    pub act: Act,
    /// Its key.
    pub key: &'static str,
    /// The first number.
    pub one: i64,
    /// The second.
    pub other: i64,
}

/// One edge of an explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The earlier act.
    pub before: Act,
    /// The later act.
    pub after: Act,
    /// Why they are in this order.
    pub because: Reason,
}

/// The explanation of a breach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What went wrong, as the literature names it.
    pub anomaly: Anomaly,
    /// Where it shows.
    pub on: Option<Cell>,
    /// The edges, in reading order.
    pub edges: Vec<Edge>,
    /// What the edges lead to.
    pub end: Contradiction,
}

/// The name of an event as an act, without its actor: `write#2`.
pub fn place(trace: &Trace, event: &Event) -> String {
    let label = trace_index::label(&event.kind);
    // Events are compared by address, not by content.
    let upto = trace.events.iter().take_while(|other| !std::ptr::eq(*other, event)).chain([event]);
    let same = upto.filter(|other| other.actor == event.actor && trace_index::label(&other.kind) == label);
    format!("{label}#{}", same.count())
}

/// Edges, and what they lead to.
type Proof = (Vec<Edge>, Contradiction);

/// Explains a breach from the trial in which it was found.
pub fn explain(run: &Run, breach: &Breach) -> Explanation {
    let trace_index = TraceIndex::new(run);
    let (edges, end) =
        prove(&trace_index, breach).or_else(|| plain::explain(&trace_index, breach)).unwrap_or_else(|| {
            let event = breach.event.or_else(|| run.trace.events.len().checked_sub(1));
            (Vec::new(), Observed::Shows { act: event.map(|event| trace_index.act(event)) }.into())
        });
    Explanation { anomaly: breach.anomaly, on: breach.on.clone(), edges, end }
}

fn prove(trace_index: &TraceIndex<'_>, breach: &Breach) -> Option<Proof> {
    if let Ending::Panicked { .. } = trace_index.run.ending {
        return waits::panic(trace_index);
    }
    // A violation that shows in a note shows in no row.
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
