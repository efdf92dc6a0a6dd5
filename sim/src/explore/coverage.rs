//! Coverage of behaviours: which event directly followed which, ignoring values and times. A run that keeps finding new
//! pairs has not seen everything; the trial that found the last new one indicates how reliable a pass is.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::trace::{Event, EventKind, Trace};

/// Adds the behaviours of a trace to `seen`; returns the new ones.
pub(crate) fn collect(trace: &Trace, seen: &mut BTreeSet<u64>) -> Vec<u64> {
    let mut fresh = Vec::new();
    let mut before = 0;
    for event in &trace.events {
        let sign = sign(event);
        let mut pair = Digest::default();
        pair.word(before);
        pair.word(sign);
        if seen.insert(pair.0) {
            fresh.push(pair.0);
        }
        before = sign;
    }
    fresh
}

fn sign(event: &Event) -> u64 {
    let mut digest = Digest::default();
    digest.word(u64::from(event.actor.0));
    match &event.kind {
        EventKind::Ran(statement) => {
            digest.text(statement.label);
            digest.word(match &statement.result {
                Ok(answer) => u64::from(answer.changed > 0 || !answer.rows.is_empty()),
                Err(_) => 2,
            });
        }
        EventKind::Stepped(label) | EventKind::Planned(label) | EventKind::Sleeps(label, _) => {
            digest.text(label)
        }
        EventKind::Started(times) => digest.word(1 << 8 | u64::from((*times).min(3))),
        EventKind::Waits { resource, .. } => digest.text(resource),
        EventKind::Resumed { timed_out, .. } => digest.word(2 << 8 | u64::from(*timed_out)),
        EventKind::Committed(changes) => digest.word(3 << 8 | u64::from(!changes.is_empty())),
        EventKind::Injected(fault) => digest.word(4 << 8 | *fault as u64),
        EventKind::Annotated(key, _, _) => digest.text(key),
        EventKind::Operated(_, stage) => digest.text(stage.name()),
        EventKind::Requested(request) => {
            digest.text(request.label);
            digest.word(u64::from(request.arrived) << 1 | u64::from(request.heard));
        }
        EventKind::Stored(stored) => digest.text(stored.part),
        EventKind::Released(_) => digest.word(5 << 8),
        EventKind::Crashed => digest.word(6 << 8),
        EventKind::Exited => digest.word(7 << 8),
        EventKind::Finished => digest.word(8 << 8),
        EventKind::Panicked(_) => digest.word(9 << 8),
        EventKind::FaultsStopped => digest.word(10 << 8),
    }
    digest.0
}
