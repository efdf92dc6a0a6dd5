//! Where a value came from: a statement's parameter from a read, from what a part had stored, or from a message;
//! what is stored from a request; a delivery from what was sent. It must never go past the life of the actor that
//! knew it.

use super::story::{Story, field};
use super::{Edge, Reason};
use crate::engine::Value;
use crate::point::ActorId;
use crate::trace::What;

/// A value on its way, under its field's or column's name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cargo<'v> {
    pub(super) field: &'v str,
    pub(super) value: &'v Value,
}

impl Cargo<'_> {
    pub(super) fn carried(&self) -> Reason {
        Reason::Carried { field: self.field.to_owned(), value: self.value.clone() }
    }
}

/// The way of a value to that event, from as far back as it can be shown.
pub(super) fn way(story: &Story<'_>, event: usize, cargo: Cargo<'_>) -> Vec<Edge> {
    let (mut edges, mut at) = (Vec::new(), event);
    while let Some((source, because)) = source(story, at, cargo) {
        edges.push(story.edge(source, at, because));
        at = source;
    }
    edges.reverse();
    edges
}

/// The events on the way of a value to that event, that event last.
pub(super) fn stations(story: &Story<'_>, event: usize, cargo: Cargo<'_>) -> Vec<usize> {
    let mut stations: Vec<usize> = way(story, event, cargo).iter().map(|edge| edge.before.event).collect();
    stations.push(event);
    stations
}

/// The event at which the actor of that event got the value, and why that is before.
fn source(story: &Story<'_>, event: usize, cargo: Cargo<'_>) -> Option<(usize, Reason)> {
    if *cargo.value == Value::Null {
        return None;
    }
    match story.what(event) {
        What::Ran(statement) if statement.params.contains(cargo.value) => known_from(story, event, cargo),
        What::Stored(stored) if stored.field(cargo.field) == Some(cargo.value) => {
            let request = request(story, event, cargo)?;
            let delivery = in_hand(story, story.actor(request), request);
            // One that nobody waited for any more is worth a step of its own.
            let delivery = delivery.filter(|_| waits(story, request, event));
            Some((delivery.unwrap_or(request), cargo.carried()))
        }
        What::Exchanged(exchange) if exchange.label == "deliver" => {
            let sent = sent(story, event)?;
            let [message, attempt] = ["message", "attempt"].map(|name| exchange.field(name).cloned());
            let (message, attempt) = (message.unwrap_or(Value::Null), attempt.unwrap_or(Value::Null));
            Some((sent, Reason::Delivered { message, attempt }))
        }
        What::Exchanged(exchange) if exchange.label != "send" => {
            let carries = exchange.body.iter().any(|(_, value)| value == cargo.value);
            carries.then(|| known_from(story, event, cargo)).flatten()
        }
        _ => None,
    }
}

/// Where the actor had the value from when it stood at that event: under its name from a part or a message, else from
/// an answer.
fn known_from(story: &Story<'_>, event: usize, cargo: Cargo<'_>) -> Option<(usize, Reason)> {
    named(story, event, cargo).or_else(|| {
        let mut earlier = story.back(story.actor(event), event);
        let read = earlier.find(|index| {
            let answer = story.statement(*index).and_then(|ran| ran.result.as_ref().ok());
            answer.is_some_and(|answer| answer.rows.iter().any(|row| row.contains(cargo.value)))
        });
        Some((read?, cargo.carried()))
    })
}

fn named(story: &Story<'_>, event: usize, cargo: Cargo<'_>) -> Option<(usize, Reason)> {
    let actor = story.actor(event);
    let mut later = event;
    for index in story.back(actor, event) {
        match story.what(index) {
            What::Exchanged(exchange) if exchange.label == "deliver" => {
                let sent = sent(story, index).and_then(|sent| story.exchange(sent));
                if sent.and_then(|sent| sent.field(cargo.field)) == Some(cargo.value) {
                    return Some((index, cargo.carried()));
                }
            }
            What::Exchanged(exchange) if exchange.heard => {
                if let Some(store) = held_by(story, exchange.part, index, later, cargo) {
                    return Some((store, cargo.carried()));
                }
            }
            _ => {}
        }
        later = index;
    }
    None
}

/// The write by which a part got the value that it had at some time between two events, if it had it then.
pub(super) fn held_by(
    story: &Story<'_>,
    part: &str,
    from: usize,
    to: usize,
    cargo: Cargo<'_>,
) -> Option<usize> {
    let mut since = None;
    for (index, stored) in story.trace().stored(part).take_while(|(index, _)| *index < to) {
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

/// Whether the caller of a request still waits for its answer at that event.
fn waits(story: &Story<'_>, request: usize, event: usize) -> bool {
    let caller = story.actor(request);
    story.exchange(request).is_some_and(|exchange| exchange.heard)
        && (request + 1..event).all(|index| story.actor(index) != caller)
}

/// Whether the caller of a request has given up, or died, before it heard.
fn is_abandoned(story: &Story<'_>, request: usize) -> bool {
    let next = story.on(story.actor(request), request).next();
    let died = next.is_some_and(|next| matches!(story.what(next), What::Crashed));
    died || story.exchange(request).is_some_and(|exchange| !exchange.heard)
}

/// The request that a part's write took the value from: the first whose caller still waited, else the last that was
/// abandoned. Whoever has gone on otherwise has had the answer, so it was handled before.
fn request(story: &Story<'_>, store: usize, cargo: Cargo<'_>) -> Option<usize> {
    let What::Stored(stored) = story.what(store) else { return None };
    let brings = |index: &usize| {
        story.exchange(*index).is_some_and(|exchange| {
            exchange.part == stored.part
                && exchange.arrived
                && exchange.field(cargo.field) == Some(cargo.value)
        })
    };
    let requests: Vec<usize> = (0..store).filter(brings).collect();
    let waiting = requests.iter().find(|request| waits(story, **request, store));
    waiting.or_else(|| requests.iter().rfind(|request| is_abandoned(story, **request))).copied()
}

/// The sending of the message that a delivery, or what became of it, is about.
pub(super) fn sent(story: &Story<'_>, event: usize) -> Option<usize> {
    let exchange = story.exchange(event)?;
    let message = exchange.field("message")?;
    let same = |index: &usize| {
        story.exchange(*index).is_some_and(|sent| {
            sent.label == "send"
                && sent.arrived
                && sent.part == exchange.part
                && sent.field("message") == Some(message)
        })
    };
    (0..event).rev().find(same)
}

/// The delivery of the message that the actor's request to another part is about: the first in its hands of which every
/// field that both have is the same.
pub(super) fn in_hand(story: &Story<'_>, actor: ActorId, event: usize) -> Option<usize> {
    let request = story.exchange(event)?;
    let about = |delivery: &usize| {
        let Some(sent) = sent(story, *delivery).and_then(|sent| story.exchange(sent)) else { return false };
        let shared = request.body.iter().filter_map(|(name, value)| Some((field(&sent.body, name)?, value)));
        let mut shared = shared.peekable();
        shared.peek().is_some() && shared.all(|(sent, value)| sent == value)
    };
    held(story, actor, event).into_iter().find(about)
}

/// The deliveries that the actor has neither acknowledged nor given back by that event, in order.
pub(super) fn held(story: &Story<'_>, actor: ActorId, event: usize) -> Vec<usize> {
    let mut over: Vec<(Option<&Value>, Option<&Value>)> = Vec::new();
    let mut held = Vec::new();
    for index in story.back(actor, event) {
        let Some(exchange) = story.exchange(index) else { continue };
        let which = (exchange.field("message"), exchange.field("attempt"));
        match exchange.label {
            "ack" | "retry" => over.push(which),
            "deliver" if exchange.heard && !over.contains(&which) => held.push(index),
            _ => {}
        }
    }
    held.reverse();
    held
}
