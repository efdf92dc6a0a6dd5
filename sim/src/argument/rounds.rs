//! Livelock: the round in which everyone moves and nothing changes, once, with how often it went round. It must count
//! only rounds in which no other table's rows move than in the last.

use std::collections::BTreeSet;

use super::story::{Story, label};
use super::{Act, Contradiction, Edge, Proof, Reason};
use crate::cycle;
use crate::engine::RowChange;
use crate::invariant::Breach;
use crate::trace::What;
use crate::trial::Ending;

pub(super) fn argue(story: &Story<'_>, breach: &Breach) -> Option<Proof> {
    match &story.run.ending {
        Ending::NoRest { cycle: Some(_), .. } => circle(story),
        _ => repeated(story, breach.event),
    }
}

fn circle(story: &Story<'_>) -> Option<Proof> {
    let length = cycle::length(story.trace())?;
    let all = cycle::end(story.trace());
    let moves = |from: usize| -> BTreeSet<String> {
        let committed = (from..from + length).filter_map(|event| match story.what(event) {
            What::Committed(changes) => Some(changes.iter()),
            _ => None,
        });
        committed.flatten().flat_map(moved).collect()
    };
    let tables = |moves: &BTreeSet<String>| -> BTreeSet<String> {
        moves.iter().filter_map(|column| Some(column.split_once('.')?.0.to_owned())).collect()
    };
    let last = all - length;
    let known = tables(&moves(last));
    let alike = |from: usize| {
        tables(&moves(from)).is_subset(&known)
            && (0..length).all(|at| {
                let (one, other) = (&story.events()[from + at], &story.events()[last + at]);
                one.actor == other.actor && label(&one.what) == label(&other.what)
            })
    };
    let times = (1..=all / length).take_while(|round| alike(all - round * length)).count();
    let first = all - times * length;
    let moving: BTreeSet<String> = (0..times).flat_map(|round| moves(first + round * length)).collect();
    let told = |event: &usize| {
        !matches!(story.what(*event), What::Committed(_) | What::Released(_) | What::Operated(..))
    };
    let round: Vec<Act> = (first..first + length).filter(told).map(|event| story.act(event)).collect();
    let edge = |pair: &[Act]| {
        let because = Reason::SameActor;
        (pair[0].actor == pair[1].actor).then(|| Edge { before: pair[0], after: pair[1], because })
    };
    let mut closed = round.clone();
    if times > 1
        && let Some(again) = (first + length..all).find(told)
    {
        closed.push(story.act(again));
    }
    let edges = closed.windows(2).filter_map(edge).collect();
    Some((edges, Contradiction::Circle { round, times, moves: moving.into_iter().collect() }))
}

fn moved(change: &RowChange) -> Vec<String> {
    let columns = change.table.columns.iter();
    let moved = columns.filter(|column| change.value_before(column) != change.value_after(column));
    moved.map(|column| format!("{}.{column}", change.table.name)).collect()
}

/// No round was found, or none was waited for: the act that came too often, and the last of its kind that moved a
/// value.
fn repeated(story: &Story<'_>, event: Option<usize>) -> Option<Proof> {
    let ran = |index: &usize| matches!(story.what(*index), What::Ran(_));
    let last = event.or_else(|| (0..story.events().len()).rev().find(ran))?;
    let (actor, name) = (story.actor(last), label(story.what(last)));
    let born = story.back(actor, last).last().unwrap_or(last);
    let alike =
        |index: &usize| story.actor(*index) == actor && label(story.what(*index)) == name && ran(index);
    let times: Vec<usize> = (born..=last).filter(alike).collect();
    if times.len() < 2 {
        return None;
    }
    let moves = |index: &&usize| {
        let commit = story.on(actor, **index).find(|later| matches!(story.what(*later), What::Committed(_)));
        match commit.map(|commit| story.what(commit)) {
            Some(What::Committed(changes)) => changes.iter().any(|change| change.before != change.after),
            _ => false,
        }
    };
    let moved = times.iter().filter(|index| **index < last).rfind(moves).map(|index| story.act(*index));
    let edges = times.windows(2).last().map(|pair| story.edge(pair[0], pair[1], Reason::SameActor));
    let end = Contradiction::Repeated { last: story.act(last), times: times.len(), moved };
    Some((edges.into_iter().collect(), end))
}
