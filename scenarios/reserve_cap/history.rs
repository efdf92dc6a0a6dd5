//! Reads a trace in this scenario's terms: the gateway's connections and runs. Only its invariants use it.

use retrial_sim::point::ActorId;
use retrial_sim::trace::{Event, EventKind};
use retrial_sim::trial::{Ending, Run};

use super::{Workload, messages};

/// An event of a pod, as its metrics and its log show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// The run asks for its conversation's lock.
    Asks { run: i64, conversation: i64 },
    /// The run gets the answer to that.
    Answered { run: i64, answer: Answer },
    /// The run has released the lock.
    Released { run: i64 },
    /// The counter has changed.
    Counted,
    /// The pool's number of reserved connections has changed.
    Reserved,
    /// A warning was logged.
    Warned,
    /// The run's user has received the answer.
    Replied { run: i64 },
    /// The run's user was notified that the worker did not start.
    Told { run: i64 },
    /// The health page shows this count and this cap.
    Health { count: i64, cap: i64 },
    /// The health page shows whether the count is near that cap.
    NearCap { near: bool, cap: i64 },
    /// The pod has started or restarted.
    Started,
}

/// The answer to a request for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Acquired,
    Refused,
    Failed,
}

/// A pod's state after the events that have been read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gauge {
    /// The value of the counter.
    pub(super) count: i64,
    /// The cap, if there is one.
    pub(super) cap: Option<i64>,
    /// The number of reserved connections of the pool.
    pub(super) reserved: i64,
    /// The number of runs that have asked for a lock and have no answer yet.
    pub(super) asking: i64,
}

impl Gauge {
    /// Whether counter and pool agree. A run that waits for its answer may be counted without having a connection.
    pub(super) fn is_balanced(&self) -> bool {
        (self.reserved..=self.reserved + self.asking).contains(&self.count)
    }

    /// Applies the event to the state, and returns what it says.
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

/// Whether at most a fifth of the cap is left. Computed independently of the gateway, whose arithmetic is under test.
pub(super) fn is_four_fifths(reserved: i64, cap: i64) -> bool {
    cap > 0 && 5 * (cap - reserved) <= cap
}

/// Whether the operator has set a cap of 0: "block all reservations", for drains.
pub(super) fn is_drained(workload: &Workload) -> bool {
    workload.environment.as_deref() == Some("0")
}

/// The index of the actor's pod; `None` for an actor outside of the pods.
pub(super) fn pod(run: &Run, actor: ActorId) -> Option<usize> {
    match run.trace.process(actor) {
        "pod-1" => Some(0),
        "pod-2" => Some(1),
        _ => None,
    }
}

/// Whether the trial ended with every actor finished or idle.
pub(super) fn is_quiescent(run: &Run) -> bool {
    run.ending == Ending::Quiescent
}

/// The actors that wait for ever.
pub(super) fn stuck(run: &Run) -> &[ActorId] {
    if let Ending::Stuck { waiting } = &run.ending { waiting } else { &[] }
}
