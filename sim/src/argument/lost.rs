//! Lost acknowledgements: what was sent, who took it on, why it was not written, and how it was done with all the same.
//! It must not call anything lost that any commit has written since.

use super::fate::{self, Closing};
use super::sources::{self, Cargo, way};
use super::story::{Story, mentions};
use super::{Act, Contradiction, Edge, Proof, Reason, versions};
use crate::engine::Value;
use crate::invariant::Breach;
use crate::trace::What;

pub(super) fn argue(story: &Story<'_>, breach: &Breach) -> Option<Proof> {
    let Some(cell) = &breach.on else { return dead(story, breach) };
    let (column, row) = (cell.column, cell.row.as_ref()?);
    let sends: Vec<usize> = story
        .exchanges("send")
        .filter(|(_, sent)| mentions(&sent.body, row) && sent.field(column).is_some())
        .map(|(index, _)| index)
        .collect();
    let (store, value) = taken_in(story, column, &sends)
        .or_else(|| Some((None, story.exchange(*sends.last()?)?.field(column)?)))?;
    let cargo = Cargo { field: column, value };
    let stands = versions::stands(story, cell.part, column, Some(row));
    let written = versions::of(story, cell.part, column, Some(row));
    let since = store.unwrap_or(0);
    if stands == *value || written.iter().any(|version| version.commit > since && version.new == value) {
        return None;
    }
    let (mut edges, delivery) = match store {
        Some(store) => {
            let edges = way(story, store, cargo);
            let request = edges.iter().rev().map(|edge| edge.before.event);
            let delivery = request.clone().find(|event| is_delivery(story, *event));
            (edges, delivery?)
        }
        None => {
            let sent = *sends.last()?;
            let brought =
                |(index, _): (usize, _)| (sources::sent(story, index) == Some(sent)).then_some(index);
            let delivery = story.exchanges("deliver").find_map(brought)?;
            (way(story, delivery, cargo), delivery)
        }
    };
    if let Some(store) = store
        && let Some(done) = over(story, delivery, store)
    {
        edges.extend(replaced(story, store, cargo));
        let (store, column, value) = (story.act(store), column.to_owned(), value.clone());
        return Some((edges, Contradiction::TooLate { store, done, column, value, stands }));
    }
    let from = store.unwrap_or(delivery);
    edges.extend(fate::of_value(story, from, delivery, cargo));
    let (more, closing) = fate::again(story, delivery, store, cargo);
    edges.extend(more);
    let done = match closing {
        Some(Closing::Acknowledged(event)) => Some(story.act(event)),
        _ => None,
    };
    let end = Contradiction::NeverWritten { done, column: column.to_owned(), value: value.clone(), stands };
    Some((edges, end))
}

/// The last write of that field by a part that one of the messages led to, and its value.
fn taken_in<'r>(story: &Story<'r>, column: &str, sends: &[usize]) -> Option<(Option<usize>, &'r Value)> {
    let led = |index: usize, value: &Value| {
        let stations = sources::stations(story, index, Cargo { field: column, value });
        stations.iter().any(|station| sends.contains(station))
    };
    let mut last: Option<(&str, usize, &Value)> = None;
    for (index, event) in story.events().iter().enumerate() {
        let What::Stored(stored) = &event.what else { continue };
        let Some(value) = stored.field(column) else { continue };
        let same = last.is_some_and(|(part, _, known)| part == stored.part && known == value);
        if !same && led(index, value) {
            last = Some((stored.part, index, value));
        }
    }
    last.map(|(_, index, value)| (Some(index), value))
}

/// The last word on a message, where all of its deliveries had ended by that event.
fn over(story: &Story<'_>, delivery: usize, event: usize) -> Option<Act> {
    let closings =
        fate::deliveries(story, delivery).into_iter().map(|delivery| fate::closing(story, delivery));
    let ends: Option<Vec<usize>> = closings.map(|closing| Some(closing?.event())).collect();
    let last = ends?.into_iter().max()?;
    (last < event).then(|| story.act(last))
}

/// What a part had in that field before.
fn replaced(story: &Story<'_>, store: usize, cargo: Cargo<'_>) -> Option<Edge> {
    let What::Stored(stored) = story.what(store) else { return None };
    let mut earlier = story.trace().stored(stored.part).take_while(|(index, _)| *index < store);
    let (before, old) = earlier.by_ref().last()?;
    let old = old.field(cargo.field).filter(|old| *old != cargo.value)?.clone();
    let because = Reason::Replaced { field: cargo.field.to_owned(), old, new: cargo.value.clone() };
    Some(story.edge(before, store, because))
}

fn is_delivery(story: &Story<'_>, event: usize) -> bool {
    story.exchange(event).is_some_and(|exchange| exchange.label == "deliver")
}

/// A message that was given up: its first attempt, its last, and what each came to.
fn dead(story: &Story<'_>, breach: &Breach) -> Option<Proof> {
    let mut letters = story.exchanges("dead-letter").map(|(index, _)| index);
    let letter = breach.event.filter(|event| story.exchange(*event).is_some()).or_else(|| letters.next())?;
    let sent = sources::sent(story, letter)?;
    let brought = |(index, _): (usize, _)| (sources::sent(story, index) == Some(sent)).then_some(index);
    let deliveries: Vec<usize> = story.exchanges("deliver").filter_map(brought).collect();
    let (first, last) = (*deliveries.first()?, *deliveries.last()?);
    let field = |event: usize, name| {
        story.exchange(event).and_then(|exchange| exchange.field(name)).cloned().unwrap_or(Value::Null)
    };
    let (message, attempts) = (field(letter, "message"), field(last, "attempt"));
    let because = Reason::Delivered { message: message.clone(), attempt: field(first, "attempt") };
    let mut edges = vec![story.edge(sent, first, because)];
    edges.extend(attempt(story, first));
    if last > first {
        let from = fate::closing(story, first).map_or(first, Closing::event);
        let because = Reason::DeliveredAgain { message: message.clone(), attempt: attempts.clone() };
        edges.push(story.edge(if from < last { from } else { first }, last, because));
        edges.extend(attempt(story, last));
    }
    Some((edges, Contradiction::Dead { letter: story.act(letter), message, attempts }))
}

/// What an attempt came to: its last statement, and why that was not enough.
fn attempt(story: &Story<'_>, delivery: usize) -> Vec<Edge> {
    let Some(closing) = fate::closing(story, delivery) else { return Vec::new() };
    let (actor, end) = (story.actor(delivery), closing.event());
    let mine = |index: &usize| story.actor(*index) == actor;
    let store = (delivery + 1..end).filter(mine).find_map(|index| {
        let exchange = story.exchange(index).filter(|exchange| exchange.label != "deliver")?;
        let stored = story.trace().stored(exchange.part).map(|(at, _)| at);
        stored.take_while(|at| *at < end).last()
    });
    let mut ran = (delivery + 1..end).filter(mine).filter(|index| story.statement(*index).is_some());
    let Some(statement) = ran.next_back() else { return vec![story.edge(delivery, end, Reason::SameActor)] };
    let mut edges = Vec::new();
    let carried = store.and_then(|store| {
        let (What::Stored(stored), Some(ran)) = (story.what(store), story.statement(statement)) else {
            return None;
        };
        let mut fields = stored.state.iter().filter(|(_, value)| *value != Value::Null);
        fields.find(|(_, value)| ran.params.contains(value))
    });
    match (store, carried) {
        (Some(store), Some((field, value))) if store < statement => {
            let cargo = Cargo { field, value };
            if store > delivery {
                edges.extend(way(story, store, cargo).pop());
            } else {
                edges.push(story.edge(delivery, statement, Reason::SameActor));
            }
            edges.push(story.edge(store, statement, cargo.carried()));
        }
        _ => edges.push(story.edge(delivery, statement, Reason::SameActor)),
    }
    let error = story.statement(statement).and_then(|ran| ran.result.as_ref().err());
    let because = match error {
        Some(error) => Reason::Failed { error: error.to_string() },
        None if fate::changed_nothing(story, statement) => Reason::ChangedNothing,
        None => Reason::SameActor,
    };
    edges.push(story.edge(statement, end, because));
    edges
}
