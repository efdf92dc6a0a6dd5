//! What the kernel keeps of each actor and of each process.

use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use super::{Boot, Life};
use crate::point::{Point, PointKind};
use crate::waker::Alarm;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// At a point; can be chosen.
    Standing,
    /// Waits for something that another actor holds.
    Blocked,
    /// Waits for work in the middle of a step; the trial may end without it.
    Idle,
    /// Will stand at its point once there is work; the trial may end without it.
    Resting,
    /// Waits for a future that the kernel does not know; its waker will tell.
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
    /// Whether it slept up to then: if nobody else has moved the clock there, it does.
    pub(crate) slept: bool,
    /// The actor is busy until then: its last step took that long.
    pub(crate) busy_until: Duration,
    pub(crate) deadline: Option<Duration>,
    pub(crate) timed_out: bool,
    /// The deadline is when it looks for work by itself, and this is how often it does.
    pub(crate) looks_every: Option<Duration>,
    /// The last step of anybody else when it did so last.
    pub(crate) looked_after: Option<u32>,
    /// When it would look next, if anybody had done anything since it looked last.
    pub(crate) suspended: Option<Duration>,
    pub(crate) last_step: u32,
    /// Its last step in which something was committed.
    pub(crate) last_commit: u32,
    pub(crate) alarm: Arc<Alarm>,
    /// The alarm as a waker; away while the actor is being polled.
    pub(crate) waker: Option<Waker>,
}

pub(crate) struct ProcessCell {
    pub(crate) name: &'static str,
    pub(crate) boot: Rc<dyn Fn(&Boot)>,
    pub(crate) starts: u32,
    pub(crate) shutdown: bool,
    /// It stands still until then, and so do its timers.
    pub(crate) stands_still_until: Duration,
}
