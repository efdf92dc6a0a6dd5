//! Shows progress: a bar on a terminal, otherwise a line on standard error every ten seconds. Also records how much of
//! the plan was run, which an interrupted run reports. The only clock outside the trials.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// The time between two lines if standard error is not a terminal.
const EVERY: Duration = Duration::from_secs(10);

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

/// A phase of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Replays saved counterexamples.
    Saved,
    /// Searches the smallest workloads exhaustively.
    Searches,
    /// Runs trials of drawn workloads.
    Trials,
    /// Shrinks the counterexamples.
    Shrinking,
}

impl Phase {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Saved => "saved_counterexamples",
            Phase::Searches => "searches",
            Phase::Trials => "trials",
            Phase::Shrinking => "shrinking",
        }
    }

    /// The label of the progress bar.
    fn under_way(self) -> &'static str {
        match self {
            Phase::Saved => "replaying saved counterexamples",
            Phase::Searches => "searching the smallest workloads",
            Phase::Trials => "running trials",
            Phase::Shrinking => "shrinking counterexamples",
        }
    }

    /// The counted unit, after a number.
    pub fn unit(self) -> &'static str {
        match self {
            Phase::Saved => "saved counterexamples replayed",
            Phase::Searches => "searches run",
            Phase::Trials => "trials run",
            Phase::Shrinking => "counterexamples shrunk",
        }
    }
}

/// How much of a phase was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The phase.
    pub phase: Phase,
    /// How much was run.
    pub done: u64,
    /// How much was planned; `None` if a time limit decides.
    pub planned: Option<u64>,
}

/// A progress bar on standard error, or lines if that is not a terminal.
pub struct Progress {
    bar: ProgressBar,
    state: Arc<Mutex<State>>,
    /// Dropping it ends the thread that prints lines.
    lines: Mutex<Option<Sender<()>>>,
}

/// The workers' progress.
struct State {
    shares: Vec<Share>,
    current: usize,
    /// The time limit of the trials, if there is one.
    time: Option<Duration>,
    watch: Stopwatch,
}

impl Progress {
    /// Progress with an empty plan.
    pub fn new() -> Progress {
        let bar = ProgressBar::new(0);
        let style =
            ProgressStyle::with_template("{msg} {wide_bar} {percent:>3}% {elapsed}, about {eta} left");
        let bar = bar.with_style(style.expect("the template is well formed"));
        let state = State { shares: Vec::new(), current: 0, time: None, watch: Stopwatch::start() };
        let state = Arc::new(Mutex::new(state));
        let lines = bar.is_hidden().then(|| print_lines(state.clone())).flatten();
        Progress { bar, state, lines: Mutex::new(lines) }
    }

    /// Adds a phase to the plan.
    pub fn plan(&self, phase: Phase, planned: Option<u64>) {
        locked(&self.state).shares.push(Share { phase, done: 0, planned });
    }

    /// Sets the time limit of the trials.
    pub fn plan_time(&self, time: Duration) {
        locked(&self.state).time = Some(time);
    }

    /// Begins a phase.
    pub fn begin(&self, phase: Phase) {
        let mut state = locked(&self.state);
        let Some(place) = state.shares.iter().position(|share| share.phase == phase) else { return };
        state.current = place;
        let in_time = state.time.filter(|_| phase == Phase::Trials).map(|time| time.as_millis() as u64);
        self.bar.set_message(phase.under_way());
        self.bar.set_position(0);
        self.bar.set_length(state.shares[place].planned.or(in_time).unwrap_or_default());
    }

    /// Adds to the done units of the current phase.
    pub fn step(&self, done: u64) {
        let mut state = locked(&self.state);
        let current = state.current;
        let Some(share) = state.shares.get_mut(current) else { return };
        share.done += done;
        match share.planned {
            Some(_) => self.bar.inc(done),
            None => self.bar.set_position(state.watch.elapsed().as_millis() as u64),
        }
    }

    /// How much of each phase was run so far.
    pub fn shares(&self) -> Vec<Share> {
        locked(&self.state).shares.clone()
    }

    /// Ends the display.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
        locked(&self.lines).take();
    }
}

impl Default for Progress {
    fn default() -> Progress {
        Progress::new()
    }
}

/// A share as text.
pub fn words(share: &Share) -> String {
    let Share { phase, done, planned } = share;
    match planned {
        Some(planned) => format!("{done} of {planned} {}", phase.unit()),
        None => format!("{done} {}", phase.unit()),
    }
}

/// Starts the thread that prints the lines. If it cannot start, only the lines are missing.
fn print_lines(state: Arc<Mutex<State>>) -> Option<Sender<()>> {
    let (over, is_over) = mpsc::channel::<()>();
    let printer = move || {
        while is_over.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
            let line = {
                let state = locked(&state);
                let seconds = state.watch.elapsed().as_secs();
                let time = state.time.map_or(String::new(), |time| format!(" of {}", time.as_secs()));
                state.shares.get(state.current).map(|share| {
                    let time = if share.planned.is_none() { &*time } else { "" };
                    format!("progress: {}, {seconds}{time} s", words(share))
                })
            };
            line.iter().for_each(|line| super::beside(line));
        }
    };
    thread::Builder::new().spawn(printer).ok().map(|_| over)
}

/// Locks, ignoring poisoning: the counts stay valid if a worker panics.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
