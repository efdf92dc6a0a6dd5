//! What shows in a note that a process wrote of itself: a counter, a page, an answer. Beside it stands the last note of
//! another kind in that process, a pool's own account of its connections before all others, and the fault that struck
//! the process last. It must never judge which of two notes is right.

use super::story::Story;
use super::{Contradiction, Edge, Note, Proof, Reason};
use crate::pool;
use crate::trace::What;

pub(super) fn argue(story: &Story<'_>, at: usize) -> Option<Proof> {
    let shown = note(story, at)?;
    let trace = story.trace();
    let process = trace.process(story.actor(at));
    let own = |index: &usize| trace.process(story.actor(*index)) == process;
    // Notes of one step are made together; those that follow in it count as well.
    let step = story.events()[at].step;
    let end = (at..story.events().len()).take_while(|index| story.events()[*index].step == step).last()?;
    let born = (0..at).filter(own).rfind(|index| matches!(story.what(*index), What::Started(_))).unwrap_or(0);
    let others = || (born..=end).rev().filter(own).filter(|index| *index != at);
    let of_kind = |wanted: &dyn Fn(&str) -> bool| {
        others()
            .find(|index| note(story, *index).is_some_and(|note| note.key != shown.key && wanted(note.key)))
    };
    let beside = of_kind(&|key| key == pool::RESERVED).or_else(|| of_kind(&|_| true));
    let struck = (born..at).rev().filter(own).find(|index| matches!(story.what(*index), What::Struck(_)));
    let edge = |one: usize, because: Reason| {
        let (before, after) = if one < at { (one, at) } else { (at, one) };
        story.edge(before, after, because)
    };
    let mut edges: Vec<Edge> = Vec::new();
    if let Some(index) = struck
        && let What::Struck(fault) = story.what(index)
    {
        edges.push(edge(index, Reason::Struck { fault: *fault }));
    }
    if let Some(index) = beside
        && let Some(Note { key, .. }) = note(story, index)
    {
        edges.push(edge(index, Reason::LastNoted { key }));
    }
    Some((edges, Contradiction::Noted { note: shown, beside: beside.and_then(|index| note(story, index)) }))
}

fn note(story: &Story<'_>, event: usize) -> Option<Note> {
    match story.what(event) {
        What::Noted(key, one, other) => Some(Note { act: story.act(event), key, one: *one, other: *other }),
        _ => None,
    }
}
