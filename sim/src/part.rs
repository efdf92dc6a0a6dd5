//! What a simulated part is built on: its handle on the world. A part is anything that actors share besides the engine:
//! a queue, a cache, a rate limiter. Those in [`parts`](crate::parts) are built on this and on [`Actor`]'s waits only,
//! and so can one of your own.
//!
//! The rules for a part:
//! - Whatever a call reads or changes is reported by [`Part::touch`], and by [`Part::now`] for the time. The exhaustive
//!   search swaps two steps only if their footprints allow it; what is not reported is not searched.
//! - A call that other actors may come before is a point: [`Actor::exchange`] or [`Actor::arrive`]. Any other call is
//!   counted by [`Part::count_call`], so that a loop without a point is stopped.
//! - An actor that waits is released by [`Part::release`]. A guard that is dropped with its future takes it off the
//!   queue when its process dies.
//! - What an operator could observe is recorded by [`Part::record`]: invariants see nothing else.
//!
//! [`Actor`]: crate::actor::Actor
//! [`Actor::exchange`]: crate::actor::Actor::exchange
//! [`Actor::arrive`]: crate::actor::Actor::arrive

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::engine::Cost;
use crate::error::Error;
use crate::footprint::Use;
use crate::point::{ActorId, ProcessId};
use crate::shared::{Hooked, Shared};
use crate::trace::EventKind;

pub use crate::hooks::Hooks;

mod sessions;

/// A part's handle on the world; clones are of the same part.
#[derive(Clone)]
pub struct Part {
    shared: Rc<Shared>,
    kind: &'static str,
    name: &'static str,
    /// The process that it is lost with.
    owner: Option<ProcessId>,
}

impl Part {
    pub(crate) fn new(shared: Rc<Shared>, kind: &'static str, name: &'static str) -> Part {
        Part { shared, kind, name, owner: None }
    }

    pub(crate) fn lost_with(self, process: ProcessId) -> Part {
        Part { owner: Some(process), ..self }
    }

    /// Its name in the trace; empty if it has none.
    #[inline]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Lets the part react to what happens to processes.
    #[inline]
    pub fn on_process_events(&self, hooks: Rc<dyn Hooks>) {
        self.shared.hooks.borrow_mut().push(Hooked { hooks, owner: self.owner });
    }

    /// Adds a use of the part, or of one item of it, to the footprint of the step.
    #[inline]
    pub fn touch(&self, item: Option<u64>, how: Use) {
        self.shared.touch(self.kind, self.name, item, how);
    }

    /// Adds a change that can be observed from outside, so that its order relative to commits and to other such changes
    /// matters.
    #[inline]
    pub fn touch_outcome(&self) {
        self.shared.touches_outcome();
    }

    /// The virtual time since the trial began. The step depends on the clock from here on.
    #[inline]
    pub fn now(&self) -> Duration {
        self.shared.looks_at_clock();
        self.shared.now.get()
    }

    /// Whether actors are scheduled in the order of time now. Where they are not, an actor may come so late that what
    /// is due later is first.
    #[inline]
    pub fn is_in_order_of_time(&self) -> bool {
        self.shared.in_order_of_time.get()
    }

    /// What work costs in this trial.
    #[inline]
    pub fn cost(&self) -> Cost {
        self.shared.cost
    }

    /// Counts a call that is not a point. An actor that makes too many between two points is stopped.
    #[inline]
    pub fn count_call(&self) {
        self.shared.count_call();
    }

    /// Appends an event to the trace.
    #[inline]
    pub fn record(&self, actor: ActorId, kind: EventKind) {
        self.shared.record(actor, kind);
    }

    /// The index of the event that was recorded last: in the effect of an [`Actor::exchange`], that of the request.
    ///
    /// [`Actor::exchange`]: crate::actor::Actor::exchange
    #[inline]
    pub fn last_event(&self) -> Option<usize> {
        self.shared.trace.borrow().events.len().checked_sub(1)
    }

    /// Lets an actor continue that waits ([`Actor::blocked`], [`Actor::idle`], [`Actor::rest`]); does nothing if it
    /// does not.
    ///
    /// [`Actor::blocked`]: crate::actor::Actor::blocked
    /// [`Actor::idle`]: crate::actor::Actor::idle
    /// [`Actor::rest`]: crate::actor::Actor::rest
    #[inline]
    pub fn release(&self, actor: ActorId) {
        self.shared.release(actor, false);
    }

    /// Until when that process stands still, if it does; its timers run from then on.
    #[inline]
    pub fn stands_still_until(&self, process: ProcessId) -> Duration {
        self.shared.touch("process", "", Some(process.index() as u64), Use::Read);
        self.shared.processes.borrow()[process.index()].stands_still_until
    }

    /// Ends the trial with an error, because the part cannot go on truthfully.
    #[inline]
    pub fn refuse(&self, error: Error) {
        self.shared.refuse(error);
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part").field("kind", &self.kind).field("name", &self.name).finish_non_exhaustive()
    }
}
