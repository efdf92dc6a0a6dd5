//! The kernel's state of each actor and each process.

use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use super::{Life, Shared};
use crate::point::{Point, PointKind, ProcessId};
use crate::waker::Alarm;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// At a point; can be chosen.
    Standing,
    /// Waits for something that another actor has.
    Blocked,
    /// Waits for work in the middle of a step; the trial may end without it.
    Idle,
    /// Will be at its point once there is work; the trial may end without it.
    Resting,
    /// Waits for a future that the kernel does not know, and whose waker will be called.
    Foreign,
    Finished,
}

pub(crate) struct ActorCell {
    pub(crate) process: usize,
    pub(crate) life: Option<Life>,
    pub(crate) state: State,
    pub(crate) point: Point,
    pub(crate) kind: PointKind,
    pub(crate) arrivals: Vec<(&'static str, u32)>,
    pub(crate) not_before: Duration,
    /// Whether it sleeps until `not_before`. If no other actor has moved the clock there, this one does.
    pub(crate) slept: bool,
    /// When the actor is no longer busy: its last step took until then.
    pub(crate) busy_until: Duration,
    pub(crate) deadline: Option<Duration>,
    pub(crate) timed_out: bool,
    /// How often it polls for work by itself, if it does. `deadline` is the next poll then.
    pub(crate) looks_every: Option<Duration>,
    /// The last step of any other actor at the time of its last poll.
    pub(crate) looked_after: Option<u32>,
    /// The next poll, while polling is suspended because no other actor has done anything since the last one.
    pub(crate) suspended: Option<Duration>,
    pub(crate) last_step: u32,
    /// Its last step in which something was committed.
    pub(crate) last_commit: u32,
    pub(crate) alarm: Arc<Alarm>,
    /// The alarm as a waker; absent while the actor is being polled.
    pub(crate) waker: Option<Waker>,
}

/// Starts a process: adds its actors to the cast.
pub(crate) type Boot = Rc<dyn Fn(&Rc<Shared>, ProcessId)>;

pub(crate) struct ProcessCell {
    pub(crate) name: &'static str,
    pub(crate) boot: Boot,
    pub(crate) starts: u32,
    pub(crate) shutdown: bool,
    /// The end of its stall, which also stops its timers.
    pub(crate) stands_still_until: Duration,
}
