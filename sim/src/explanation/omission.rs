//! Omissions: a commit that was never reported, or a row that was skipped. Something counts as not done only if no
//! later event does it.

use super::delivery_outcome::{self, Closing};
use super::sources::{ValueFlow, way};
use super::trace_index::{TraceIndex, mentions};
use super::versions::{self, is_of};
use super::{Edge, Proof, Reason, WrongEffect, WrongReport};
use crate::anomaly::Cell;
use crate::engine::Value;
use crate::invariant::Breach;
use crate::point::ActorId;
use crate::trace::{EventKind, Request};

pub(super) fn explain(trace_index: &TraceIndex<'_>, breach: &Breach) -> Option<Proof> {
    match (&breach.on, breach.event) {
        (Some(cell), Some(event)) if matches!(trace_index.kind(event), EventKind::Committed(_)) => {
            untold(trace_index, cell, event)
        }
        (Some(cell), None) => passed_over(trace_index, cell),
        _ => None,
    }
}

/// A value was committed and never reported.
fn untold(trace_index: &TraceIndex<'_>, cell: &Cell, event: usize) -> Option<Proof> {
    let (column, row) = (cell.column, cell.row.as_ref()?);
    let versions = versions::of(trace_index, cell.part, column, Some(row));
    let version = versions.iter().find(|version| version.commit == event)?;
    // Two identical commits have to be reported twice.
    let same = |other: &&versions::Version<'_>| (other.old, other.new) == (version.old, version.new);
    let alike = versions.iter().filter(|other| other.commit >= event).filter(same).count();
    let tells = |index: &usize| {
        trace_index.request(*index).is_some_and(|request| {
            let told = [row, version.old, version.new];
            request.arrived && told.iter().all(|value| mentions(&request.body, value))
        })
    };
    let told = (event + 1..trace_index.events().len()).filter(tells).count();
    if told >= alike {
        return None;
    }
    let cargo = ValueFlow { field: column, value: version.new };
    let mut edges = version.statement.map_or(Vec::new(), |statement| way(trace_index, statement, cargo));
    let stations: Vec<usize> = edges.iter().map(|edge| edge.before.event).collect();
    if let Some(edge) = edges.last_mut() {
        edge.after = version.act;
    }
    let is_delivery = |event: &usize| trace_index.request(*event).is_some_and(Request::is_delivery);
    let store =
        stations.iter().copied().find(|event| matches!(trace_index.kind(*event), EventKind::Stored(_)));
    let mine =
        stations.iter().copied().find(is_delivery).filter(|at| trace_index.actor(*at) == version.act.actor);
    if let Some(delivery) = mine {
        edges.extend(after(trace_index, version, delivery));
        edges.extend(delivery_outcome::again(trace_index, delivery, store, cargo).0);
    } else if let Some(next) = trace_index.on(version.act.actor, event).next() {
        let died = matches!(trace_index.kind(next), EventKind::Crashed);
        let because = if died { Reason::Died } else { Reason::SameActor };
        edges.push(Edge { before: version.act, after: trace_index.act(next), because });
    }
    let (write, old, value) = (version.act, version.old.clone(), version.new.clone());
    Some((
        edges,
        WrongEffect::NobodyTold { write, column: column.to_owned(), old, value, alike, told }.into(),
    ))
}

/// What the writer did between its commit and the end of its delivery.
fn after(trace_index: &TraceIndex<'_>, version: &versions::Version<'_>, delivery: usize) -> Vec<Edge> {
    let Some(closing) = delivery_outcome::closing(trace_index, delivery) else { return Vec::new() };
    let end = closing.event();
    if end < version.commit {
        return Vec::new();
    }
    let lost = (version.commit + 1..end).find(|index| {
        trace_index.actor(*index) == version.act.actor
            && (trace_index.request(*index).is_some_and(|request| !request.arrived)
                || trace_index.statement(*index).is_some_and(|ran| ran.result.is_err()))
    });
    let because = |event: usize| match closing {
        Closing::Died(_) if event == end => Reason::Died,
        _ => Reason::SameActor,
    };
    match lost {
        Some(lost) => {
            let error = trace_index.statement(lost).and_then(|ran| ran.result.as_ref().err());
            let error = error.map_or("it never arrived".to_owned(), ToString::to_string);
            let first =
                Edge { before: version.act, after: trace_index.act(lost), because: Reason::SameActor };
            vec![first, trace_index.edge(lost, end, Reason::Failed { error })]
        }
        None => vec![Edge { before: version.act, after: trace_index.act(end), because: because(end) }],
    }
}

/// A row was not written as it had to be, although its neighbours were.
fn passed_over(trace_index: &TraceIndex<'_>, cell: &Cell) -> Option<Proof> {
    let (column, row) = (cell.column, cell.row.as_ref());
    let stands = versions::stands(trace_index, cell.part, column, row);
    let own = versions::of(trace_index, cell.part, column, row);
    let mut edges = versions::chain(column, &own);
    let passed = pass(trace_index, cell, &own);
    if let Some(passed) = passed {
        if let Some(last) = own.last().filter(|last| last.commit < passed) {
            let because = Reason::LeftAsWritten { column: column.to_owned(), value: last.new.clone() };
            edges.push(Edge { before: last.act, after: trace_index.act(passed), because });
        }
        let actor = trace_index.actor(passed);
        let commits =
            trace_index.trace().commits().filter(|(index, by, _)| *index > passed && by.actor == actor);
        if let Some((end, ..)) = commits.last() {
            edges.push(trace_index.edge(passed, end, Reason::SameActor));
        }
    }
    let meanwhile =
        elsewhere(trace_index, cell, row).into_iter().filter(|event| passed.is_some_and(|it| *event > it));
    let meanwhile = meanwhile.take(3).map(|event| trace_index.act(event)).collect();
    let passed = passed.map(|event| trace_index.act(event));
    let (column, row) = (column.to_owned(), row.cloned());
    Some((edges, WrongReport::PassedOver { column, row, stands, passed, meanwhile }.into()))
}

/// The commit that wrote the table and skipped the row: the first after the row's last version that is by another
/// actor; for a row without versions, the last by the actor that wrote the most rows.
fn pass(trace_index: &TraceIndex<'_>, cell: &Cell, own: &[versions::Version<'_>]) -> Option<usize> {
    let mut passes: Vec<(usize, ActorId, usize)> = Vec::new();
    for (index, by, changes) in trace_index.trace().commits() {
        let rows = changes.iter().filter(|change| change.table.name == cell.part).count();
        if rows > 0 && !own.iter().any(|version| version.commit == index) {
            passes.push((index, by.actor, rows));
        }
    }
    if let Some(last) = own.last() {
        let after = |(index, by, _): &&(usize, ActorId, usize)| *index > last.commit && *by != last.act.actor;
        return passes.iter().find(after).map(|(index, ..)| *index);
    }
    let rows = |actor: ActorId| -> usize {
        passes.iter().filter(|(_, by, _)| *by == actor).map(|(.., rows)| rows).sum()
    };
    let busiest = passes.iter().map(|(_, by, _)| *by).max_by_key(|actor| rows(*actor))?;
    passes.iter().rfind(|(_, by, _)| *by == busiest).map(|(index, ..)| *index)
}

/// The commits that inserted a row that contains this row's key into another table.
fn elsewhere(trace_index: &TraceIndex<'_>, cell: &Cell, row: Option<&Value>) -> Vec<usize> {
    let Some(row) = row else { return Vec::new() };
    let names = |change: &crate::engine::RowChange| {
        change.table.name != cell.part
            && change.before.is_none()
            && !is_of(change, Some(row))
            && change.after.iter().any(|after| after.contains(row))
    };
    let commits = trace_index.trace().commits();
    commits.filter(|(_, _, changes)| changes.iter().any(names)).map(|(index, ..)| index).collect()
}
