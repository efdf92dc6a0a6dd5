//! What happened to a value that an actor had received and not yet written: the statement that failed, changed nothing
//! or was never sent, the crash of the process, the next delivery, and how the message was settled. Each delivery is
//! explained only by what its own actor did before it was settled.

use super::sources::{self, ValueFlow};
use super::trace_index::TraceIndex;
use super::{Edge, Reason};
use crate::trace::{Attempt, EventKind, RequestKind};

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    Acknowledged(usize),
    GivenBack(usize),
    Died(usize),
}

impl Closing {
    pub(super) fn event(self) -> usize {
        match self {
            Closing::Acknowledged(event) | Closing::GivenBack(event) | Closing::Died(event) => event,
        }
    }
}

/// All deliveries of the same message, in order.
pub(super) fn deliveries(trace_index: &TraceIndex<'_>, delivery: usize) -> Vec<usize> {
    let Some(first) = trace_index.request(delivery) else { return Vec::new() };
    let same = |(index, part, of): (usize, &str, Attempt)| {
        (part == first.part && Some(of.message) == first.kind.message()).then_some(index)
    };
    trace_index.deliveries().filter_map(same).collect()
}

/// How a delivery ended, if it did.
pub(super) fn closing(trace_index: &TraceIndex<'_>, delivery: usize) -> Option<Closing> {
    let first = trace_index.request(delivery)?;
    let attempt = trace_index.attempt(delivery)?;
    trace_index.on(trace_index.actor(delivery), delivery).find_map(|index| match trace_index.kind(index) {
        EventKind::Requested(request) if request.part == first.part => match request.kind {
            RequestKind::Acknowledge(of) if of == attempt => Some(Closing::Acknowledged(index)),
            RequestKind::GiveBack(of) if of == attempt => Some(Closing::GivenBack(index)),
            _ => None,
        },
        EventKind::Crashed | EventKind::Exited => Some(Closing::Died(index)),
        _ => None,
    })
}

/// What the actor did about the value between that event and the end of the delivery.
pub(super) fn of_value(
    trace_index: &TraceIndex<'_>,
    from: usize,
    delivery: usize,
    cargo: ValueFlow<'_>,
) -> Vec<Edge> {
    let Some(closing) = closing(trace_index, delivery) else { return Vec::new() };
    let end = closing.event();
    let actor = trace_index.actor(delivery);
    let mine: Vec<usize> = (from + 1..end).filter(|index| trace_index.actor(*index) == actor).collect();
    let ran = |carries: bool| {
        mine.iter().copied().rfind(|index| {
            trace_index.statement(*index).is_some_and(|ran| {
                if carries { ran.params.contains(cargo.value) } else { ran.result.is_err() }
            })
        })
    };
    // The actor's own last event so far: `from` may be an event of another actor, which has the value.
    let own = trace_index.back(actor, from + 1).next().unwrap_or(delivery);
    let Some(statement) = ran(true).or_else(|| ran(false)) else {
        let unheard = mine.iter().copied().find(|index| is_unheard(trace_index, *index));
        let Some(unheard) = unheard else {
            return (own < end).then(|| ended(trace_index, own, closing)).into_iter().collect();
        };
        let error = "nothing was heard of it".to_owned();
        let then = trace_index.edge(unheard, end, Reason::Failed { error });
        return vec![trace_index.edge(own, unheard, Reason::SameActor), then];
    };
    let carries = trace_index.statement(statement).is_some_and(|ran| ran.params.contains(cargo.value));
    let first = match carries {
        true => trace_index.edge(from, statement, cargo.equal()),
        false => trace_index.edge(own, statement, Reason::SameActor),
    };
    let error = failure(trace_index, statement, end);
    let second = match (closing, error) {
        (Closing::Died(_), _) => ended(trace_index, statement, closing),
        (_, Some(failed)) => {
            let error = trace_index.statement(failed).and_then(|ran| ran.result.as_ref().err());
            let error = error.map_or(String::new(), ToString::to_string);
            if failed != statement {
                let between = trace_index.edge(statement, failed, Reason::SameActor);
                return vec![first, between, trace_index.edge(failed, end, Reason::Failed { error })];
            }
            trace_index.edge(statement, end, Reason::Failed { error })
        }
        (_, None) if changed_nothing(trace_index, statement) => {
            trace_index.edge(statement, end, Reason::ChangedNothing)
        }
        _ => trace_index.edge(statement, end, Reason::SameActor),
    };
    vec![first, second]
}

/// Whether the actor got no reply to a request.
fn is_unheard(trace_index: &TraceIndex<'_>, event: usize) -> bool {
    trace_index.request(event).is_some_and(|request| !request.heard)
}

/// The first failed statement of the actor, from `statement` on and before `end`.
fn failure(trace_index: &TraceIndex<'_>, statement: usize, end: usize) -> Option<usize> {
    let actor = trace_index.actor(statement);
    (statement..end).find(|index| {
        trace_index.actor(*index) == actor
            && trace_index.statement(*index).is_some_and(|ran| ran.result.is_err())
    })
}

pub(super) fn changed_nothing(trace_index: &TraceIndex<'_>, statement: usize) -> bool {
    let answer = trace_index.statement(statement).and_then(|ran| ran.result.as_ref().ok());
    answer.is_some_and(|answer| answer.changed == 0 && answer.rows.is_empty())
}

fn ended(trace_index: &TraceIndex<'_>, from: usize, closing: Closing) -> Edge {
    let because = match closing {
        Closing::Died(_) => Reason::Died,
        Closing::Acknowledged(_) | Closing::GivenBack(_) => Reason::SameActor,
    };
    trace_index.edge(from, closing.event(), because)
}

/// From the end of a delivery to the message's last delivery, and the outcome of that one: what the receiving part knew
/// already, and how the message was settled. Also returns the last closing.
pub(super) fn again(
    trace_index: &TraceIndex<'_>,
    delivery: usize,
    store: Option<usize>,
    cargo: ValueFlow<'_>,
) -> (Vec<Edge>, Option<Closing>) {
    let (first, deliveries) = (closing(trace_index, delivery), deliveries(trace_index, delivery));
    let Some(last) = deliveries.last().copied().filter(|last| *last > delivery) else {
        return (Vec::new(), first);
    };
    let mut edges = Vec::new();
    let Some(attempt) = trace_index.attempt(last) else { return (Vec::new(), first) };
    let because = Reason::DeliveredAgain(attempt);
    let from = first.map_or(delivery, Closing::event);
    edges.push(trace_index.edge(if from < last { from } else { delivery }, last, because));
    let closing = closing(trace_index, last);
    let Some(end) = closing.map(Closing::event) else { return (edges, None) };
    let actor = trace_index.actor(last);
    let request = (last + 1..end).find(|index| {
        trace_index.actor(*index) == actor
            && trace_index
                .request(*index)
                .is_some_and(|request| request.field(cargo.field) == Some(cargo.value))
            && sources::in_hand(trace_index, actor, *index) == Some(last)
    });
    let part = request.and_then(|request| trace_index.request(request)).map(|request| request.part);
    let knew = store.filter(|store| {
        matches!(trace_index.kind(*store), EventKind::Stored(stored) if Some(stored.part) == part)
            && request.is_some_and(|request| {
                sources::held_by(trace_index, part.unwrap_or_default(), request, request + 1, cargo)
                    == Some(*store)
            })
    });
    let mut at = last;
    if let (Some(store), Some(request)) = (knew, request) {
        let known = Reason::Known { field: cargo.field.to_owned(), value: cargo.value.clone() };
        edges.push(trace_index.edge(store, request, known));
        at = request;
    }
    edges.extend(done(trace_index, at, end, cargo));
    (edges, closing)
}

/// How an actor got from one event to the end of its delivery.
fn done(trace_index: &TraceIndex<'_>, from: usize, end: usize, cargo: ValueFlow<'_>) -> Vec<Edge> {
    let actor = trace_index.actor(end);
    let ran: Vec<usize> = (from + 1..end)
        .filter(|index| trace_index.actor(*index) == actor && trace_index.statement(*index).is_some())
        .collect();
    let carrier = ran
        .iter()
        .rfind(|index| trace_index.statement(**index).is_some_and(|ran| ran.params.contains(cargo.value)));
    match carrier {
        Some(carrier) if changed_nothing(trace_index, *carrier) => vec![
            trace_index.edge(from, *carrier, cargo.equal()),
            trace_index.edge(*carrier, end, Reason::ChangedNothing),
        ],
        _ if ran.is_empty() => vec![trace_index.edge(from, end, Reason::SameActorWroteNothing)],
        _ => vec![trace_index.edge(from, end, Reason::SameActor)],
    }
}
