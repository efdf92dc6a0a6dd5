//! Livelocks: one round of the loop without progress, and how often it was repeated. A round counts only if it changes
//! rows of no other tables than the last round does.

use std::collections::BTreeSet;

use super::trace_index::{TraceIndex, label};
use super::{Act, Edge, Proof, Reason, Stall};
use crate::cycle;
use crate::engine::RowChange;
use crate::invariant::Breach;
use crate::trace::EventKind;
use crate::trial::Ending;

pub(super) fn explain(trace_index: &TraceIndex<'_>, breach: &Breach) -> Option<Proof> {
    match &trace_index.run.ending {
        Ending::NoRest { cycle: Some(_), .. } => circle(trace_index),
        _ => repeated(trace_index, breach.event),
    }
}

fn circle(trace_index: &TraceIndex<'_>) -> Option<Proof> {
    let length = cycle::length(trace_index.trace())?;
    let all = cycle::end(trace_index.trace());
    let moves = |from: usize| -> BTreeSet<String> {
        let committed = (from..from + length).filter_map(|event| match trace_index.kind(event) {
            EventKind::Committed(changes) => Some(changes.iter()),
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
                let (one, other) = (&trace_index.events()[from + at], &trace_index.events()[last + at]);
                one.actor == other.actor && label(&one.kind) == label(&other.kind)
            })
    };
    let times = (1..=all / length).take_while(|round| alike(all - round * length)).count();
    let first = all - times * length;
    let moving: BTreeSet<String> = (0..times).flat_map(|round| moves(first + round * length)).collect();
    let told = |event: &usize| {
        !matches!(
            trace_index.kind(*event),
            EventKind::Committed(_) | EventKind::Released(_) | EventKind::Operated(..)
        )
    };
    let round: Vec<Act> = (first..first + length).filter(told).map(|event| trace_index.act(event)).collect();
    let edge = |pair: &[Act]| {
        let because = Reason::SameActor;
        (pair[0].actor == pair[1].actor).then(|| Edge { before: pair[0], after: pair[1], because })
    };
    let mut closed = round.clone();
    if times > 1
        && let Some(again) = (first + length..all).find(told)
    {
        closed.push(trace_index.act(again));
    }
    let edges = closed.windows(2).filter_map(edge).collect();
    Some((edges, Stall::Circle { round, times, moves: moving.into_iter().collect() }.into()))
}

fn moved(change: &RowChange) -> Vec<String> {
    let columns = change.table.columns.iter();
    let moved = columns.filter(|column| change.value_before(column) != change.value_after(column));
    moved.map(|column| format!("{}.{column}", change.table.name)).collect()
}

/// No round was found, or the trial did not loop: the act that was repeated too often, and the last such act that
/// changed a value.
fn repeated(trace_index: &TraceIndex<'_>, event: Option<usize>) -> Option<Proof> {
    let ran = |index: &usize| matches!(trace_index.kind(*index), EventKind::Ran(_));
    let last = event.or_else(|| (0..trace_index.events().len()).rev().find(ran))?;
    let (actor, name) = (trace_index.actor(last), label(trace_index.kind(last)));
    let born = trace_index.back(actor, last).last().unwrap_or(last);
    let alike = |index: &usize| {
        trace_index.actor(*index) == actor && label(trace_index.kind(*index)) == name && ran(index)
    };
    let times: Vec<usize> = (born..=last).filter(alike).collect();
    if times.len() < 2 {
        return None;
    }
    let moves = |index: &&usize| {
        let commit = trace_index
            .on(actor, **index)
            .find(|later| matches!(trace_index.kind(*later), EventKind::Committed(_)));
        match commit.map(|commit| trace_index.kind(commit)) {
            Some(EventKind::Committed(changes)) => changes.iter().any(|change| change.before != change.after),
            _ => false,
        }
    };
    let moved = times.iter().filter(|index| **index < last).rfind(moves).map(|index| trace_index.act(*index));
    let edges = times.windows(2).last().map(|pair| trace_index.edge(pair[0], pair[1], Reason::SameActor));
    let end = Stall::Repeated { last: trace_index.act(last), times: times.len(), moved }.into();
    Some((edges.into_iter().collect(), end))
}
