//! An actor's handle on the world: its points, the virtual clock, and whether its process was asked to stop.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use crate::point::{ActorId, PointKind, ProcessId};
use crate::shared::Shared;
use crate::trace::{EventKind, Field};

pub use self::operation::Ongoing;
pub use self::turn::{Turn, Wait};

mod operation;
mod turn;

/// An actor's handle on the world. Clones refer to the same actor.
#[derive(Clone)]
pub struct Actor {
    shared: Rc<Shared>,
    id: ActorId,
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

    /// Its identifier, as the trace has it.
    #[inline]
    pub fn id(&self) -> ActorId {
        self.id
    }

    /// The process that it belongs to.
    pub fn process(&self) -> ProcessId {
        ProcessId::new(self.shared.process_of(self.id))
    }

    /// A plain point: other actors may run before it.
    pub async fn step(&self, label: &'static str) {
        self.arrive(label, PointKind::Step).await;
        self.shared.record(self.id, EventKind::Stepped(label));
    }

    /// Waits for at least `duration` on the virtual clock, or until the process is asked to stop. Outside timed trials
    /// any actor may be delayed past any deadline, so the order of two sleeps proves nothing.
    pub async fn sleep(&self, label: &'static str, duration: Duration) {
        self.shared.record(self.id, EventKind::Sleeps(label, duration));
        self.arrive_after(label, duration).await;
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
        self.pick_among(of).await;
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
        let effect = |_| self.shared.touches_outcome();
        self.exchange(PointKind::Request, label, part, || body, effect).await
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Actor").field(&self.id).finish()
    }
}
