//! Progress for whoever waits at a terminal; nothing where nobody watches. The only clock outside the trials.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

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

/// A bar on standard error, hidden where that is not a terminal.
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar that has not begun.
    pub fn new() -> Progress {
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{msg}{wide_bar} {percent:>3}% {elapsed}");
        Progress(bar.with_style(style.expect("the template is well formed")))
    }

    /// What was waited for is there; now witnesses are shrunk, that many.
    pub fn expect_shrinking(&self, witnesses: usize) {
        self.0.set_message("shrinking ");
        self.0.set_position(0);
        self.0.set_length(witnesses as u64);
    }

    /// There will be that many steps.
    pub fn expect(&self, steps: usize) {
        self.0.set_length(steps as u64);
    }

    /// It will take that long.
    pub fn expect_time(&self, time: Duration) {
        self.0.set_length(time.as_millis() as u64);
    }

    /// One step is done.
    pub fn step(&self) {
        self.0.inc(1);
    }

    /// This much time has passed.
    pub fn at(&self, elapsed: Duration) {
        self.0.set_position(elapsed.as_millis() as u64);
    }

    /// It is over.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Default for Progress {
    fn default() -> Progress {
        Progress::new()
    }
}
