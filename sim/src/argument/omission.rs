//! Omissions: what was committed and told to nobody, or a row that was passed over. It must not say that nobody did
//! something unless no event after it does.

use super::fate::{self, Closing};
use super::sources::{Cargo, way};
use super::story::{Story, mentions};
use super::versions::{self, is_of};
use super::{Contradiction, Edge, Proof, Reason};
use crate::anomaly::Cell;
use crate::engine::Value;
use crate::invariant::Breach;
use crate::point::ActorId;
use crate::trace::What;

pub(super) fn argue(story: &Story<'_>, breach: &Breach) -> Option<Proof> {
    match (&breach.on, breach.event) {
        (Some(cell), Some(event)) if matches!(story.what(event), What::Committed(_)) => {
            untold(story, cell, event)
        }
        (Some(cell), None) => passed_over(story, cell),
        _ => None,
    }
}

/// A value was committed, and what should have told it never did.
fn untold(story: &Story<'_>, cell: &Cell, event: usize) -> Option<Proof> {
    let (column, row) = (cell.column, cell.row.as_ref()?);
    let versions = versions::of(story, cell.part, column, Some(row));
    let version = versions.iter().find(|version| version.commit == event)?;
    // Two commits that look alike have to be told twice.
    let same = |other: &&versions::Version<'_>| (other.old, other.new) == (version.old, version.new);
    let alike = versions.iter().filter(|other| other.commit >= event).filter(same).count();
    let tells = |index: &usize| {
        story.exchange(*index).is_some_and(|exchange| {
            let told = [row, version.old, version.new];
            exchange.arrived && told.iter().all(|value| mentions(&exchange.body, value))
        })
    };
    let told = (event + 1..story.events().len()).filter(tells).count();
    if told >= alike {
        return None;
    }
    let cargo = Cargo { field: column, value: version.new };
    let mut edges = version.statement.map_or(Vec::new(), |statement| way(story, statement, cargo));
    let stations: Vec<usize> = edges.iter().map(|edge| edge.before.event).collect();
    if let Some(edge) = edges.last_mut() {
        edge.after = version.act;
    }
    let is_delivery =
        |event: &usize| story.exchange(*event).is_some_and(|exchange| exchange.label == "deliver");
    let store = stations.iter().copied().find(|event| matches!(story.what(*event), What::Stored(_)));
    let mine = stations.iter().copied().find(is_delivery).filter(|at| story.actor(*at) == version.act.actor);
    if let Some(delivery) = mine {
        edges.extend(after(story, version, delivery));
        edges.extend(fate::again(story, delivery, store, cargo).0);
    } else if let Some(next) = story.on(version.act.actor, event).next() {
        let died = matches!(story.what(next), What::Crashed);
        let because = if died { Reason::Died } else { Reason::SameActor };
        edges.push(Edge { before: version.act, after: story.act(next), because });
    }
    let (write, old, value) = (version.act, version.old.clone(), version.new.clone());
    Some((edges, Contradiction::NobodyTold { write, column: column.to_owned(), old, value, alike, told }))
}

/// What the writer did between its commit and the end of its delivery.
fn after(story: &Story<'_>, version: &versions::Version<'_>, delivery: usize) -> Vec<Edge> {
    let Some(closing) = fate::closing(story, delivery) else { return Vec::new() };
    let end = closing.event();
    if end < version.commit {
        return Vec::new();
    }
    let lost = (version.commit + 1..end).find(|index| {
        story.actor(*index) == version.act.actor
            && (story.exchange(*index).is_some_and(|exchange| !exchange.arrived)
                || story.statement(*index).is_some_and(|ran| ran.result.is_err()))
    });
    let because = |event: usize| match closing {
        Closing::Died(_) if event == end => Reason::Died,
        _ => Reason::SameActor,
    };
    match lost {
        Some(lost) => {
            let error = story.statement(lost).and_then(|ran| ran.result.as_ref().err());
            let error = error.map_or("it never arrived".to_owned(), ToString::to_string);
            let first = Edge { before: version.act, after: story.act(lost), because: Reason::SameActor };
            vec![first, story.edge(lost, end, Reason::Failed { error })]
        }
        None => vec![Edge { before: version.act, after: story.act(end), because: because(end) }],
    }
}

/// A row that nobody wrote as it had to be, although its neighbours were.
fn passed_over(story: &Story<'_>, cell: &Cell) -> Option<Proof> {
    let (column, row) = (cell.column, cell.row.as_ref());
    let stands = versions::stands(story, cell.part, column, row);
    let own = versions::of(story, cell.part, column, row);
    let mut edges = versions::chain(column, &own);
    let passed = pass(story, cell, &own);
    if let Some(passed) = passed {
        if let Some(last) = own.last().filter(|last| last.commit < passed) {
            let because = Reason::LeftAsWritten { column: column.to_owned(), value: last.new.clone() };
            edges.push(Edge { before: last.act, after: story.act(passed), because });
        }
        let actor = story.actor(passed);
        let commits = story.trace().commits().filter(|(index, by, _)| *index > passed && by.actor == actor);
        if let Some((end, ..)) = commits.last() {
            edges.push(story.edge(passed, end, Reason::SameActor));
        }
    }
    let meanwhile =
        elsewhere(story, cell, row).into_iter().filter(|event| passed.is_some_and(|it| *event > it));
    let meanwhile = meanwhile.take(3).map(|event| story.act(event)).collect();
    let passed = passed.map(|event| story.act(event));
    let (column, row) = (column.to_owned(), row.cloned());
    Some((edges, Contradiction::PassedOver { column, row, stands, passed, meanwhile }))
}

/// The commit that wrote the table and left the row as it was: the first after the row's last version by somebody else
/// than who wrote that; for a row without versions, the last of whoever wrote the most rows.
fn pass(story: &Story<'_>, cell: &Cell, own: &[versions::Version<'_>]) -> Option<usize> {
    let mut passes: Vec<(usize, ActorId, usize)> = Vec::new();
    for (index, by, changes) in story.trace().commits() {
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

/// The commits that put a row with this row's name into another table.
fn elsewhere(story: &Story<'_>, cell: &Cell, row: Option<&Value>) -> Vec<usize> {
    let Some(row) = row else { return Vec::new() };
    let names = |change: &crate::engine::RowChange| {
        change.table.name != cell.part
            && change.before.is_none()
            && !is_of(change, Some(row))
            && change.after.iter().any(|after| after.contains(row))
    };
    let commits = story.trace().commits();
    commits.filter(|(_, _, changes)| changes.iter().any(names)).map(|(index, ..)| index).collect()
}
