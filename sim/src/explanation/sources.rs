//! Where a value came from: a statement's parameter from a read, from what a part had stored, or from a message; a
//! stored value from a request; a delivery from a send. What an actor knew is never traced back beyond the last start
//! of its process.

use super::trace_index::{TraceIndex, field};
use super::{Basis, Edge, Reason};
use crate::engine::Value;
use crate::point::ActorId;
use crate::trace::{Attempt, EventKind, RequestKind};

/// A value that is traced, with the name of its field or column.
#[derive(Clone, Copy, Debug)]
pub(super) struct ValueFlow<'v> {
    pub(super) field: &'v str,
    pub(super) value: &'v Value,
}

impl ValueFlow<'_> {
    /// The two acts have the value, and nothing else in the trace links them.
    pub(super) fn equal(&self) -> Reason {
        self.carried(Basis::EqualValues)
    }

    fn carried(&self, basis: Basis) -> Reason {
        Reason::Carried { field: self.field.to_owned(), value: self.value.clone(), basis }
    }
}

/// The path of a value to that event, from as far back as it can be shown.
pub(super) fn way(trace_index: &TraceIndex<'_>, event: usize, cargo: ValueFlow<'_>) -> Vec<Edge> {
    let (mut edges, mut at) = (Vec::new(), event);
    while let Some((source, because)) = source(trace_index, at, cargo) {
        edges.push(trace_index.edge(source, at, because));
        at = source;
    }
    edges.reverse();
    edges
}

/// The events on the path of a value to that event, that event last.
pub(super) fn stations(trace_index: &TraceIndex<'_>, event: usize, cargo: ValueFlow<'_>) -> Vec<usize> {
    let mut stations: Vec<usize> =
        way(trace_index, event, cargo).iter().map(|edge| edge.before.event).collect();
    stations.push(event);
    stations
}

/// The event that the value came from, and why that event is before this one.
fn source(trace_index: &TraceIndex<'_>, event: usize, cargo: ValueFlow<'_>) -> Option<(usize, Reason)> {
    if *cargo.value == Value::Null {
        return None;
    }
    match trace_index.kind(event) {
        EventKind::Ran(statement) if statement.params.contains(cargo.value) => {
            known_from(trace_index, event, cargo)
        }
        EventKind::Stored(stored) if stored.field(cargo.field) == Some(cargo.value) => {
            let asked = stored.asked?;
            let brings = trace_index.request(asked)?.field(cargo.field) == Some(cargo.value);
            let delivery = in_hand(trace_index, trace_index.actor(asked), asked);
            // A request whose caller no longer waited is shown as a step of its own.
            let delivery = delivery.filter(|_| waits(trace_index, asked, event));
            let origin = delivery.map_or((asked, Basis::Linked), |delivery| (delivery, Basis::EqualValues));
            brings.then(|| (origin.0, cargo.carried(origin.1)))
        }
        EventKind::Requested(request) => match request.kind {
            RequestKind::Deliver(attempt) => Some((sent(trace_index, event)?, Reason::Delivered(attempt))),
            RequestKind::Send(_) => None,
            RequestKind::Call
            | RequestKind::Acknowledge(_)
            | RequestKind::GiveBack(_)
            | RequestKind::DeadLetter(_) => {
                let carries = request.body.iter().any(|(_, value)| value == cargo.value);
                carries.then(|| known_from(trace_index, event, cargo)).flatten()
            }
        },
        _ => None,
    }
}

/// Where the actor had the value from at that event: by field name from a part or a message, else from a query result.
fn known_from(trace_index: &TraceIndex<'_>, event: usize, cargo: ValueFlow<'_>) -> Option<(usize, Reason)> {
    named(trace_index, event, cargo).or_else(|| {
        let mut earlier = trace_index.back(trace_index.actor(event), event);
        let read = earlier.find(|index| {
            let answer = trace_index.statement(*index).and_then(|ran| ran.result.as_ref().ok());
            answer.is_some_and(|answer| answer.rows.iter().any(|row| row.contains(cargo.value)))
        });
        Some((read?, cargo.equal()))
    })
}

fn named(trace_index: &TraceIndex<'_>, event: usize, cargo: ValueFlow<'_>) -> Option<(usize, Reason)> {
    let actor = trace_index.actor(event);
    let mut later = event;
    for index in trace_index.back(actor, event) {
        match trace_index.kind(index) {
            EventKind::Requested(request) if request.is_delivery() => {
                let sent = sent(trace_index, index).and_then(|sent| trace_index.request(sent));
                if sent.and_then(|sent| sent.field(cargo.field)) == Some(cargo.value) {
                    return Some((index, cargo.equal()));
                }
            }
            EventKind::Requested(request) if request.heard => {
                if let Some(store) = held_by(trace_index, request.part, index, later, cargo) {
                    return Some((store, cargo.equal()));
                }
            }
            _ => {}
        }
        later = index;
    }
    None
}

/// The store by which a part got the value, if it had the value at some time between two events.
pub(super) fn held_by(
    trace_index: &TraceIndex<'_>,
    part: &str,
    from: usize,
    to: usize,
    cargo: ValueFlow<'_>,
) -> Option<usize> {
    let mut since = None;
    for (index, stored) in trace_index.trace().stored(part).take_while(|(index, _)| *index < to) {
        let has = stored.field(cargo.field) == Some(cargo.value);
        if has {
            since = since.or(Some(index));
        } else if index > from && since.is_some() {
            return since;
        } else {
            since = None;
        }
    }
    since
}

/// Whether the caller of a request still waits for the reply at that event.
fn waits(trace_index: &TraceIndex<'_>, request: usize, event: usize) -> bool {
    let caller = trace_index.actor(request);
    trace_index.request(request).is_some_and(|request| request.heard)
        && (request + 1..event).all(|index| trace_index.actor(index) != caller)
}

/// The send of the message that a delivery, or an event of its outcome, refers to.
pub(super) fn sent(trace_index: &TraceIndex<'_>, event: usize) -> Option<usize> {
    let request = trace_index.request(event)?;
    let message = request.kind.message()?;
    let same = |index: &usize| {
        trace_index.request(*index).is_some_and(|sent| {
            sent.kind == RequestKind::Send(message) && sent.arrived && sent.part == request.part
        })
    };
    (0..event).rev().find(same)
}

/// The delivery that the actor's request to another part is about: the first unsettled one whose message agrees with
/// the request in every field that both have.
pub(super) fn in_hand(trace_index: &TraceIndex<'_>, actor: ActorId, event: usize) -> Option<usize> {
    let request = trace_index.request(event)?;
    let about = |delivery: &usize| {
        let Some(sent) = sent(trace_index, *delivery).and_then(|sent| trace_index.request(sent)) else {
            return false;
        };
        let shared = request.body.iter().filter_map(|(name, value)| Some((field(&sent.body, name)?, value)));
        let mut shared = shared.peekable();
        shared.peek().is_some() && shared.all(|(sent, value)| sent == value)
    };
    held(trace_index, actor, event).into_iter().find(about)
}

/// The deliveries that the actor has neither acknowledged nor returned for retry by that event, in order.
pub(super) fn held(trace_index: &TraceIndex<'_>, actor: ActorId, event: usize) -> Vec<usize> {
    let mut over: Vec<(&str, Attempt)> = Vec::new();
    let mut held = Vec::new();
    for index in trace_index.back(actor, event) {
        let Some(request) = trace_index.request(index) else { continue };
        match request.kind {
            RequestKind::Acknowledge(attempt) | RequestKind::GiveBack(attempt) => {
                over.push((request.part, attempt));
            }
            RequestKind::Deliver(attempt) if request.heard && !over.contains(&(request.part, attempt)) => {
                held.push(index);
            }
            _ => {}
        }
    }
    held.reverse();
    held
}
