//! What an actor sees of the world: its own points, the virtual clock, and whether it was asked to stop.

use std::fmt;
use std::future::{Future, pending};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::fault::Fault;
use crate::footprint::Use;
use crate::point::{ActorId, PointKind};
use crate::trace::{EventKind, Exchange, Field};
use crate::world::{Shared, State};

/// An actor's handle on the world. Cloning it gives another handle on the same actor.
#[derive(Clone)]
pub struct Actor {
    pub(crate) shared: Rc<Shared>,
    pub(crate) id: ActorId,
}

/// The connection broke before the answer came: the request may have taken effect, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

/// The future of an `async` block behind a trait object.
pub type Task<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// The epoch of the trials' calendar, in Unix seconds: 2025-01-01T00:00:00Z.
const EPOCH_S: i64 = 1_735_689_600;

impl Actor {
    pub(crate) fn new(shared: Rc<Shared>, id: ActorId) -> Actor {
        Actor { shared, id }
    }

    /// A point of the actor's own: others may move before it.
    pub async fn step(&self, label: &'static str) {
        self.arrive(label, PointKind::Step, Duration::ZERO).await;
        self.shared.record(self.id, EventKind::Stepped(label));
    }

    /// Waits for at least that long on the virtual clock, or until the process is asked to stop. Unless the trial is
    /// timed, any actor may be delayed past any deadline, so nothing may be concluded from an order of two sleeps.
    pub async fn sleep(&self, label: &'static str, duration: Duration) {
        self.shared.record(self.id, EventKind::Sleeps(label, duration));
        self.arrive(label, PointKind::Sleep, duration).await;
    }

    /// Sleeps, but not past a request to stop; tells whether there was one.
    pub async fn sleep_unless_stopped(&self, label: &'static str, duration: Duration) -> bool {
        let duration = if self.is_stopping() { Duration::ZERO } else { duration };
        self.sleep(label, duration).await;
        self.is_stopping()
    }

    /// Whether the process was asked to stop in good order.
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

    /// The calendar time in Unix seconds, on the virtual clock.
    pub fn unix_seconds(&self) -> i64 {
        EPOCH_S + self.now().as_secs() as i64
    }

    /// Writes a line into the trace for the scenario's invariants.
    pub fn note(&self, key: &'static str, one: i64, other: i64) {
        self.shared.count_call();
        self.shared.record(self.id, EventKind::Annotated(key, one, other));
    }

    /// Takes one of `of` values, as the scheduler likes; the first is what happens by default. Not a point: nobody
    /// moves meanwhile.
    pub async fn pick(&self, of: usize) -> usize {
        self.shared.count_call();
        if of < 2 {
            return 0;
        }
        Turn { actor: self, wish: Some(Wish::Pick(of)) }.await;
        self.shared.picked.get()
    }

    /// Sends a request to a part outside the engine that answers with no more than that it has heard. The trace keeps
    /// `body`.
    ///
    /// # Errors
    /// The connection broke; the request may have arrived.
    pub async fn request(
        &self,
        label: &'static str,
        part: &'static str,
        body: Vec<Field>,
    ) -> Result<(), Lost> {
        // The order in which it is heard of can be told from outside, beside that of commits.
        let effect = |_| {
            self.shared.touch("outcome", "", None, Use::Write);
        };
        self.exchange(PointKind::Request, label, part, || body, effect).await
    }

    /// Stands at a point; then the request takes effect and is answered, unless a fault has it otherwise.
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
            .record(self.id, EventKind::Exchanged(Rc::new(Exchange { label, part, body, arrived, heard })));
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

    /// The process dies before the actor goes on.
    pub(crate) async fn die(&self) -> ! {
        self.shared.crash_requested.set(true);
        pending().await
    }

    /// The work of the step lasts that long: the actor stands at its next point no sooner.
    pub(crate) fn busy_for(&self, spent: Duration) {
        let busy_until = self.shared.now.get() + spent;
        self.shared.actors.borrow_mut()[self.id.index()].busy_until = busy_until;
    }

    /// Stands at a point until chosen.
    pub(crate) fn arrive(&self, label: &'static str, kind: PointKind, sleep: Duration) -> Turn<'_> {
        Turn { actor: self, wish: Some(Wish::Arrive(label, kind, sleep)) }
    }

    /// Goes on from the middle of a step after that long.
    pub(crate) fn continue_after(&self, duration: Duration) -> Turn<'_> {
        Turn { actor: self, wish: Some(Wish::Continue(duration)) }
    }

    /// Waits until another actor's doing lets this one go on, or until the deadline.
    pub(crate) fn blocked(&self, deadline: Option<Duration>) -> Turn<'_> {
        Turn { actor: self, wish: Some(Wish::Block(deadline)) }
    }

    /// Waits for work, at most until the deadline. A trial may end while an actor waits for work without one.
    pub(crate) fn idle(&self, deadline: Option<Duration>) -> Turn<'_> {
        Turn { actor: self, wish: Some(Wish::Idle(deadline)) }
    }

    /// Waits for work for so long, and then looks for it. Once everyone else has come to rest it looks once more, and
    /// then the trial may end.
    pub(crate) fn look_again(&self, every: Duration) -> Turn<'_> {
        Turn { actor: self, wish: Some(Wish::Look(every)) }
    }

    /// Waits for work before a point, and stands at it once there is some. A trial may end while an actor rests.
    pub(crate) fn rest(&self, label: &'static str, kind: PointKind) -> Turn<'_> {
        Turn { actor: self, wish: Some(Wish::Rest(label, kind)) }
    }

    /// Whether the wait that just ended did so because its time was up.
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

/// Becomes ready when the kernel has chosen the actor: it polls an actor that stands at a point only then.
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
