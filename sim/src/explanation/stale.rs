//! Stale overwrites and lost updates: the version that was overwritten, the one that overwrote it, and where the older
//! value was in between. A value counts as older only if a sequence of versions, stores or sends orders it so.

use super::sources::{ValueFlow, stations, way};
use super::trace_index::TraceIndex;
use super::versions::{self, Version};
use super::{Basis, Edge, Proof, Reason, WrongValue};
use crate::engine::Value;
use crate::invariant::Breach;
use crate::trace::{EventKind, Request, RequestKind};

pub(super) fn explain(trace_index: &TraceIndex<'_>, breach: &Breach) -> Option<Proof> {
    let cell = breach.on.as_ref()?;
    let (column, row) = (cell.column, cell.row.as_ref());
    let mut versions = versions::of(trace_index, cell.part, column, row);
    if let Some(event) = breach.event {
        let at = versions.iter().rposition(|version| version.commit == event)?;
        versions.truncate(at + 1);
    }
    let (last, earlier) = versions.split_last()?;
    if earlier.is_empty() {
        return replayed(trace_index, column, last).or_else(|| lone(trace_index, column, last));
    }
    let by_order = |newer: usize| inverted(trace_index, column, &versions, newer);
    by_order(earlier.len() - 1)
        .or_else(|| revived(trace_index, column, &versions))
        .or_else(|| (0..earlier.len() - 1).rev().find_map(by_order))
        .or_else(|| replayed(trace_index, column, last))
        .or_else(|| unseen(trace_index, column, earlier, last))
        .or_else(|| lone(trace_index, column, last))
}

/// The origin of a version's value: the events on its path, its statement last.
fn origin(trace_index: &TraceIndex<'_>, column: &str, version: &Version<'_>) -> Vec<usize> {
    let cargo = ValueFlow { field: column, value: version.new };
    version.statement.map_or(Vec::new(), |statement| stations(trace_index, statement, cargo))
}

/// Whether the two belong to one sequence, the first earlier: two stores of one part, or two messages of one sender.
fn in_line(trace_index: &TraceIndex<'_>, one: usize, other: usize) -> bool {
    match (trace_index.kind(one), trace_index.kind(other)) {
        (EventKind::Stored(first), EventKind::Stored(second)) => first.part == second.part && one < other,
        (EventKind::Requested(first), EventKind::Requested(second)) => {
            let is_send = |request: &Request| matches!(request.kind, RequestKind::Send(_));
            let sends = is_send(first) && is_send(second) && first.part == second.part;
            sends && trace_index.actor(one) == trace_index.actor(other) && one < other
        }
        _ => false,
    }
}

/// The last version's value comes earlier in a sequence than that of the version `newer`, which it overwrote.
fn inverted(
    trace_index: &TraceIndex<'_>,
    column: &str,
    versions: &[Version<'_>],
    newer: usize,
) -> Option<Proof> {
    let (last, newer_version) = (versions.last()?, &versions[newer]);
    let (old_way, new_way) = (origin(trace_index, column, last), origin(trace_index, column, newer_version));
    let (old, new) = old_way.iter().rev().find_map(|old| {
        let new = new_way.iter().find(|new| in_line(trace_index, *old, **new))?;
        Some((*old, *new))
    })?;
    let mut edges =
        vec![trace_index.edge(old, new, order(trace_index, column, old, last.new, newer_version.new))];
    edges.extend(after(trace_index, new, column, newer_version));
    edges.extend(versions::chain(column, &versions[newer..]));
    edges.extend(after(trace_index, old, column, last));
    let end = WrongValue::OlderStands {
        write: last.act,
        newer: newer_version.act,
        older: trace_index.act(old),
        column: column.to_owned(),
        value: last.new.clone(),
    }
    .into();
    Some((edges, end))
}

fn order(trace_index: &TraceIndex<'_>, column: &str, event: usize, old: &Value, new: &Value) -> Reason {
    match trace_index.kind(event) {
        EventKind::Stored(_) => {
            Reason::Replaced { field: column.to_owned(), old: old.clone(), new: new.clone() }
        }
        _ => Reason::SameActor,
    }
}

/// The path of a version's value after that event, ending at its commit.
fn after(trace_index: &TraceIndex<'_>, event: usize, column: &str, version: &Version<'_>) -> Vec<Edge> {
    let Some(statement) = version.statement else { return Vec::new() };
    let all = way(trace_index, statement, ValueFlow { field: column, value: version.new });
    let from = all.iter().position(|edge| edge.before.event == event);
    let mut edges = all[from.unwrap_or(all.len())..].to_vec();
    if let Some(edge) = edges.last_mut() {
        edge.after = version.act;
    }
    edges
}

/// The last version's value had been in the row before, and other values had replaced it.
fn revived(trace_index: &TraceIndex<'_>, column: &str, versions: &[Version<'_>]) -> Option<Proof> {
    let (last, earlier) = versions.split_last()?;
    let newer = earlier.last()?;
    let first = earlier.iter().rposition(|version| version.new == last.new)?;
    let (old_way, new_way) =
        (origin(trace_index, column, &versions[first]), origin(trace_index, column, last));
    let common = old_way.iter().rev().find(|event| new_way.contains(event)).copied();
    // A value that the last writer obtained after the version it replaced was committed is not the old one.
    if new_way.len() > 1 && common.is_none_or(|event| event > newer.commit) {
        return None;
    }
    let mut edges = common.map_or(Vec::new(), |event| after(trace_index, event, column, &versions[first]));
    edges.extend(versions::chain(column, &versions[first..]));
    edges.extend(common.map_or(Vec::new(), |event| after(trace_index, event, column, last)));
    let end = WrongValue::OlderStands {
        write: last.act,
        newer: newer.act,
        older: common.map_or(versions[first].act, |event| trace_index.act(event)),
        column: column.to_owned(),
        value: last.new.clone(),
    }
    .into();
    Some((edges, end))
}

/// The part that the last version's value comes from had processed an older message after a newer one.
fn replayed(trace_index: &TraceIndex<'_>, column: &str, last: &Version<'_>) -> Option<Proof> {
    let way_of_last = origin(trace_index, column, last);
    let store =
        *way_of_last.iter().rev().find(|event| matches!(trace_index.kind(**event), EventKind::Stored(_)))?;
    let EventKind::Stored(stored) = trace_index.kind(store) else { return None };
    for (index, earlier) in trace_index.trace().stored(stored.part).take_while(|(index, _)| *index < store) {
        let Some(value) = earlier.field(column).filter(|value| *value != last.new) else { continue };
        let stations = stations(trace_index, index, ValueFlow { field: column, value });
        let found = way_of_last.iter().find_map(|old| {
            let new = stations.iter().find(|new| in_line(trace_index, *old, **new) && **new != index)?;
            Some((*old, *new))
        });
        let Some((old, new)) = found.filter(|(old, _)| *old < index) else { continue };
        let mut edges = vec![trace_index.edge(old, new, order(trace_index, column, old, last.new, value))];
        let newer = way(trace_index, index, ValueFlow { field: column, value });
        let from = newer.iter().position(|edge| edge.before.event == new).unwrap_or(newer.len());
        edges.extend(newer[from..].iter().cloned());
        let replaced =
            Reason::Replaced { field: column.to_owned(), old: value.clone(), new: last.new.clone() };
        edges.push(trace_index.edge(index, store, replaced));
        edges.extend(after(trace_index, old, column, last));
        let end = WrongValue::OlderStands {
            write: last.act,
            newer: trace_index.act(index),
            older: trace_index.act(old),
            column: column.to_owned(),
            value: last.new.clone(),
        }
        .into();
        return Some((edges, end));
    }
    None
}

/// The last writer had read the predecessor of the value that it overwrote.
fn unseen(
    trace_index: &TraceIndex<'_>,
    column: &str,
    earlier: &[Version<'_>],
    last: &Version<'_>,
) -> Option<Proof> {
    let (previous, before) = earlier.split_last()?;
    let statement = last.statement?;
    let actor = trace_index.actor(statement);
    let touched =
        |read: usize| previous.statement.and_then(|wrote| trace_index.read_what_was_written(read, wrote));
    let read =
        trace_index.back(actor, statement).filter(|index| touched(*index) != Some(false)).find(|index| {
            let answer = trace_index.statement(*index).and_then(|ran| ran.result.as_ref().ok());
            answer.is_some_and(|answer| answer.rows.iter().any(|row| row.contains(previous.old)))
        });
    let read = read.filter(|read| *read < previous.commit && previous.act.actor != actor)?;
    let basis = if touched(read) == Some(true) { Basis::Linked } else { Basis::EqualValues };
    let because = Reason::OverwroteWhatRead {
        column: column.to_owned(),
        read: previous.old.clone(),
        written: previous.new.clone(),
        basis,
    };
    let edge = Edge { before: trace_index.act(read), after: previous.act, because };
    let written = before.iter().rfind(|version| version.commit < read && version.new == previous.old);
    let read_what = written.map(|version| {
        let value = version.new.clone();
        let because = Reason::ReadWhatWrote { column: column.to_owned(), value, basis };
        Edge { before: version.act, after: trace_index.act(read), because }
    });
    let mut edges: Vec<Edge> = read_what.into_iter().collect();
    edges.extend([edge, versions::overwrote(column, previous, last, 0)]);
    let end = WrongValue::Unseen { write: last.act, lost: previous.act, read: trace_index.act(read) }.into();
    Some((edges, end))
}

/// A value that appears nowhere earlier replaced another.
fn lone(trace_index: &TraceIndex<'_>, column: &str, last: &Version<'_>) -> Option<Proof> {
    let statement = last.statement?;
    let ran = trace_index.statement(statement)?;
    if ran.params.contains(last.new) || versions::is_known_before(trace_index, statement, last.new) {
        return None;
    }
    let (old, new) = (last.old.clone(), last.new.clone());
    let end = WrongValue::OutOfNowhere { write: last.act, column: column.to_owned(), old, new }.into();
    Some((Vec::new(), end))
}
