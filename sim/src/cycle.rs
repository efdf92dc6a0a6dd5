//! Livelock detection: the actors loop without progress.
//!
//! The state that repeats consists of the contents of the scenario's progress tables, the points of the actors, and the
//! rows and counts that they received there. An actor's memory is not visible, so a cycle is reported only after
//! twelve rounds; bounded retries must stay below that.

use crate::digest::Digest;
use crate::point::ActorId;
use crate::trace::{Event, EventKind, Trace};

/// How many times in a row a cycle must repeat before it is reported.
const ROUNDS: usize = 12;

/// The longest cycle looked for, in events.
const LONGEST: usize = 24;

/// A cycle without progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// One round: each actor's name, and its event as the trace prints it.
    pub round: Vec<(&'static str, String)>,
}

/// Finds the shortest cycle at the end of the trace during which no row of the `progress` tables changed.
pub(crate) fn find(trace: &Trace, progress: &[&str]) -> Option<Cycle> {
    let moved = |event: &Event| match &event.kind {
        EventKind::Committed(changes) => changes
            .iter()
            .any(|change| progress.contains(&&*change.table.name) && change.before != change.after),
        EventKind::FaultsStopped => true,
        _ => false,
    };
    let since = trace.events.iter().rposition(moved).map_or(0, |index| index + 1);
    let idle = &trace.events[since..];
    let length = shortest(idle)?;
    // Commits and lock releases only repeat what the statement's event says, and an operation's stages refer to those.
    let told = |event: &&Event| {
        !matches!(event.kind, EventKind::Committed(_) | EventKind::Released(_) | EventKind::Operated(..))
    };
    let say = |event: &Event| (trace.name(event.actor), trace.say(&event.kind));
    Some(Cycle { round: idle[idle.len() - length..].iter().filter(told).map(say).collect() })
}

/// The length in events of the cycle found at the end of the trace.
pub(crate) fn length(trace: &Trace) -> Option<usize> {
    // Shorter lengths are compared within the events of the cycle that was found, so this finds the same one.
    shortest(&trace.events[..end(trace)])
}

/// The number of events up to the end of the cycle. Locks that connections released when the trial was over are not
/// part of it.
pub(crate) fn end(trace: &Trace) -> usize {
    let last = trace.events.last().map_or(0, |event| event.step);
    let of_the_last = |event: &&Event| event.step == last && matches!(event.kind, EventKind::Released(_));
    trace.events.len() - trace.events.iter().rev().take_while(of_the_last).count()
}

fn shortest(events: &[Event]) -> Option<usize> {
    let tail = &events[events.len().saturating_sub(LONGEST * ROUNDS)..];
    let signs: Vec<Digest> = tail.iter().map(sign).collect();
    (1..=LONGEST.min(signs.len() / ROUNDS)).find(|length| {
        let tail = &signs[signs.len() - length * ROUNDS..];
        tail.iter().skip(*length).zip(tail).all(|(later, earlier)| later == earlier)
    })
}

/// A digest of what makes two events equal here; time, parameters and written values do not count.
fn sign(event: &Event) -> Digest {
    let mut digest = Digest::default();
    digest.word(u64::from(event.actor.0));
    match &event.kind {
        EventKind::Ran(statement) => {
            digest.text(statement.label);
            digest.word(statement.result.as_ref().map_or(u64::MAX, |answer| answer.changed));
            let rows = statement.result.iter().flat_map(|answer| &answer.rows);
            rows.flat_map(|row| row.iter()).for_each(|value| value.digest(&mut digest));
        }
        EventKind::Stepped(label) | EventKind::Sleeps(label, _) => digest.text(label),
        EventKind::Requested(request) => {
            digest.text(request.label);
            digest.text(request.part);
            request.body.iter().for_each(|(_, value)| value.digest(&mut digest));
        }
        EventKind::Committed(changes) => digest.word(1 << 32 | changes.len() as u64),
        EventKind::Operated(_, stage) => digest.text(stage.name()),
        EventKind::Waits { resource, .. } => digest.text(resource),
        EventKind::Resumed { timed_out, .. } => digest.word(2 << 32 | u64::from(*timed_out)),
        EventKind::Released(_) => digest.word(3 << 32),
        // Any other event happens once and never repeats.
        _ => digest.word(4 << 32 | u64::from(event.step)),
    }
    if event.actor == ActorId::NOBODY {
        digest.word(u64::from(event.step));
    }
    digest
}
