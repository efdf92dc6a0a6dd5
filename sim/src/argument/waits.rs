//! Waits: deadlocks, starvation, locks held for long; and the two ends that need no order, a write skew and a panic. It
//! must name as waited for only whom the engine named, or whom a row that both touched shows.

use std::time::Duration;

use super::sources;
use super::story::Story;
use super::versions;
use super::{Act, Contradiction, Edge, Proof, Reason, fate};
use crate::engine::Value;
use crate::footprint::{Touch, Use};
use crate::invariant::Breach;
use crate::point::ActorId;
use crate::trace::What;
use crate::trial::Ending;

/// Somebody's wait that is open at that event: its event, and for whom.
fn open_waits<'r>(story: &Story<'r>, at: usize) -> Vec<(usize, &'r [ActorId])> {
    let mut open: Vec<(usize, &[ActorId])> = Vec::new();
    for (index, event) in story.events()[..at].iter().enumerate() {
        // Whoever does anything waits no longer.
        open.retain(|(wait, _)| story.actor(*wait) != event.actor);
        if let What::Waits { holders, .. } = &event.what {
            open.push((index, holders));
        }
    }
    open
}

pub(super) fn deadlock(story: &Story<'_>, breach: &Breach) -> Option<Proof> {
    let Some(event) = breach.event else { return stuck(story) };
    let waited = || Reason::Waited { resource: "a lock" };
    let victim = story.actor(event);
    let waits = open_waits(story, event);
    let (mut circle, mut edges, mut at) = (Vec::new(), Vec::new(), victim);
    // From the victim backwards: who waits for it, who waits for that one, and so on.
    while let Some((wait, _)) = waits
        .iter()
        .find(|(wait, on)| on.contains(&at) && !circle.iter().any(|known: &Act| known.event == *wait))
    {
        if let Some(holding) = holding(story, at, *wait) {
            edges.push(story.edge(holding, *wait, waited()));
        }
        circle.push(story.act(*wait));
        at = story.actor(*wait);
    }
    if let Some(holding) = holding(story, at, event).filter(|_| at != victim) {
        edges.push(story.edge(holding, event, waited()));
    }
    circle.push(story.act(event));
    if let Some(closing) = story.on(victim, event).find(|index| {
        story.exchange(*index).is_some_and(|exchange| matches!(exchange.label, "ack" | "retry"))
    }) {
        let error = story.statement(event)?.result.as_ref().err()?.to_string();
        edges.push(story.edge(event, closing, Reason::Failed { error }));
        let delivery = sources::held(story, victim, closing).into_iter().find(|delivery| {
            story.exchange(*delivery).map(|it| &it.body) == story.exchange(closing).map(|it| &it.body)
        });
        if let Some(delivery) = delivery {
            let null = Value::Null;
            let nothing = sources::Cargo { field: "", value: &null };
            edges.extend(fate::again(story, delivery, None, nothing).0);
        }
    }
    Some((edges, Contradiction::WaitsForItself { circle, victim: Some(story.act(event)) }))
}

/// Everyone who waits at the end.
fn stuck(story: &Story<'_>) -> Option<Proof> {
    let Ending::Stuck { waiting } = &story.run.ending else { return None };
    let waits = open_waits(story, story.events().len());
    let mine = |wait: &&(usize, &[ActorId])| waiting.contains(&story.actor(wait.0));
    let circle: Vec<Act> = waits.iter().filter(mine).map(|(wait, _)| story.act(*wait)).collect();
    let edge = |(wait, on): &(usize, &[ActorId])| {
        let holding = on.iter().find_map(|holder| holding(story, *holder, *wait))?;
        Some(story.edge(holding, *wait, Reason::Waited { resource: "a lock" }))
    };
    let edges = waits.iter().filter(mine).filter_map(edge).collect();
    Some((edges, Contradiction::WaitsForItself { circle, victim: None }))
}

/// The statement of that actor's open transaction that wrote or locked last before that event; of several, one that
/// touched a row which the statement at the event, or the one that goes on after the wait there, touches.
fn holding(story: &Story<'_>, holder: ActorId, at: usize) -> Option<usize> {
    let wanted = story
        .statement(at)
        .or_else(|| story.on(story.actor(at), at).find_map(|index| story.statement(index)));
    let wanted = &wanted?.footprint.touched;
    let mut locking = None;
    for index in story.back(holder, at) {
        let Some(ran) = story.statement(index) else { continue };
        if ran.sql.trim_start().to_ascii_uppercase().starts_with("BEGIN") {
            break;
        }
        let held = |touch: &Touch| touch.how == Use::Write && touch.item.is_some();
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

pub(super) fn starvation(story: &Story<'_>, breach: &Breach) -> Option<Proof> {
    let shown = breach.event?;
    let begun = |index: &usize| matches!(story.what(*index), What::Waits { .. });
    // It shows where the wait begins, or where it is over.
    let wait = match story.what(shown) {
        What::Resumed { .. } => story.back(story.actor(shown), shown).find(begun)?,
        _ => shown,
    };
    let What::Waits { holders, resource } = story.what(wait) else { return None };
    let resumed = |index: &usize| matches!(story.what(*index), What::Resumed { .. });
    let end = story.on(story.actor(wait), wait).find(resumed).unwrap_or(story.events().len() - 1);
    let waited = story.events()[end].at.saturating_sub(story.events()[wait].at);
    // What a holder last began before the wait is what it had in hand. Who sends no statements sends requests.
    let ran = |holder: &ActorId| {
        let mut ran = story.back(*holder, wait).filter(|index| story.statement(*index).is_some());
        let asked = || story.back(*holder, wait).find(|index| story.exchange(*index).is_some());
        ran.next().or_else(asked)
    };
    let before: Vec<usize> = holders.iter().filter_map(ran).collect();
    let edges = before.iter().map(|ran| story.edge(*ran, wait, Reason::Waited { resource })).collect();
    let during = || (wait..end).filter(|index| holders.contains(&story.actor(*index)));
    let mut ran: Vec<usize> = during().filter(|index| story.statement(*index).is_some()).take(6).collect();
    if ran.is_empty() {
        ran = during().filter(|index| story.exchange(*index).is_some()).take(6).collect();
    }
    let meanwhile = ran.into_iter().map(|index| story.act(index)).collect();
    let micros = waited.as_micros() as u64;
    let (wait, holders) = (story.act(wait), holders.clone());
    Some((edges, Contradiction::Waiting { wait, holders, meanwhile, micros }))
}

pub(super) fn hold(story: &Story<'_>, breach: &Breach) -> Option<Proof> {
    let release = breach.event?;
    let What::Released(held) = *story.what(release) else { return None };
    let (actor, since) = (story.actor(release), story.events()[release].at.saturating_sub(held));
    let ran: Vec<usize> = story
        .back(actor, release)
        .take_while(|index| story.events()[*index].at >= since)
        .filter(|index| story.statement(*index).is_some())
        .collect();
    // Of what ran in the instant in which the lock was taken, the last can have taken it.
    let late = |index: &&usize| story.events()[**index].at > since;
    let inside = ran.iter().filter(late).count();
    let from = *ran.get(inside).or(ran.last())?;
    let struck = |index: &usize| {
        let same = story.trace().process(story.actor(*index)) == story.trace().process(actor);
        same && matches!(story.what(*index), What::Struck(_))
    };
    let mut acts: Vec<usize> =
        ran[..inside].iter().copied().chain((from + 1..release).filter(struck)).collect();
    acts.push(from);
    acts.sort_unstable();
    let edges = acts.windows(2).map(|pair| story.edge(pair[0], pair[1], Reason::SameActor)).collect();
    let kept = (from..release).filter(
        |index| matches!(story.what(*index), What::Waits { holders, .. } if holders.contains(&actor)),
    );
    let kept = kept.map(|index| story.act(index)).collect();
    let (from, to) = (story.act(from), story.act(release));
    let micros = Duration::as_micros(&held) as u64;
    Some((edges, Contradiction::Held { from, to, statements: inside, micros, kept }))
}

/// Two transactions of different actors, each of which wrote a row that the other had read before.
pub(super) fn skew(story: &Story<'_>) -> Option<Proof> {
    let commits: Vec<usize> = story.trace().commits().map(|(index, ..)| index).collect();
    let touches = |commit: usize, how: Use| -> Vec<(usize, Touch)> {
        let parts = versions::statements(story, commit).into_iter();
        let of = |event: usize| {
            let ran = story.statement(event);
            let touched = ran.into_iter().flat_map(|ran| ran.footprint.touched.iter().copied());
            touched
                .filter(move |touch| touch.how == how && touch.item.is_some())
                .map(move |touch| (event, touch))
        };
        parts.flat_map(of).collect()
    };
    let crosses = |reader: usize, writer: usize| -> Option<Edge> {
        let writes = touches(writer, Use::Write);
        let (read, _) = touches(reader, Use::Read).into_iter().find(|(read, touch)| {
            let same = |(_, other): &(usize, Touch)| (other.part, other.item) == (touch.part, touch.item);
            *read < writer && writes.iter().any(same)
        })?;
        let mut edge = story.edge(read, writer, Reason::SameActor);
        let nothing = Value::Null;
        edge.because =
            Reason::OverwroteWhatRead { column: String::new(), read: nothing.clone(), written: nothing };
        Some(edge)
    };
    for (place, one) in commits.iter().enumerate() {
        for other in &commits[place + 1..] {
            if story.actor(*one) == story.actor(*other) {
                continue;
            }
            if let (Some(first), Some(second)) = (crosses(*one, *other), crosses(*other, *one)) {
                let end = Contradiction::Crossed { one: story.act(*one), other: story.act(*other) };
                return Some((vec![first, second], end));
            }
        }
    }
    None
}

pub(super) fn panic(story: &Story<'_>) -> Option<Proof> {
    let event = story.events().iter().rposition(|event| matches!(event.what, What::Panicked(_)))?;
    let before = story.back(story.actor(event), event).next();
    let edges = before.map(|before| story.edge(before, event, Reason::SameActor)).into_iter().collect();
    Some((edges, Contradiction::Panicked { act: story.act(event) }))
}
