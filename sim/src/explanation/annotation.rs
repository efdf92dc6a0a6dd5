//! Violations that show in an annotation that a process made of itself: a counter, a page, an answer. The explanation
//! adds the process's last annotation with another key (preferably a pool's count of reserved connections) and the last
//! fault that was injected into the process. It does not judge which of two annotations is right.

use super::trace_index::TraceIndex;
use super::{Edge, Note, Observed, Proof, Reason};
use crate::trace::{EventKind, RESERVED};

pub(super) fn explain(trace_index: &TraceIndex<'_>, at: usize) -> Option<Proof> {
    let shown = note(trace_index, at)?;
    let trace = trace_index.trace();
    let process = trace.process(trace_index.actor(at));
    let own = |index: &usize| trace.process(trace_index.actor(*index)) == process;
    // Annotations of one step belong together, so later ones of the same step count too.
    let step = trace_index.events()[at].step;
    let end = (at..trace_index.events().len())
        .take_while(|index| trace_index.events()[*index].step == step)
        .last()?;
    let born = (0..at)
        .filter(own)
        .rfind(|index| matches!(trace_index.kind(*index), EventKind::Started(_)))
        .unwrap_or(0);
    let others = || (born..=end).rev().filter(own).filter(|index| *index != at);
    let of_kind = |wanted: &dyn Fn(&str) -> bool| {
        others().find(|index| {
            note(trace_index, *index).is_some_and(|note| note.key != shown.key && wanted(note.key))
        })
    };
    let beside = of_kind(&|key| key == RESERVED).or_else(|| of_kind(&|_| true));
    let injected =
        (born..at).rev().filter(own).find(|index| matches!(trace_index.kind(*index), EventKind::Injected(_)));
    let edge = |one: usize, because: Reason| {
        let (before, after) = if one < at { (one, at) } else { (at, one) };
        trace_index.edge(before, after, because)
    };
    let mut edges: Vec<Edge> = Vec::new();
    if let Some(index) = injected
        && let EventKind::Injected(fault) = trace_index.kind(index)
    {
        edges.push(edge(index, Reason::Injected { fault: *fault }));
    }
    if let Some(index) = beside
        && let Some(Note { key, .. }) = note(trace_index, index)
    {
        edges.push(edge(index, Reason::LastNoted { key }));
    }
    Some((
        edges,
        Observed::Annotated { note: shown, beside: beside.and_then(|index| note(trace_index, index)) }.into(),
    ))
}

fn note(trace_index: &TraceIndex<'_>, event: usize) -> Option<Note> {
    match trace_index.kind(event) {
        EventKind::Annotated(key, one, other) => {
            Some(Note { act: trace_index.act(event), key, one: *one, other: *other })
        }
        _ => None,
    }
}
