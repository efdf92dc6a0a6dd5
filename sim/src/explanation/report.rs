//! False reports: what was reported against what the store has. Only committed and sent values are compared.

use std::collections::BTreeSet;

use super::sources::{ValueFlow, way};
use super::trace_index::{TraceIndex, field};
use super::versions;
use super::{Edge, Proof, Reason, WrongReport};
use crate::anomaly::Cell;
use crate::engine::{RowChange, Value};
use crate::invariant::Breach;
use crate::trace::EventKind;

pub(super) fn explain(trace_index: &TraceIndex<'_>, breach: &Breach) -> Option<Proof> {
    let cell = breach.on.as_ref()?;
    match breach.event.map(|event| (event, trace_index.kind(event))) {
        Some((event, EventKind::Requested(_))) => sent(trace_index, cell, event),
        Some((event, EventKind::Ran(_))) => unreported(trace_index, cell, event),
        Some((event, EventKind::Committed(_))) => counted(trace_index, cell, event),
        Some((event, _)) => left(trace_index, cell, event),
        None => left(trace_index, cell, trace_index.events().len().checked_sub(1)?),
    }
}

/// A request reported a value that the row did not have: the write that it is about replaced another one.
fn sent(trace_index: &TraceIndex<'_>, cell: &Cell, effect: usize) -> Option<Proof> {
    let body = &trace_index.request(effect)?.body;
    let said = field(body, cell.column).unwrap_or(&Value::Null);
    let (write, change) = written_before(trace_index, effect, said)?;
    let columns = change.table.columns.iter();
    let (column, was, now) = columns
        .filter_map(|column| {
            let [old, new] = [change.value_before(column), change.value_after(column)];
            Some((column, old.unwrap_or(&Value::Null), new?))
        })
        .find(|(_, was, now)| was != now && *now != said && body.iter().any(|(_, told)| told == *now))?;
    let mut edges = way(trace_index, effect, ValueFlow { field: column, value: said });
    let now = ValueFlow { field: column, value: now };
    edges.push(Edge { before: trace_index.act(write), after: trace_index.act(effect), because: now.equal() });
    let (report, by) = (trace_index.act(effect), trace_index.act(write));
    let (said, was) = (said.clone(), was.clone());
    let end = WrongReport::SaysOtherwise { report, field: cell.column.to_owned(), said, was, by }.into();
    Some((edges, end))
}

/// The last change, before a request, of a row that the request names, to a value that it reports and that is not the
/// doubtful one (`said`).
fn written_before<'r>(
    trace_index: &TraceIndex<'r>,
    effect: usize,
    said: &Value,
) -> Option<(usize, &'r RowChange)> {
    let body = &trace_index.request(effect)?.body;
    let told = |value: Option<&Value>| {
        body.iter().any(|(_, told)| Some(told) == value && told != said && *told != Value::Null)
    };
    let about = |change: &&RowChange| {
        let row = change.after.as_ref().and_then(|row| row.first());
        let moves = |column: &String| {
            change.value_before(column) != change.value_after(column) && told(change.value_after(column))
        };
        told(row) && change.table.columns.iter().skip(1).any(moves)
    };
    let commits = trace_index.trace().commits().take_while(|(index, ..)| *index < effect);
    let changes = commits.flat_map(|(index, _, changes)| changes.iter().map(move |change| (index, change)));
    changes.filter(|(_, change)| about(change)).last()
}

/// A statement failed, and the final value of the report says otherwise.
fn unreported(trace_index: &TraceIndex<'_>, cell: &Cell, failure: usize) -> Option<Proof> {
    let error = trace_index.statement(failure)?.result.as_ref().err()?.to_string();
    let last = versions::of(trace_index, cell.part, cell.column, cell.row.as_ref()).pop();
    let said = last.as_ref()?.new.clone();
    let report = last.filter(|last| last.commit > failure).map(|last| last.act);
    let own = report.filter(|report| report.actor == trace_index.actor(failure));
    let because = Reason::Failed { error };
    let edges = own.map(|report| Edge { before: trace_index.act(failure), after: report, because });
    let edges = edges.into_iter().collect();
    Some((edges, WrongReport::Unreported { failure: trace_index.act(failure), report, said }.into()))
}

/// A reported number, compared with what its actor had committed to other tables by then.
fn counted(trace_index: &TraceIndex<'_>, cell: &Cell, event: usize) -> Option<Proof> {
    let row = cell.row.as_ref();
    let of_column = versions::of(trace_index, cell.part, cell.column, row);
    let said = match of_column.iter().rposition(|version| version.commit <= event) {
        Some(at) => of_column[at].new.clone(),
        None => versions::stands(trace_index, cell.part, cell.column, row),
    };
    let actor = trace_index.actor(event);
    let (mut changed, mut rewritten, mut writes) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for (index, by, changes) in trace_index.trace().commits().take_while(|(index, ..)| *index <= event) {
        let others = changes.iter().filter(|change| change.table.name != cell.part);
        let mut wrote = false;
        for change in others.filter(|_| by.actor == actor) {
            let which = (change.table.name.as_str(), change.key);
            if change.before == change.after {
                rewritten.insert(which)
            } else {
                changed.insert(which)
            };
            wrote = true;
        }
        if wrote {
            writes.push(index);
        }
    }
    let mut edges = Vec::new();
    let place = of_column.iter().rposition(|version| version.commit <= event);
    if let Some(last) = writes.last().filter(|last| **last < event) {
        edges.push(trace_index.edge(*last, event, Reason::SameActor));
    }
    if let Some(at) = place.filter(|at| *at > 0) {
        edges.push(versions::overwrote(cell.column, &of_column[at - 1], &of_column[at], 0));
    }
    let column = cell.column.to_owned();
    let (report, rewritten) = (trace_index.act(event), rewritten.difference(&changed).count());
    Some((edges, WrongReport::Counted { report, column, said, changed: changed.len(), rewritten }.into()))
}

/// A report, or any other cell, that still has its value at the end.
pub(super) fn left(trace_index: &TraceIndex<'_>, cell: &Cell, end: usize) -> Option<Proof> {
    let versions = versions::of(trace_index, cell.part, cell.column, cell.row.as_ref());
    let last = versions.iter().rfind(|version| version.commit <= end);
    let value = last.map_or(Value::Null, |last| last.new.clone());
    let column = cell.column.to_owned();
    let because = Reason::Stood { column: column.clone(), value: value.clone() };
    let earlier = last.filter(|last| last.commit < end);
    let stood = earlier.map(|last| Edge { before: last.act, after: trace_index.act(end), because });
    let mut edges: Vec<Edge> = Vec::new();
    let asked = |event: &usize| {
        let asks = matches!(trace_index.kind(*event), EventKind::Injected(crate::fault::Fault::Shutdown));
        asks && trace_index.trace().process(trace_index.actor(*event))
            == trace_index.trace().process(trace_index.actor(end))
    };
    if let Some(asked) = (0..end).rev().find(asked) {
        edges.push(trace_index.edge(asked, end, Reason::SameActor));
    }
    edges.extend(stood);
    let report = last.map(|last| last.act);
    Some((edges, WrongReport::Left { report, column, value, end: trace_index.act(end) }.into()))
}
