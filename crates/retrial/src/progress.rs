//! Records how much of the plan was run, which is shown while it is run and which an interrupted run reports. The only
//! clock outside the trials.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::results::phase::{Current, Phase, Share};

/// Measures wall-clock time.
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts the measurement.
    #[expect(clippy::disallowed_methods, reason = "people want to know how long they waited")]
    pub fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// The time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// How much of the plan was run so far. Workers add to it, and the display reads it.
pub struct Progress {
    state: Mutex<State>,
    watch: Stopwatch,
}

#[derive(Default)]
struct State {
    shares: Vec<Share>,
    current: usize,
    /// The time limit of the trials, if there is one.
    time: Option<Duration>,
}

impl Progress {
    /// Progress with an empty plan; the time begins.
    pub fn start() -> Progress {
        Progress { state: Mutex::new(State::default()), watch: Stopwatch::start() }
    }

    /// Adds a phase to the plan.
    pub fn plan(&self, phase: Phase, planned: Option<u64>) {
        self.state().shares.push(Share { phase, done: 0, planned });
    }

    /// Sets the time limit of the trials.
    pub fn plan_time(&self, time: Duration) {
        self.state().time = Some(time);
    }

    /// Begins a phase.
    pub fn begin(&self, phase: Phase) {
        let mut state = self.state();
        let Some(place) = state.shares.iter().position(|share| share.phase == phase) else { return };
        state.current = place;
    }

    /// Adds to the done units of the current phase.
    pub fn step(&self, done: u64) {
        let mut state = self.state();
        let current = state.current;
        if let Some(share) = state.shares.get_mut(current) {
            share.done += done;
        }
    }

    /// How much of each phase was run so far.
    pub fn shares(&self) -> Vec<Share> {
        self.state().shares.clone()
    }

    /// The phase that is under way, if one has begun.
    pub fn current(&self) -> Option<Current> {
        let state = self.state();
        let share = *state.shares.get(state.current)?;
        let limit = state.time.filter(|_| share.planned.is_none());
        Some(Current { share, elapsed: self.watch.elapsed(), limit })
    }

    /// Locks, ignoring poisoning: the counts stay valid if a worker panics.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
