//! What a part does with the actor that calls it: points, waits and faults. Code on trial calls parts and needs none of
//! this.

use std::future::{Future, pending};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::{Actor, Lost};
use crate::fault::Fault;
use crate::point::{ActorId, PointKind};
use crate::shared::State;
use crate::trace::{EventKind, Field, Request, RequestKind};

/// A wait that the trace shows: from [`Actor::begin_wait`] to [`Wait::end`].
#[derive(Debug)]
pub struct Wait {
    actor: Actor,
    began: Duration,
}

impl Actor {
    /// Waits at a point until chosen; then the request takes effect and is answered, unless a fault intervenes. `body`
    /// goes into the trace, as of just before `effect`, which is not called if the request is lost. `effect` is told
    /// the injected fault, because some concern the part only.
    ///
    /// # Errors
    /// The connection broke; the request may have taken effect. A [`PointKind::Step`] is never lost.
    pub async fn exchange<T>(
        &self,
        kind: PointKind,
        label: &'static str,
        part: &'static str,
        body: impl FnOnce() -> Vec<Field>,
        effect: impl FnOnce(Option<Fault>) -> T,
    ) -> Result<T, Lost> {
        self.exchange_about(kind, label, part, || (RequestKind::Call, body()), effect).await
    }

    /// [`Actor::exchange`] about a message: `body` also says what the request does to it.
    ///
    /// # Errors
    /// As [`Actor::exchange`].
    pub async fn exchange_about<T>(
        &self,
        kind: PointKind,
        label: &'static str,
        part: &'static str,
        body: impl FnOnce() -> (RequestKind, Vec<Field>),
        effect: impl FnOnce(Option<Fault>) -> T,
    ) -> Result<T, Lost> {
        self.arrive(label, kind).await;
        let fault = self.take_fault();
        let (does, body) = body();
        let arrived = fault != Some(Fault::RequestLost);
        let heard = arrived && !matches!(fault, Some(Fault::ReplyLost | Fault::CrashAfter));
        let request = Request { kind: does, label, part, body, arrived, heard };
        self.shared.record(self.id, EventKind::Requested(Rc::new(request)));
        if !arrived {
            return Err(Lost);
        }
        let answer = effect(fault);
        match fault {
            Some(Fault::CrashAfter) => self.die().await,
            Some(Fault::ReplyLost) => Err(Lost),
            _ => Ok(answer),
        }
    }

    /// Kills the process at this point, as [`Fault::CrashAfter`] asks for.
    pub async fn die(&self) -> ! {
        self.shared.crash_requested.set(true);
        pending().await
    }

    /// The step's work takes `spent`: the actor cannot be chosen at its next point earlier.
    #[inline]
    pub fn busy_for(&self, spent: Duration) {
        let busy_until = self.shared.now.get() + spent;
        self.shared.actors.borrow_mut()[self.id.index()].busy_until = busy_until;
    }

    /// Waits at a point until chosen. A fault that is injected there and that the kernel does not apply by itself is in
    /// [`Actor::take_fault`] after this.
    #[inline]
    pub fn arrive(&self, label: &'static str, kind: PointKind) -> Turn<'_> {
        self.turn(Wish::Arrive(label, kind, Duration::ZERO))
    }

    /// Waits at the point of a sleep, for that long at least.
    pub(super) fn arrive_after(&self, label: &'static str, sleep: Duration) -> Turn<'_> {
        self.turn(Wish::Arrive(label, PointKind::Sleep, sleep))
    }

    /// Lets the scheduler choose among that many.
    pub(super) fn pick_among(&self, of: usize) -> Turn<'_> {
        self.turn(Wish::Pick(of))
    }

    /// The fault that was injected at the point and is for the caller to apply, once.
    #[inline]
    pub fn take_fault(&self) -> Option<Fault> {
        self.shared.directive.take()
    }

    /// Continues in the middle of a step after `duration`.
    pub fn continue_after(&self, duration: Duration) -> Turn<'_> {
        self.turn(Wish::Continue(duration))
    }

    /// Blocks until [`Part::release`](crate::part::Part::release), or until the deadline.
    pub fn blocked(&self, deadline: Option<Duration>) -> Turn<'_> {
        self.turn(Wish::Block(deadline))
    }

    /// Waits for work, at most until the deadline. Without a deadline the trial may end during the wait.
    pub fn idle(&self, deadline: Option<Duration>) -> Turn<'_> {
        self.turn(Wish::Idle(deadline))
    }

    /// Waits for work and polls for it every `every`. When all other actors are idle it polls once more; then the trial
    /// may end.
    pub fn look_again(&self, every: Duration) -> Turn<'_> {
        self.turn(Wish::Look(every))
    }

    /// Waits for work before a point, and arrives there once there is some. The trial may end while an actor rests.
    pub fn rest(&self, label: &'static str, kind: PointKind) -> Turn<'_> {
        self.turn(Wish::Rest(label, kind))
    }

    /// Whether the last wait ended by its deadline.
    pub fn timed_out(&self) -> bool {
        self.shared.actors.borrow()[self.id.index()].timed_out
    }

    /// Records that the actor waits for a resource that `holders` have.
    pub fn begin_wait(&self, resource: &'static str, holders: Vec<ActorId>) -> Wait {
        self.shared.record(self.id, EventKind::Waits { resource, holders });
        Wait { actor: self.clone(), began: self.shared.now.get() }
    }

    fn turn(&self, wish: Wish) -> Turn<'_> {
        Turn { actor: self, wish: Some(wish) }
    }
}

impl Wait {
    /// When it has lasted for `at_most`; never for none.
    pub fn deadline(&self, at_most: Option<Duration>) -> Option<Duration> {
        at_most.map(|at_most| self.began + at_most)
    }

    /// Records that the wait is over, because of the actor's turn or of its deadline.
    pub fn end(self, timed_out: bool) {
        let shared = &self.actor.shared;
        let waited = shared.now.get() - self.began;
        shared.record(self.actor.id, EventKind::Resumed { waited, timed_out });
    }
}

#[derive(Clone, Copy, Debug)]
enum Wish {
    Arrive(&'static str, PointKind, Duration),
    Continue(Duration),
    Block(Option<Duration>),
    Idle(Option<Duration>),
    Look(Duration),
    Rest(&'static str, PointKind),
    Pick(usize),
}

/// A wait for the kernel, which lasts until the actor is chosen. It is ready on its second poll, because the kernel
/// polls an actor at a point only once it has chosen it.
#[derive(Debug)]
pub struct Turn<'a> {
    actor: &'a Actor,
    wish: Option<Wish>,
}

impl Future for Turn<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let (shared, id) = (&self.actor.shared, self.actor.id);
        match self.wish {
            None => return Poll::Ready(()),
            Some(Wish::Arrive(label, kind, sleep)) => shared.arrive(id, label, kind, sleep),
            Some(Wish::Continue(duration)) => shared.continue_after(id, duration),
            Some(Wish::Block(deadline)) => shared.block(id, State::Blocked, deadline),
            Some(Wish::Idle(deadline)) => shared.block(id, State::Idle, deadline),
            Some(Wish::Look(every)) => {
                shared.block(id, State::Idle, Some(shared.now.get() + every));
                shared.actors.borrow_mut()[id.index()].looks_every = Some(every);
            }
            Some(Wish::Rest(label, kind)) => shared.rest(id, label, kind),
            Some(Wish::Pick(of)) => shared.ask_pick(id, of),
        }
        self.wish = None;
        Poll::Pending
    }
}
