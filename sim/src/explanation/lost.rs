//! Lost acknowledgements: what was sent, which actor took it, why it was not written, and how the message was settled
//! all the same. A value that any later commit wrote is not lost.

use super::delivery_outcome::{self, Closing};
use super::sources::{self, ValueFlow, way};
use super::trace_index::{TraceIndex, mentions};
use super::{Act, Edge, Proof, Reason, WrongValue, versions};
use crate::engine::Value;
use crate::invariant::Breach;
use crate::trace::{EventKind, Request, RequestKind};

pub(super) fn explain(trace_index: &TraceIndex<'_>, breach: &Breach) -> Option<Proof> {
    let Some(cell) = &breach.on else { return dead(trace_index, breach) };
    let (column, row) = (cell.column, cell.row.as_ref()?);
    let sends: Vec<usize> = trace_index
        .arrived()
        .filter(|(_, sent)| matches!(sent.kind, RequestKind::Send(_)))
        .filter(|(_, sent)| mentions(&sent.body, row) && sent.field(column).is_some())
        .map(|(index, _)| index)
        .collect();
    let (store, value) = taken_in(trace_index, column, &sends)
        .or_else(|| Some((None, trace_index.request(*sends.last()?)?.field(column)?)))?;
    let cargo = ValueFlow { field: column, value };
    let stands = versions::stands(trace_index, cell.part, column, Some(row));
    let written = versions::of(trace_index, cell.part, column, Some(row));
    let since = store.unwrap_or(0);
    if stands == *value || written.iter().any(|version| version.commit > since && version.new == value) {
        return None;
    }
    let (mut edges, delivery) = match store {
        Some(store) => {
            let edges = way(trace_index, store, cargo);
            let request = edges.iter().rev().map(|edge| edge.before.event);
            let delivery = request.clone().find(|event| is_delivery(trace_index, *event));
            (edges, delivery?)
        }
        None => {
            let sent = *sends.last()?;
            let brought = |(index, ..): (usize, _, _)| {
                (sources::sent(trace_index, index) == Some(sent)).then_some(index)
            };
            let delivery = trace_index.deliveries().find_map(brought)?;
            (way(trace_index, delivery, cargo), delivery)
        }
    };
    if let Some(store) = store
        && let Some(done) = over(trace_index, delivery, store)
    {
        edges.extend(replaced(trace_index, store, cargo));
        let (store, column, value) = (trace_index.act(store), column.to_owned(), value.clone());
        return Some((edges, WrongValue::TooLate { store, done, column, value, stands }.into()));
    }
    let from = store.unwrap_or(delivery);
    edges.extend(delivery_outcome::of_value(trace_index, from, delivery, cargo));
    let (more, closing) = delivery_outcome::again(trace_index, delivery, store, cargo);
    edges.extend(more);
    let done = match closing {
        Some(Closing::Acknowledged(event)) => Some(trace_index.act(event)),
        _ => None,
    };
    let end =
        WrongValue::NeverWritten { done, column: column.to_owned(), value: value.clone(), stands }.into();
    Some((edges, end))
}

/// The last store of that field that one of the messages led to, and its value.
fn taken_in<'r>(
    trace_index: &TraceIndex<'r>,
    column: &str,
    sends: &[usize],
) -> Option<(Option<usize>, &'r Value)> {
    let led = |index: usize, value: &Value| {
        let stations = sources::stations(trace_index, index, ValueFlow { field: column, value });
        stations.iter().any(|station| sends.contains(station))
    };
    let mut last: Option<(&str, usize, &Value)> = None;
    for (index, event) in trace_index.events().iter().enumerate() {
        let EventKind::Stored(stored) = &event.kind else { continue };
        let Some(value) = stored.field(column) else { continue };
        let same = last.is_some_and(|(part, _, known)| part == stored.part && known == value);
        if !same && led(index, value) {
            last = Some((stored.part, index, value));
        }
    }
    last.map(|(_, index, value)| (Some(index), value))
}

/// The end of the last delivery of a message, if all its deliveries had ended before that event.
fn over(trace_index: &TraceIndex<'_>, delivery: usize, event: usize) -> Option<Act> {
    let closings = delivery_outcome::deliveries(trace_index, delivery)
        .into_iter()
        .map(|delivery| delivery_outcome::closing(trace_index, delivery));
    let ends: Option<Vec<usize>> = closings.map(|closing| Some(closing?.event())).collect();
    let last = ends?.into_iter().max()?;
    (last < event).then(|| trace_index.act(last))
}

/// The part's previous value of that field.
fn replaced(trace_index: &TraceIndex<'_>, store: usize, cargo: ValueFlow<'_>) -> Option<Edge> {
    let EventKind::Stored(stored) = trace_index.kind(store) else { return None };
    let mut earlier = trace_index.trace().stored(stored.part).take_while(|(index, _)| *index < store);
    let (before, old) = earlier.by_ref().last()?;
    let old = old.field(cargo.field).filter(|old| *old != cargo.value)?.clone();
    let because = Reason::Replaced { field: cargo.field.to_owned(), old, new: cargo.value.clone() };
    Some(trace_index.edge(before, store, because))
}

fn is_delivery(trace_index: &TraceIndex<'_>, event: usize) -> bool {
    trace_index.request(event).is_some_and(Request::is_delivery)
}

/// A dead-lettered message: its first and its last attempt, with the outcome of each.
fn dead(trace_index: &TraceIndex<'_>, breach: &Breach) -> Option<Proof> {
    let is_dead = |(index, request): (usize, &Request)| {
        matches!(request.kind, RequestKind::DeadLetter(_)).then_some(index)
    };
    let mut letters = trace_index.arrived().filter_map(is_dead);
    let letter =
        breach.event.filter(|event| trace_index.request(*event).is_some()).or_else(|| letters.next())?;
    let sent = sources::sent(trace_index, letter)?;
    let brought =
        |(index, ..): (usize, _, _)| (sources::sent(trace_index, index) == Some(sent)).then_some(index);
    let deliveries: Vec<usize> = trace_index.deliveries().filter_map(brought).collect();
    let (first, last) = (*deliveries.first()?, *deliveries.last()?);
    let last_attempt = trace_index.attempt(last)?;
    let because = Reason::Delivered(trace_index.attempt(first)?);
    let mut edges = vec![trace_index.edge(sent, first, because)];
    edges.extend(attempt(trace_index, first));
    if last > first {
        let from = delivery_outcome::closing(trace_index, first).map_or(first, Closing::event);
        let because = Reason::DeliveredAgain(last_attempt);
        edges.push(trace_index.edge(if from < last { from } else { first }, last, because));
        edges.extend(attempt(trace_index, last));
    }
    Some((edges, WrongValue::Dead { letter: trace_index.act(letter), last: last_attempt }.into()))
}

/// The outcome of an attempt: its last statement, and why that was not enough.
fn attempt(trace_index: &TraceIndex<'_>, delivery: usize) -> Vec<Edge> {
    let Some(closing) = delivery_outcome::closing(trace_index, delivery) else { return Vec::new() };
    let (actor, end) = (trace_index.actor(delivery), closing.event());
    let mine = |index: &usize| trace_index.actor(*index) == actor;
    let store = (delivery + 1..end).filter(mine).find_map(|index| {
        let request = trace_index.request(index).filter(|request| request.kind == RequestKind::Call)?;
        let stored = trace_index.trace().stored(request.part).map(|(at, _)| at);
        stored.take_while(|at| *at < end).last()
    });
    let mut ran = (delivery + 1..end).filter(mine).filter(|index| trace_index.statement(*index).is_some());
    let Some(statement) = ran.next_back() else {
        return vec![trace_index.edge(delivery, end, Reason::SameActor)];
    };
    let mut edges = Vec::new();
    let carried = store.and_then(|store| {
        let (EventKind::Stored(stored), Some(ran)) =
            (trace_index.kind(store), trace_index.statement(statement))
        else {
            return None;
        };
        let mut fields = stored.state.iter().filter(|(_, value)| *value != Value::Null);
        fields.find(|(_, value)| ran.params.contains(value))
    });
    match (store, carried) {
        (Some(store), Some((field, value))) if store < statement => {
            let cargo = ValueFlow { field, value };
            if store > delivery {
                edges.extend(way(trace_index, store, cargo).pop());
            } else {
                edges.push(trace_index.edge(delivery, statement, Reason::SameActor));
            }
            edges.push(trace_index.edge(store, statement, cargo.equal()));
        }
        _ => edges.push(trace_index.edge(delivery, statement, Reason::SameActor)),
    }
    let error = trace_index.statement(statement).and_then(|ran| ran.result.as_ref().err());
    let because = match error {
        Some(error) => Reason::Failed { error: error.to_string() },
        None if delivery_outcome::changed_nothing(trace_index, statement) => Reason::ChangedNothing,
        None => Reason::SameActor,
    };
    edges.push(trace_index.edge(statement, end, because));
    edges
}
