//! Work that is too large, and work that became visible in parts. All counts are those of the trace.

use super::trace_index::TraceIndex;
use super::{Act, Edge, Proof, Reason, Work, WrongReport};
use crate::engine::Value;
use crate::invariant::Breach;
use crate::trace::EventKind;

pub(super) fn large(trace_index: &TraceIndex<'_>, breach: &Breach) -> Option<Proof> {
    let event = breach.event?;
    if let Some(request) = trace_index.request(event) {
        let alike = |index: &usize| trace_index.request(*index).is_some_and(|it| it.label == request.label);
        let mut parts: Vec<usize> = trace_index.back(trace_index.actor(event), event).filter(alike).collect();
        parts.reverse();
        let edges = parts.last().map(|last| trace_index.edge(*last, event, Reason::SameActor));
        let parts = parts.into_iter().map(|index| trace_index.act(index)).collect();
        return Some((
            edges.into_iter().collect(),
            Work::Parts { parts, next: trace_index.act(event) }.into(),
        ));
    }
    let ran = match trace_index.kind(event) {
        EventKind::Committed(_) => trace_index.behind(event),
        _ => Some(event),
    };
    let steps = ran.and_then(|ran| trace_index.statement(ran)).map_or(0, |ran| ran.work.steps);
    let rows = match trace_index.kind(event) {
        EventKind::Committed(changes) => changes.len(),
        _ => ran
            .and_then(|ran| trace_index.statement(ran)?.result.as_ref().ok())
            .map_or(0, |answer| answer.changed as usize),
    };
    let earlier = ran.and_then(|ran| {
        let label = trace_index.statement(ran)?.label;
        trace_index
            .back(trace_index.actor(ran), ran)
            .find(|index| trace_index.statement(*index).is_some_and(|earlier| earlier.label == label))
    });
    let edges =
        earlier.map(|earlier| trace_index.edge(earlier, event, Reason::SameActor)).into_iter().collect();
    Some((edges, Work::Large { act: trace_index.act(event), rows, steps }.into()))
}

/// How often the actor has released its lock since its previous statement with the same label.
pub(super) fn torn(trace_index: &TraceIndex<'_>, breach: &Breach) -> Option<Proof> {
    let event = breach.event?;
    if let EventKind::Committed(_) = trace_index.kind(event) {
        return half(trace_index, breach, event);
    }
    let (actor, label) = (trace_index.actor(event), trace_index.statement(event)?.label);
    let since = trace_index
        .back(actor, event)
        .find(|index| trace_index.statement(*index).is_some_and(|earlier| earlier.label == label))?;
    let let_go = |index: &usize| {
        trace_index.actor(*index) == actor && matches!(trace_index.kind(*index), EventKind::Released(_))
    };
    // Each release is named for the actor's last statement before it.
    let parts: Vec<Act> = (since..event)
        .filter(let_go)
        .filter_map(|release| {
            let mut act = trace_index.act(trace_index.ran_before(actor, release)?);
            act.event = release;
            Some(act)
        })
        .collect();
    let edge = |pair: &[Act]| Edge { before: pair[0], after: pair[1], because: Reason::SameActor };
    let edges = parts.windows(2).map(edge).collect();
    Some((edges, Work::Parts { parts, next: trace_index.act(event) }.into()))
}

/// A commit that left a cell without the value that belongs to the rest of its row.
fn half(trace_index: &TraceIndex<'_>, breach: &Breach, event: usize) -> Option<Proof> {
    let cell = breach.on.as_ref()?;
    let EventKind::Committed(changes) = trace_index.kind(event) else { return None };
    let of_table = changes.iter().filter(|change| change.table.name == cell.part);
    let mut of_row =
        of_table.filter(|change| cell.row.as_ref().is_none_or(|row| *row == Value::Integer(change.key)));
    let value = of_row.next()?.value_after(cell.column)?.clone();
    let actor = trace_index.actor(event);
    let is_update = |index: &usize| {
        trace_index.statement(*index).is_some_and(|it| it.result.as_ref().is_ok_and(|it| it.changed > 0))
    };
    let wrote = trace_index.back(actor, event).find(is_update);
    let edges = wrote.map(|wrote| trace_index.edge(wrote, event, Reason::SameActor)).into_iter().collect();
    let end = trace_index.act(event);
    Some((edges, WrongReport::Left { report: None, column: cell.column.to_owned(), value, end }.into()))
}
