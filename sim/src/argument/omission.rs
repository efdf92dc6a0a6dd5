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
use crate::trace::What;

pub(super) fn argue(story: &Story<'_>, breach: &Breach) -> Option<Proof> {
    match (&breach.on, breach.event) {
        (Some(cell), Some(event)) if matches!(story.what(event), What::Committed(_)) => untold(story, cell, event),
        (Some(cell), None) => passed_over(story, cell),
        _ => None,
    }
}

/// A value was committed, and what should have told it never did.
fn untold(story: &Story<'_>, cell: &Cell, event: usize) -> Option<Proof> {
    let (column, row) = (cell.column, cell.row.as_ref()?);
    let versions = versions::of(story, cell.part, column, Some(row));
    let version = versions.iter().find(|version| version.commit == event)?;
    let told = (event + 1..story.events().len()).any(|index| {
        story.exchange(index).is_some_and(|exchange| {
            exchange.arrived && mentions(&exchange.body, row) && mentions(&exchange.body, version.new)
        })
    });
    if told {
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
    let (write, value) = (version.act, version.new.clone());
    Some((edges, Contradiction::NobodyTold { write, column: column.to_owned(), value }))
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
    let passes = |(index, _, changes): (usize, _, &[crate::engine::RowChange])| {
        let there = changes.iter().any(|change| change.table.name == cell.part);
        let moved = own.iter().any(|version| version.commit == index);
        (there && !moved).then_some(index)
    };
    let passes: Vec<usize> = story.trace().commits().filter_map(passes).collect();
    let writer = passes.last().map(|event| story.actor(*event));
    let passes: Vec<usize> = passes.into_iter().filter(|event| Some(story.actor(*event)) == writer).collect();
    let last = passes.last().copied();
    if let (Some(last), Some(actor)) = (last, writer) {
        let commits: Vec<usize> = story
            .trace()
            .commits()
            .filter(|(index, event, _)| *index > last && event.actor == actor)
            .map(|(index, ..)| index)
            .collect();
        if passes.len() > 1 {
            edges.push(story.edge(passes[passes.len() - 2], last, Reason::SameActor));
        }
        if let Some(end) = commits.last() {
            edges.push(story.edge(last, *end, Reason::SameActor));
        }
    }
    let meanwhile = elsewhere(story, cell, row);
    let meanwhile = meanwhile.into_iter().filter(|event| last.is_none_or(|last| *event > last));
    let meanwhile = meanwhile.take(3).map(|event| story.act(event)).collect();
    let passed = last.map(|event| story.act(event));
    let end = Contradiction::PassedOver {
        column: column.to_owned(),
        row: row.cloned(),
        stands,
        passed,
        meanwhile,
    };
    Some((edges, end))
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
