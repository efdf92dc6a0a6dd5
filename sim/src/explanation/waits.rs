//! Waits: deadlocks, starvation, locks held for long; and the two violations that need no order, write skew and panics.
//! An actor is named as waited for only if the engine named it, or if both actors touched the same row.

use std::time::Duration;

use super::sources;
use super::trace_index::{TraceIndex, is_row};
use super::versions;
use super::{Act, Basis, Edge, Observed, Proof, Reason, Stall, WrongValue, delivery_outcome};
use crate::engine::Value;
use crate::footprint::{Touch, Use};
use crate::invariant::Breach;
use crate::point::ActorId;
use crate::trace::{Attempt, EventKind, Request, RequestKind};
use crate::trial::Ending;

/// The waits that are open at that event: the event of each, and the actors that it waits for.
fn open_waits<'r>(trace_index: &TraceIndex<'r>, at: usize) -> Vec<(usize, &'r [ActorId])> {
    let mut open: Vec<(usize, &[ActorId])> = Vec::new();
    for (index, event) in trace_index.events()[..at].iter().enumerate() {
        // An actor that does anything no longer waits.
        open.retain(|(wait, _)| trace_index.actor(*wait) != event.actor);
        if let EventKind::Waits { holders, .. } = &event.kind {
            open.push((index, holders));
        }
    }
    open
}

pub(super) fn deadlock(trace_index: &TraceIndex<'_>, breach: &Breach) -> Option<Proof> {
    let Some(event) = breach.event else { return stuck(trace_index) };
    let waited = || Reason::Waited { resource: "a lock" };
    let victim = trace_index.actor(event);
    let waits = open_waits(trace_index, event);
    let (mut circle, mut edges, mut at) = (Vec::new(), Vec::new(), victim);
    // From the victim backwards: the actor that waits for it, the actor that waits for that one, and so on.
    while let Some((wait, _)) = waits
        .iter()
        .find(|(wait, on)| on.contains(&at) && !circle.iter().any(|known: &Act| known.event == *wait))
    {
        if let Some(holding) = holding(trace_index, at, *wait) {
            edges.push(trace_index.edge(holding, *wait, waited()));
        }
        circle.push(trace_index.act(*wait));
        at = trace_index.actor(*wait);
    }
    if let Some(holding) = holding(trace_index, at, event).filter(|_| at != victim) {
        edges.push(trace_index.edge(holding, event, waited()));
    }
    circle.push(trace_index.act(event));
    if let Some(closing) = trace_index
        .on(victim, event)
        .find(|index| trace_index.request(*index).is_some_and(|request| settled(request).is_some()))
    {
        let error = trace_index.statement(event)?.result.as_ref().err()?.to_string();
        edges.push(trace_index.edge(event, closing, Reason::Failed { error }));
        let attempt = trace_index.request(closing).and_then(settled);
        let delivery = sources::held(trace_index, victim, closing)
            .into_iter()
            .find(|delivery| attempt.is_some() && trace_index.attempt(*delivery) == attempt);
        if let Some(delivery) = delivery {
            let null = Value::Null;
            let nothing = sources::ValueFlow { field: "", value: &null };
            edges.extend(delivery_outcome::again(trace_index, delivery, None, nothing).0);
        }
    }
    Some((edges, Stall::WaitsForItself { circle, victim: Some(trace_index.act(event)) }.into()))
}

/// The attempt that a request acknowledges or gives back.
fn settled(request: &Request) -> Option<Attempt> {
    match request.kind {
        RequestKind::Acknowledge(attempt) | RequestKind::GiveBack(attempt) => Some(attempt),
        _ => None,
    }
}

/// All actors that wait at the end.
fn stuck(trace_index: &TraceIndex<'_>) -> Option<Proof> {
    let Ending::Stuck { waiting } = &trace_index.run.ending else { return None };
    let waits = open_waits(trace_index, trace_index.events().len());
    let mine = |wait: &&(usize, &[ActorId])| waiting.contains(&trace_index.actor(wait.0));
    let circle: Vec<Act> = waits.iter().filter(mine).map(|(wait, _)| trace_index.act(*wait)).collect();
    let edge = |(wait, on): &(usize, &[ActorId])| {
        let holding = on.iter().find_map(|holder| holding(trace_index, *holder, *wait))?;
        Some(trace_index.edge(holding, *wait, Reason::Waited { resource: "a lock" }))
    };
    let edges = waits.iter().filter(mine).filter_map(edge).collect();
    Some((edges, Stall::WaitsForItself { circle, victim: None }.into()))
}

/// The first statement of the holder's open transaction that wrote or locked a row which the statement at the event
/// touches, or the statement that resumes after the wait there.
fn holding(trace_index: &TraceIndex<'_>, holder: ActorId, at: usize) -> Option<usize> {
    let wanted = trace_index
        .statement(at)
        .or_else(|| trace_index.on(trace_index.actor(at), at).find_map(|index| trace_index.statement(index)));
    let wanted = &wanted?.footprint.touched;
    let mut locking = None;
    for index in trace_index.back(holder, at) {
        let Some(ran) = trace_index.statement(index) else { continue };
        if versions::begins(ran) {
            break;
        }
        let held = |touch: &Touch| touch.how == Use::Write && is_row(touch);
        let same = |touch: &Touch| {
            let alike = |other: &Touch| (other.part, other.item) == (touch.part, touch.item);
            held(touch) && wanted.iter().any(alike)
        };
        if ran.footprint.touched.iter().any(same) {
            locking = Some(index);
        }
    }
    locking
}

pub(super) fn starvation(trace_index: &TraceIndex<'_>, breach: &Breach) -> Option<Proof> {
    let shown = breach.event?;
    let begun = |index: &usize| matches!(trace_index.kind(*index), EventKind::Waits { .. });
    // The violation shows where the wait begins or where it ends.
    let wait = match trace_index.kind(shown) {
        EventKind::Resumed { .. } => trace_index.back(trace_index.actor(shown), shown).find(begun)?,
        _ => shown,
    };
    let EventKind::Waits { holders, resource } = trace_index.kind(wait) else { return None };
    let resumed = |index: &usize| matches!(trace_index.kind(*index), EventKind::Resumed { .. });
    let end =
        trace_index.on(trace_index.actor(wait), wait).find(resumed).unwrap_or(trace_index.events().len() - 1);
    let waited = trace_index.events()[end].at.saturating_sub(trace_index.events()[wait].at);
    // The last statement that a holder began before the wait, or its last request if it sends no statements.
    let ran = |holder: &ActorId| {
        let mut ran = trace_index.back(*holder, wait).filter(|index| trace_index.statement(*index).is_some());
        let asked = || trace_index.back(*holder, wait).find(|index| trace_index.request(*index).is_some());
        ran.next().or_else(asked)
    };
    let before: Vec<usize> = holders.iter().filter_map(ran).collect();
    let edges = before.iter().map(|ran| trace_index.edge(*ran, wait, Reason::Waited { resource })).collect();
    let during = || (wait..end).filter(|index| holders.contains(&trace_index.actor(*index)));
    let mut ran: Vec<usize> =
        during().filter(|index| trace_index.statement(*index).is_some()).take(6).collect();
    if ran.is_empty() {
        ran = during().filter(|index| trace_index.request(*index).is_some()).take(6).collect();
    }
    let meanwhile = ran.into_iter().map(|index| trace_index.act(index)).collect();
    let micros = waited.as_micros() as u64;
    let (wait, holders) = (trace_index.act(wait), holders.clone());
    Some((edges, Stall::Waiting { wait, holders, meanwhile, micros }.into()))
}

pub(super) fn hold(trace_index: &TraceIndex<'_>, breach: &Breach) -> Option<Proof> {
    let release = breach.event?;
    let EventKind::Released(held) = *trace_index.kind(release) else { return None };
    let (actor, since) = (trace_index.actor(release), trace_index.events()[release].at.saturating_sub(held));
    let ran: Vec<usize> = trace_index
        .back(actor, release)
        .take_while(|index| trace_index.events()[*index].at >= since)
        .filter(|index| trace_index.statement(*index).is_some())
        .collect();
    // Of the statements that ran at the instant when the lock was taken, the last may have taken it.
    let late = |index: &&usize| trace_index.events()[**index].at > since;
    let inside = ran.iter().filter(late).count();
    let from = *ran.get(inside).or(ran.last())?;
    let injected = |index: &usize| {
        let same =
            trace_index.trace().process(trace_index.actor(*index)) == trace_index.trace().process(actor);
        same && matches!(trace_index.kind(*index), EventKind::Injected(_))
    };
    let mut acts: Vec<usize> =
        ran[..inside].iter().copied().chain((from + 1..release).filter(injected)).collect();
    acts.push(from);
    acts.sort_unstable();
    let edges = acts.windows(2).map(|pair| trace_index.edge(pair[0], pair[1], Reason::SameActor)).collect();
    let kept = (from..release).filter(
        |index| matches!(trace_index.kind(*index), EventKind::Waits { holders, .. } if holders.contains(&actor)),
    );
    let kept = kept.map(|index| trace_index.act(index)).collect();
    let (from, to) = (trace_index.act(from), trace_index.act(release));
    let micros = Duration::as_micros(&held) as u64;
    Some((edges, Stall::Held { from, to, statements: inside, micros, kept }.into()))
}

/// Two transactions of different actors, each of which wrote a row that the other had read before.
pub(super) fn skew(trace_index: &TraceIndex<'_>) -> Option<Proof> {
    let commits: Vec<usize> = trace_index.trace().commits().map(|(index, ..)| index).collect();
    let touches = |commit: usize, how: Use| -> Vec<(usize, Touch)> {
        let parts = versions::statements(trace_index, commit).into_iter();
        let of = |event: usize| {
            let ran = trace_index.statement(event);
            let touched = ran.into_iter().flat_map(|ran| ran.footprint.touched.iter().copied());
            touched.filter(move |touch| touch.how == how && is_row(touch)).map(move |touch| (event, touch))
        };
        parts.flat_map(of).collect()
    };
    let crosses = |reader: usize, writer: usize| -> Option<Edge> {
        let writes = touches(writer, Use::Write);
        let (read, _) = touches(reader, Use::Read).into_iter().find(|(read, touch)| {
            let same = |(_, other): &(usize, Touch)| (other.part, other.item) == (touch.part, touch.item);
            *read < writer && writes.iter().any(same)
        })?;
        let mut edge = trace_index.edge(read, writer, Reason::SameActor);
        let nothing = Value::Null;
        edge.because = Reason::OverwroteWhatRead {
            column: String::new(),
            read: nothing.clone(),
            written: nothing,
            basis: Basis::Linked,
        };
        Some(edge)
    };
    for (place, one) in commits.iter().enumerate() {
        for other in &commits[place + 1..] {
            if trace_index.actor(*one) == trace_index.actor(*other) {
                continue;
            }
            if let (Some(first), Some(second)) = (crosses(*one, *other), crosses(*other, *one)) {
                let end =
                    WrongValue::Crossed { one: trace_index.act(*one), other: trace_index.act(*other) }.into();
                return Some((vec![first, second], end));
            }
        }
    }
    None
}

pub(super) fn panic(trace_index: &TraceIndex<'_>) -> Option<Proof> {
    let event =
        trace_index.events().iter().rposition(|event| matches!(event.kind, EventKind::Panicked(_)))?;
    let before = trace_index.back(trace_index.actor(event), event).next();
    let edges = before.map(|before| trace_index.edge(before, event, Reason::SameActor)).into_iter().collect();
    Some((edges, Observed::Panicked { act: trace_index.act(event) }.into()))
}
