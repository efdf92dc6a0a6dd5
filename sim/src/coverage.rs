//! Behaviours: which event was seen to follow which, values and times left out. A run that keeps meeting new ones
//! has not seen everything; the trial at which the last new one was met says how sure a pass is.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::trace::{Event, Trace, What};

/// Adds the behaviours of a trace to those seen; gives back the new ones.
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
    match &event.what {
        What::Ran(statement) => {
            digest.text(statement.label);
            digest.word(match &statement.result {
                Ok(answer) => u64::from(answer.changed > 0 || !answer.rows.is_empty()),
                Err(_) => 2,
            });
        }
        What::Stepped(label) | What::Planned(label) | What::Sleeps(label, _) => digest.text(label),
        What::Started(times) => digest.word(1 << 8 | u64::from((*times).min(3))),
        What::Waits { resource, .. } => digest.text(resource),
        What::Resumed { timed_out, .. } => digest.word(2 << 8 | u64::from(*timed_out)),
        What::Committed(changes) => digest.word(3 << 8 | u64::from(!changes.is_empty())),
        What::Struck(fault) => digest.word(4 << 8 | *fault as u64),
        What::Noted(key, _, _) => digest.text(key),
        What::Operated(_, stage) => digest.text(stage.name()),
        What::Exchanged(exchange) => {
            digest.text(exchange.label);
            digest.word(u64::from(exchange.arrived) << 1 | u64::from(exchange.heard));
        }
        What::Stored(stored) => digest.text(stored.part),
        What::Released(_) => digest.word(5 << 8),
        What::Crashed => digest.word(6 << 8),
        What::Exited => digest.word(7 << 8),
        What::Finished => digest.word(8 << 8),
        What::Panicked(_) => digest.word(9 << 8),
        What::FaultsStopped => digest.word(10 << 8),
    }
    digest.0
}
