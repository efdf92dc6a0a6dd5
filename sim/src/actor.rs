//! An actor's handle on the world: its points, the virtual clock, and whether its process was asked to stop.

use std::fmt;
use std::future::{Future, pending};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::fault::Fault;
use crate::footprint::Use;
use crate::point::{ActorId, PointKind};
use crate::trace::{EventKind, Field, Request};
use crate::world::{Shared, State};

/// An actor's handle on the world. Clones refer to the same actor.
#[derive(Clone)]
pub struct Actor {
    pub(crate) shared: Rc<Shared>,
    pub(crate) id: ActorId,
}

/// The connection broke before the reply arrived; the request may or may not have taken effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

/// A boxed future, as object-safe traits with async methods return it.
pub type Task<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// The start of the trials' calendar, in Unix seconds: 2025-01-01T00:00:00Z.
const EPOCH_S: i64 = 1_735_689_600;

impl Actor {
    pub(crate) fn new(shared: Rc<Shared>, id: ActorId) -> Actor {
        Actor { shared, id }
    }

    /// A plain point: other actors may run before it.
    pub async fn step(&self, label: &'static str) {
        self.arrive(label, PointKind::Step, Duration::ZERO).await;
        self.shared.record(self.id, EventKind::Stepped(label));
    }

    /// Waits for at least `duration` on the virtual clock, or until the process is asked to stop. Outside timed trials
    /// any actor may be delayed past any deadline, so the order of two sleeps proves nothing.
    pub async fn sleep(&self, label: &'static str, duration: Duration) {
        self.shared.record(self.id, EventKind::Sleeps(label, duration));
        self.arrive(label, PointKind::Sleep, duration).await;
    }

    /// Sleeps, but not past a request to stop; returns whether there was one.
    pub async fn sleep_unless_stopped(&self, label: &'static str, duration: Duration) -> bool {
        let duration = if self.is_stopping() { Duration::ZERO } else { duration };
        self.sleep(label, duration).await;
        self.is_stopping()
    }

    /// Whether the process was asked to shut down gracefully.
    pub fn is_stopping(&self) -> bool {
        self.shared.count_call();
        self.shared.is_shutting_down(self.id)
    }

    /// The virtual time since the trial began.
    pub fn now(&self) -> Duration {
        self.shared.count_call();
        self.shared.looks_at_clock();
        self.shared.now.get()
    }

    /// The calendar time on the virtual clock, in Unix seconds.
    pub fn unix_seconds(&self) -> i64 {
        EPOCH_S + self.now().as_secs() as i64
    }

    /// Writes an annotation into the trace for the scenario's invariants.
    pub fn note(&self, key: &'static str, one: i64, other: i64) {
        self.shared.count_call();
        self.shared.record(self.id, EventKind::Annotated(key, one, other));
    }

    /// Returns an index below `of`, chosen by the scheduler; 0 is the default. Not a point: no other actor runs in
    /// between.
    pub async fn pick(&self, of: usize) -> usize {
        self.shared.count_call();
        if of < 2 {
            return 0;
        }
        Turn { actor: self, wish: Some(Wish::Pick(of)) }.await;
        self.shared.picked.get()
    }

    /// Sends a request to a part outside the engine that only acknowledges it. `body` goes into the trace.
    ///
    /// # Errors
    /// The connection broke; the request may have arrived.
    pub async fn request(
        &self,
        label: &'static str,
        part: &'static str,
        body: Vec<Field>,
    ) -> Result<(), Lost> {
        // Observable from outside, so its order relative to commits matters.
        let effect = |_| {
            self.shared.touch("outcome", "", None, Use::Write);
        };
        self.exchange(PointKind::Request, label, part, || body, effect).await
    }

    /// Waits at a point until chosen; then the request takes effect and is answered, unless a fault intervenes.
    pub(crate) async fn exchange<T>(
        &self,
        kind: PointKind,
        label: &'static str,
        part: &'static str,
        body: impl FnOnce() -> Vec<Field>,
        effect: impl FnOnce(Option<Fault>) -> T,
    ) -> Result<T, Lost> {
        self.arrive(label, kind, Duration::ZERO).await;
        let fault = self.shared.directive.take();
        let body = body();
        let arrived = fault != Some(Fault::RequestLost);
        let heard = arrived && !matches!(fault, Some(Fault::ReplyLost | Fault::CrashAfter));
        self.shared
            .record(self.id, EventKind::Requested(Rc::new(Request { label, part, body, arrived, heard })));
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

    /// Kills the process at this point.
    pub(crate) async fn die(&self) -> ! {
        self.shared.crash_requested.set(true);
        pending().await
    }

    /// The step's work takes `spent`: the actor cannot be chosen at its next point earlier.
    pub(crate) fn busy_for(&self, spent: Duration) {
        let busy_until = self.shared.now.get() + spent;
        self.shared.actors.borrow_mut()[self.id.index()].busy_until = busy_until;
    }

    /// Waits at a point until chosen.
    pub(crate) fn arrive(&self, label: &'static str, kind: PointKind, sleep: Duration) -> Turn<'_> {
        Turn { actor: self, wish: Some(Wish::Arrive(label, kind, sleep)) }
    }

    /// Continues in the middle of a step after `duration`.
    pub(crate) fn continue_after(&self, duration: Duration) -> Turn<'_> {
        Turn { actor: self, wish: Some(Wish::Continue(duration)) }
    }

    /// Blocks until another actor releases this one, or until the deadline.
    pub(crate) fn blocked(&self, deadline: Option<Duration>) -> Turn<'_> {
        Turn { actor: self, wish: Some(Wish::Block(deadline)) }
    }

    /// Waits for work, at most until the deadline. Without a deadline the trial may end during the wait.
    pub(crate) fn idle(&self, deadline: Option<Duration>) -> Turn<'_> {
        Turn { actor: self, wish: Some(Wish::Idle(deadline)) }
    }

    /// Waits for work and polls for it every `every`. When all other actors are idle it polls once more; then the trial
    /// may end.
    pub(crate) fn look_again(&self, every: Duration) -> Turn<'_> {
        Turn { actor: self, wish: Some(Wish::Look(every)) }
    }

    /// Waits for work before a point, and arrives there once there is some. The trial may end while an actor rests.
    pub(crate) fn rest(&self, label: &'static str, kind: PointKind) -> Turn<'_> {
        Turn { actor: self, wish: Some(Wish::Rest(label, kind)) }
    }

    /// Whether the last wait ended by its deadline.
    pub(crate) fn timed_out(&self) -> bool {
        self.shared.actors.borrow()[self.id.index()].timed_out
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Actor").field(&self.id).finish()
    }
}

enum Wish {
    Arrive(&'static str, PointKind, Duration),
    Continue(Duration),
    Block(Option<Duration>),
    Idle(Option<Duration>),
    Look(Duration),
    Rest(&'static str, PointKind),
    Pick(usize),
}

/// A wait for the kernel. It is ready on its second poll, because the kernel polls an actor at a point only once it has
/// chosen it.
pub(crate) struct Turn<'a> {
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
