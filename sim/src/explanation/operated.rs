//! Losses of recorded operations: what the operation that undid an intended write had read, and when. Only losses that
//! the check of operations itself found are explained.

use super::trace_index::TraceIndex;
use super::versions::{self, Version};
use super::{Act, Basis, Edge, Proof, Reason, WrongValue};
use crate::anomaly::{Anomaly, Cell};
use crate::checks::operation::{self, Lost, Operation};
use crate::engine::Value;
use crate::invariant::Breach;
use crate::trace::{EventKind, Stage};

pub(super) fn explain(trace_index: &TraceIndex<'_>, breach: &Breach) -> Option<Proof> {
    let cell = breach.on.as_ref()?;
    let row = cell.row.as_ref()?;
    let operations = operation::recorded(trace_index.trace(), cell.part);
    if operations.is_empty() {
        return None;
    }
    let is_judged = |of: &Operation, column: &str| of.row == *row && column == cell.column;
    let (_, losses) = operation::losses(trace_index.trace(), cell.part, &operations, &is_judged);
    let shown = losses.into_iter().filter(|lost| breach.event.is_none_or(|event| event == lost.event));
    let lost = shown.min_by_key(|lost| lost.event)?;
    match lost.anomaly {
        Anomaly::LostAcknowledgement => never_written(trace_index, cell, &operations[lost.operation], &lost),
        _ => undone(trace_index, cell, &operations, &lost),
    }
}

/// The versions of the cell, and the write that was lost.
struct Cut<'s> {
    trace_index: &'s TraceIndex<'s>,
    column: &'static str,
    versions: Vec<Version<'s>>,
    /// The lost write; for a value that was there from the beginning, the acknowledgement.
    newer: Act,
}

/// A value was written, and a write that had not seen it replaced it.
fn undone<'s>(
    trace_index: &'s TraceIndex<'s>,
    cell: &'s Cell,
    operations: &[Operation],
    lost: &Lost,
) -> Option<Proof> {
    let stands = lost.stands.as_ref()?;
    let acknowledged = operations[lost.operation].acknowledged?;
    let newer = trace_index.act(lost.since.unwrap_or(acknowledged));
    let (column, write) = (lost.column, trace_index.act(lost.event));
    let versions = versions::of(trace_index, cell.part, column, cell.row.as_ref());
    let cut = Cut { trace_index, column, versions, newer };
    let by = lost.by.map(|by| &operations[by]);
    let reads = || by.into_iter().flat_map(|by| by.reads.iter().copied().filter(|read| *read < newer.event));
    let read = match lost.anomaly {
        // A computed value is based on the read that it declares; a copied one comes from the last read that found it.
        Anomaly::LostUpdate => {
            let declared = by.and_then(|by| {
                let of_value = |it: &&operation::Intent| it.column == column && it.value == *stands;
                by.intends.iter().rfind(of_value)?.based_on
            });
            declared.filter(|read| *read < newer.event).or_else(|| reads().next_back())
        }
        _ => reads().rfind(|read| cut.value_at(*read) == Some(stands)),
    };
    let older = cut.versions.iter().rfind(|version| version.commit < newer.event && version.new == stands);
    let mut edges = Vec::new();
    let older = match (read, older) {
        (Some(read), _) => {
            edges.extend(cut.had_read(read, lost));
            trace_index.act(read)
        }
        (None, Some(older)) => {
            let edge = cut.overwrote(older.act, newer, stands, &lost.value);
            edges.extend(edge.filter(|_| lost.since.is_some()));
            older.act
        }
        (None, None) => {
            if versions::is_known_before(trace_index, lost.event, stands) {
                return None;
            }
            let (old, new) = (lost.value.clone(), stands.clone());
            let edges = cut.overwrote(newer, write, &lost.value, stands).into_iter().collect();
            return Some((
                edges,
                WrongValue::OutOfNowhere { write, column: column.to_owned(), old, new }.into(),
            ));
        }
    };
    edges.extend(cut.overwrote(newer, write, &lost.value, stands));
    let end = match (lost.anomaly, read) {
        (Anomaly::LostUpdate, Some(_)) => WrongValue::Unseen { write, lost: newer, read: older }.into(),
        _ => {
            WrongValue::OlderStands { write, newer, older, column: column.to_owned(), value: stands.clone() }
                .into()
        }
    };
    Some((edges, end))
}

impl<'s> Cut<'s> {
    /// The value of the cell at that event, as far as the versions show.
    fn value_at(&self, event: usize) -> Option<&'s Value> {
        let before = self.versions.iter().rfind(|version| version.commit < event);
        before.map(|version| version.new).or_else(|| self.versions.first().map(|version| version.old))
    }

    /// Which write a read found, and that the lost write came after the read.
    fn had_read(&self, read: usize, lost: &Lost) -> Vec<Edge> {
        let (act, mut edges) = (self.trace_index.act(read), Vec::new());
        if let Some(version) = self.versions.iter().rfind(|version| version.commit < read) {
            let because = Reason::Stood { column: self.column.to_owned(), value: version.new.clone() };
            edges.push(Edge { before: version.act, after: act, because });
        }
        if lost.since.is_some() {
            let (read, written) = match self.value_at(read) {
                Some(value) if *value != lost.value => (value.clone(), lost.value.clone()),
                _ => (Value::Null, Value::Null),
            };
            // If the value that was read is unknown, the edge says only that the row was read.
            let column = if read == written { String::new() } else { self.column.to_owned() };
            let because = Reason::OverwroteWhatRead { column, read, written, basis: Basis::Linked };
            edges.push(Edge { before: act, after: self.newer, because });
        }
        edges
    }

    /// One write replaced another, with how many versions in between; `None` if the first is not a write.
    fn overwrote(&self, older: Act, newer: Act, old: &Value, new: &Value) -> Option<Edge> {
        matches!(self.trace_index.kind(older.event), EventKind::Committed(_)).then(|| {
            let inside = |version: &&Version<'_>| (older.event + 1..newer.event).contains(&version.commit);
            let between = self.versions.iter().filter(inside).count();
            let (column, old, new) = (self.column.to_owned(), old.clone(), new.clone());
            Edge { before: older, after: newer, because: Reason::Overwrote { column, old, new, between } }
        })
    }
}

/// What an operation intended, its request that failed or wrote something else, and its acknowledgement.
fn never_written(
    trace_index: &TraceIndex<'_>,
    cell: &Cell,
    operation: &Operation,
    lost: &Lost,
) -> Option<Proof> {
    let (actor, done) = (operation.actor, lost.event);
    let mine: Vec<usize> =
        (operation.began..done).filter(|event| trace_index.actor(*event) == actor).collect();
    let meant = mine.iter().copied().rfind(|event| match trace_index.kind(*event) {
        EventKind::Operated(_, Stage::Intends(fields)) => fields.contains(&(lost.column, lost.value.clone())),
        _ => false,
    })?;
    let failed = |event: usize| match trace_index.kind(event) {
        EventKind::Ran(ran) => ran.result.as_ref().err().map(ToString::to_string),
        EventKind::Requested(asked) if asked.part == cell.part && !asked.arrived => {
            Some("it never arrived".to_owned())
        }
        EventKind::Requested(asked) if asked.part == cell.part && !asked.heard => {
            Some("nothing was heard of it".to_owned())
        }
        _ => None,
    };
    let wrote = |event: &usize| matches!(trace_index.kind(*event), EventKind::Committed(_));
    let after = || mine.iter().copied().filter(|event| *event > meant);
    let failure = after().rev().find_map(|event| Some((event, failed(event)?)));
    let edges = match (failure, after().rfind(|event| wrote(event))) {
        (Some((event, error)), _) => {
            let then = trace_index.edge(event, done, Reason::Failed { error });
            vec![trace_index.edge(meant, event, Reason::SameActor), then]
        }
        (None, Some(commit)) => {
            vec![
                trace_index.edge(meant, commit, Reason::SameActor),
                trace_index.edge(commit, done, Reason::SameActor),
            ]
        }
        (None, None) => vec![trace_index.edge(meant, done, Reason::SameActor)],
    };
    let (column, value) = (lost.column.to_owned(), lost.value.clone());
    let stands = lost.stands.clone().unwrap_or(Value::Null);
    Some((
        edges,
        WrongValue::NeverWritten { done: Some(trace_index.act(done)), column, value, stands }.into(),
    ))
}
