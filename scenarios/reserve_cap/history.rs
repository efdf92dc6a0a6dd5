//! What a trace says of the gateway's connections and runs, in the scenario's own words. Read by its invariants only.

use retrial_sim::point::ActorId;
use retrial_sim::trace::{Event, EventKind};
use retrial_sim::trial::{Ending, Run};

use super::{Workload, messages};

/// What happens to a pod, as its metrics and its log have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// The run asks for its conversation's lock.
    Asks { run: i64, conversation: i64 },
    /// It has its answer.
    Answered { run: i64, answer: Answer },
    /// It has given the lock back.
    Released { run: i64 },
    /// The counter has changed.
    Counted,
    /// The pool has reserved a connection, or has one back.
    Reserved,
    /// The log has a warning.
    Warned,
    /// The run's user has the answer.
    Replied { run: i64 },
    /// The run's user has been told that the worker did not start.
    Told { run: i64 },
    /// The health page says that many of so many.
    Health { count: i64, cap: i64 },
    /// The health page says whether that is near that cap.
    NearCap { near: bool, cap: i64 },
    /// The pod has started, or started again.
    Started,
}

/// What a run hears that asks for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Acquired,
    Refused,
    Failed,
}

/// Where a pod stands after what has been read of the trace.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gauge {
    /// What the counter says.
    pub(super) count: i64,
    /// The cap, where there is one.
    pub(super) cap: Option<i64>,
    /// Connections that the pool has reserved.
    pub(super) reserved: i64,
    /// Runs that have asked for a lock and have no answer.
    pub(super) asking: i64,
}

impl Gauge {
    /// The counter says what the pool says; whoever waits for an answer may be counted and have no connection.
    pub(super) fn is_balanced(&self) -> bool {
        (self.reserved..=self.reserved + self.asking).contains(&self.count)
    }

    /// What the event says, once it is taken in.
    pub(super) fn take(&mut self, event: &Event) -> Option<Fact> {
        match event.kind {
            EventKind::Annotated(key, one, other) => self.note(key, one, other),
            EventKind::Started(_) => {
                *self = Gauge::default();
                Some(Fact::Started)
            }
            _ => None,
        }
    }

    fn note(&mut self, key: &str, one: i64, other: i64) -> Option<Fact> {
        match key {
            "acquire" => {
                self.asking += 1;
                Some(Fact::Asks { run: one, conversation: other })
            }
            "answer" => {
                self.asking -= 1;
                let answer = match other {
                    messages::ACQUIRED => Answer::Acquired,
                    messages::REFUSED => Answer::Refused,
                    _ => Answer::Failed,
                };
                Some(Fact::Answered { run: one, answer })
            }
            "released" => Some(Fact::Released { run: one }),
            "count" => {
                self.count = one;
                Some(Fact::Counted)
            }
            "reserved" => {
                self.reserved = one;
                Some(Fact::Reserved)
            }
            "cap" => {
                self.cap = Some(one);
                None
            }
            "answered" => Some(Fact::Replied { run: one }),
            "told" => Some(Fact::Told { run: one }),
            "warn" => Some(Fact::Warned),
            "health" => Some(Fact::Health { count: one, cap: other }),
            "near_cap" => Some(Fact::NearCap { near: one == 1, cap: other }),
            _ => None,
        }
    }
}

/// Whether at most a fifth of the cap is left. Worked out here and not in the gateway, whose arithmetic is on trial.
pub(super) fn is_four_fifths(reserved: i64, cap: i64) -> bool {
    cap > 0 && 5 * (cap - reserved) <= cap
}

/// Whether the operator lets nobody in: a cap of 0 is "block all reservations", for drains.
pub(super) fn is_drained(workload: &Workload) -> bool {
    workload.environment.as_deref() == Some("0")
}

/// The pod that an actor belongs to, by its index; none for whoever is outside.
pub(super) fn pod(run: &Run, actor: ActorId) -> Option<usize> {
    match run.trace.process(actor) {
        "pod-1" => Some(0),
        "pod-2" => Some(1),
        _ => None,
    }
}

/// Whether nobody does anything any more, and everyone has what they wanted.
pub(super) fn is_at_rest(run: &Run) -> bool {
    run.ending == Ending::Quiescent
}

/// Who waits for ever, if somebody does.
pub(super) fn stuck(run: &Run) -> &[ActorId] {
    if let Ending::Stuck { waiting } = &run.ending { waiting } else { &[] }
}
