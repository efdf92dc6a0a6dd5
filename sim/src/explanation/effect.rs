//! Phantom effects, which report a value that was not committed, and duplicate effects. A value counts as not committed
//! only after every commit before the effect was checked.

use super::sources::{ValueFlow, way};
use super::trace_index::{TraceIndex, mentions};
use super::versions::{self, is_of};
use super::{Edge, Proof, Reason, WrongEffect};
use crate::engine::{RowChange, Value};
use crate::invariant::Breach;
use crate::trace::{EventKind, Request};

/// An effect reported a value that, by then, no commit had given to a row that the effect names.
pub(super) fn phantom(trace_index: &TraceIndex<'_>, breach: &Breach) -> Option<Proof> {
    let (cell, event) = (breach.on.as_ref()?, breach.event?);
    let request = trace_index.request(event)?;
    let value = request.field(cell.column)?;
    let commits: Vec<(usize, String)> = trace_index
        .trace()
        .commits()
        .flat_map(|(index, _, changes)| changes.iter().map(move |change| (index, change)))
        .filter_map(|(index, change)| Some((index, moved_to(request, change, value)?)))
        .collect();
    if commits.iter().any(|(index, _)| *index < event) {
        return None;
    }
    let later = commits.first();
    let name = later.map(|(_, column)| column.as_str()).or_else(|| stored_as(trace_index, value));
    let mut edges = name.map_or(Vec::new(), |field| way(trace_index, event, ValueFlow { field, value }));
    if let Some((later, _)) = later {
        let same = trace_index.actor(*later) == trace_index.actor(event);
        let place = trace_index.trace().commits().find(|(index, ..)| index == later);
        let all = place.map_or(0, |(_, _, changes)| changes.len());
        let statement = versions::statement(trace_index, *later, 0, all).filter(|_| all == 1);
        let mut act = trace_index.act(statement.unwrap_or(*later));
        act.event = *later;
        if same {
            let because = Reason::SameActor;
            edges.push(Edge { before: trace_index.act(event), after: act, because });
        }
        let end = WrongEffect::NothingBehind {
            effect: trace_index.act(event),
            value: value.clone(),
            later: Some(act),
        }
        .into();
        return Some((edges, end));
    }
    let end =
        WrongEffect::NothingBehind { effect: trace_index.act(event), value: value.clone(), later: None }
            .into();
    Some((edges, end))
}

/// The column that a change moves to the value, in a row that the effect names.
fn moved_to(effect: &Request, change: &RowChange, value: &Value) -> Option<String> {
    let row = change.after.as_ref()?.first()?;
    let mut columns = change.table.columns.iter();
    let moves = |column: &&String| {
        change.value_after(column) == Some(value) && change.value_before(column) != Some(value)
    };
    mentions(&effect.body, row).then(|| columns.find(moves).cloned()).flatten()
}

/// The name under which a part has ever stored the value.
fn stored_as(trace_index: &TraceIndex<'_>, value: &Value) -> Option<&'static str> {
    trace_index.events().iter().find_map(|event| match &event.kind {
        EventKind::Stored(stored) => {
            stored.state.iter().find(|(_, known)| known == value).map(|(name, _)| *name)
        }
        _ => None,
    })
}

/// A row was written again, or an effect sent again, with nothing new to report.
pub(super) fn duplicate(trace_index: &TraceIndex<'_>, breach: &Breach) -> Option<Proof> {
    let (cell, event) = (breach.on.as_ref()?, breach.event?);
    let EventKind::Committed(changes) = trace_index.kind(event) else {
        let value = trace_index.request(event)?.field(cell.column).cloned();
        let end = WrongEffect::Again { effect: trace_index.act(event), moved: Vec::new(), value }.into();
        return Some((Vec::new(), end));
    };
    let row = cell.row.as_ref();
    let about = |change: &&RowChange| change.table.name == cell.part && is_of(change, row);
    let (first, last) = (changes.iter().find(about)?, changes.iter().rfind(about)?);
    let columns = first.table.columns.iter();
    let moved: Vec<String> =
        columns.filter(|column| first.value_before(column) != last.value_after(column)).cloned().collect();
    let place = changes.iter().rposition(|change| about(&change))?;
    let statement = versions::statement(trace_index, event, place, changes.len());
    let mut act = trace_index.act(statement.unwrap_or(event));
    act.event = event;
    let mut edges = Vec::new();
    if let Some(kept) = kept(trace_index, event, statement, last) {
        edges.extend(kept);
        if let Some(edge) = edges.last_mut().filter(|edge| Some(edge.after.event) == statement) {
            edge.after = act;
        }
    }
    let end = WrongEffect::Again { effect: act, moved, value: None }.into();
    Some((edges, end))
}

/// Which write gave the row the value that the statement writes again, and where the statement has it from.
fn kept(
    trace_index: &TraceIndex<'_>,
    event: usize,
    statement: Option<usize>,
    change: &RowChange,
) -> Option<Vec<Edge>> {
    let statement = statement?;
    let params = &trace_index.statement(statement)?.params;
    let columns = change.table.columns.iter().skip(1);
    let mut same = columns.filter_map(|column| {
        let value = change.value_after(column).filter(|value| **value != Value::Null)?;
        (params.contains(value) && change.value_before(column) == Some(value)).then_some((column, value))
    });
    let (column, value) = same.next()?;
    let row = change.after.as_ref()?.first();
    let versions = versions::of(trace_index, &change.table.name, column, row);
    let earlier = versions.iter().rfind(|version| version.commit < event);
    let mut edges = way(trace_index, statement, ValueFlow { field: column, value });
    if let Some(earlier) = earlier {
        let because = Reason::Stood { column: column.clone(), value: value.clone() };
        edges.insert(0, Edge { before: earlier.act, after: trace_index.act(statement), because });
    }
    Some(edges)
}
