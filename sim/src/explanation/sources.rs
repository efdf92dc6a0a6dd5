//! Where a value came from: a statement's parameter from a read, from what a part had stored, or from a message; a
//! stored value from a request; a delivery from a send. What an actor knew is never traced back beyond the last start
//! of its process.

use super::trace_index::{TraceIndex, field};
use super::{Edge, Reason};
use crate::engine::Value;
use crate::point::ActorId;
use crate::trace::EventKind;

/// A value that is traced, with the name of its field or column.
#[derive(Clone, Copy, Debug)]
pub(super) struct ValueFlow<'v> {
    pub(super) field: &'v str,
    pub(super) value: &'v Value,
}

impl ValueFlow<'_> {
    pub(super) fn carried(&self) -> Reason {
        Reason::Carried { field: self.field.to_owned(), value: self.value.clone() }
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
            let request = request(trace_index, event, cargo)?;
            let delivery = in_hand(trace_index, trace_index.actor(request), request);
            // A request whose caller no longer waited is shown as a step of its own.
            let delivery = delivery.filter(|_| waits(trace_index, request, event));
            Some((delivery.unwrap_or(request), cargo.carried()))
        }
        EventKind::Requested(request) if request.label == "deliver" => {
            let sent = sent(trace_index, event)?;
            let [message, attempt] = ["message", "attempt"].map(|name| request.field(name).cloned());
            let (message, attempt) = (message.unwrap_or(Value::Null), attempt.unwrap_or(Value::Null));
            Some((sent, Reason::Delivered { message, attempt }))
        }
        EventKind::Requested(request) if request.label != "send" => {
            let carries = request.body.iter().any(|(_, value)| value == cargo.value);
            carries.then(|| known_from(trace_index, event, cargo)).flatten()
        }
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
        Some((read?, cargo.carried()))
    })
}

fn named(trace_index: &TraceIndex<'_>, event: usize, cargo: ValueFlow<'_>) -> Option<(usize, Reason)> {
    let actor = trace_index.actor(event);
    let mut later = event;
    for index in trace_index.back(actor, event) {
        match trace_index.kind(index) {
            EventKind::Requested(request) if request.label == "deliver" => {
                let sent = sent(trace_index, index).and_then(|sent| trace_index.request(sent));
                if sent.and_then(|sent| sent.field(cargo.field)) == Some(cargo.value) {
                    return Some((index, cargo.carried()));
                }
            }
            EventKind::Requested(request) if request.heard => {
                if let Some(store) = held_by(trace_index, request.part, index, later, cargo) {
                    return Some((store, cargo.carried()));
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

/// Whether the caller of a request gave up or crashed before the reply.
fn is_abandoned(trace_index: &TraceIndex<'_>, request: usize) -> bool {
    let next = trace_index.on(trace_index.actor(request), request).next();
    let died = next.is_some_and(|next| matches!(trace_index.kind(next), EventKind::Crashed));
    died || trace_index.request(request).is_some_and(|request| !request.heard)
}

/// The request that a store took the value from: the first whose caller still waited, else the last abandoned one. Any
/// other caller had its reply before it went on, so its request was handled earlier.
fn request(trace_index: &TraceIndex<'_>, store: usize, cargo: ValueFlow<'_>) -> Option<usize> {
    let EventKind::Stored(stored) = trace_index.kind(store) else { return None };
    let brings = |index: &usize| {
        trace_index.request(*index).is_some_and(|request| {
            request.part == stored.part && request.arrived && request.field(cargo.field) == Some(cargo.value)
        })
    };
    let requests: Vec<usize> = (0..store).filter(brings).collect();
    let waiting = requests.iter().find(|request| waits(trace_index, **request, store));
    waiting.or_else(|| requests.iter().rfind(|request| is_abandoned(trace_index, **request))).copied()
}

/// The send of the message that a delivery, or an event of its outcome, refers to.
pub(super) fn sent(trace_index: &TraceIndex<'_>, event: usize) -> Option<usize> {
    let request = trace_index.request(event)?;
    let message = request.field("message")?;
    let same = |index: &usize| {
        trace_index.request(*index).is_some_and(|sent| {
            sent.label == "send"
                && sent.arrived
                && sent.part == request.part
                && sent.field("message") == Some(message)
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
    let mut over: Vec<(Option<&Value>, Option<&Value>)> = Vec::new();
    let mut held = Vec::new();
    for index in trace_index.back(actor, event) {
        let Some(request) = trace_index.request(index) else { continue };
        let which = (request.field("message"), request.field("attempt"));
        match request.label {
            "ack" | "retry" => over.push(which),
            "deliver" if request.heard && !over.contains(&which) => held.push(index),
            _ => {}
        }
    }
    held.reverse();
    held
}
