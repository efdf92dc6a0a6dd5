//! Progress for whoever waits: a bar at a terminal, and elsewhere a line on standard error every ten seconds. It also
//! keeps how much of the plan was run, which an interrupted run tells. The only clock outside the trials.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often a line is due where there is no terminal.
const EVERY: Duration = Duration::from_secs(10);

/// Wall-clock time since a moment.
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "people want to know how long they waited")]
    pub fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// How long it has been.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A part of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Saved counterexamples are replayed.
    Saved,
    /// The smallest workloads are searched exhaustively.
    Searches,
    /// Drawn workloads are tried.
    Trials,
    /// What was found is shrunk.
    Shrinking,
}

impl Phase {
    /// Its name, for programs.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Saved => "saved_counterexamples",
            Phase::Searches => "searches",
            Phase::Trials => "trials",
            Phase::Shrinking => "shrinking",
        }
    }

    /// What is counted.
    pub fn unit(self) -> &'static str {
        match self {
            Phase::Saved => "saved counterexamples replayed",
            Phase::Searches => "searches run",
            Phase::Trials => "trials run",
            Phase::Shrinking => "counterexamples shrunk",
        }
    }
}

/// How much of a part of the plan was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Which part.
    pub phase: Phase,
    /// How much was run.
    pub done: u64,
    /// How much there is; none where a time decides.
    pub planned: Option<u64>,
}

/// A bar on standard error, or lines where that is not a terminal.
pub struct Progress {
    bar: ProgressBar,
    state: Arc<Mutex<State>>,
    /// Dropped when it is over, which ends the thread that prints lines.
    lines: Mutex<Option<Sender<()>>>,
}

/// What the workers have come to.
struct State {
    shares: Vec<Share>,
    current: usize,
    /// How long the trials may take, where a time decides.
    time: Option<Duration>,
    watch: Stopwatch,
}

impl Progress {
    /// Nothing is planned yet.
    pub fn new() -> Progress {
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{msg}{wide_bar} {percent:>3}% {elapsed}");
        let bar = bar.with_style(style.expect("the template is well formed"));
        let state = State { shares: Vec::new(), current: 0, time: None, watch: Stopwatch::start() };
        let state = Arc::new(Mutex::new(state));
        let lines = bar.is_hidden().then(|| print_lines(state.clone())).flatten();
        Progress { bar, state, lines: Mutex::new(lines) }
    }

    /// So much of that is planned.
    pub fn plan(&self, phase: Phase, planned: Option<u64>) {
        locked(&self.state).shares.push(Share { phase, done: 0, planned });
    }

    /// The trials end when this time is up.
    pub fn plan_time(&self, time: Duration) {
        locked(&self.state).time = Some(time);
    }

    /// That part of the plan begins.
    pub fn begin(&self, phase: Phase) {
        let mut state = locked(&self.state);
        let Some(place) = state.shares.iter().position(|share| share.phase == phase) else { return };
        state.current = place;
        let in_time = state.time.filter(|_| phase == Phase::Trials).map(|time| time.as_millis() as u64);
        self.bar.set_message(if phase == Phase::Shrinking { "shrinking " } else { "" });
        self.bar.set_position(0);
        self.bar.set_length(state.shares[place].planned.or(in_time).unwrap_or_default());
    }

    /// So many more of the current part are done.
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

    /// How much of each part was run so far.
    pub fn shares(&self) -> Vec<Share> {
        locked(&self.state).shares.clone()
    }

    /// It is over.
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

/// A share in a few words.
pub fn words(share: &Share) -> String {
    let Share { phase, done, planned } = share;
    match planned {
        Some(planned) => format!("{done} of {planned} {}", phase.unit()),
        None => format!("{done} {}", phase.unit()),
    }
}

/// Starts the thread that prints a line now and then; without it nothing but the lines is missing.
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

/// What a worker that panicked has counted is still right.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
