//! Shows how far a run is while it is under way: a bar on a terminal, otherwise a line on standard error every ten
//! seconds.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::beside;
use crate::progress::Progress;
use crate::render::phase;
use crate::results::phase::Current;

/// The time between two lines if standard error is not a terminal.
const LINES: Duration = Duration::from_secs(10);

/// The time between two drawings of the bar.
const DRAWINGS: Duration = Duration::from_millis(100);

/// A display of progress; dropping it ends it.
pub struct Display(Option<(Sender<()>, JoinHandle<()>)>);

impl Display {
    /// Starts the thread that shows the progress. If it cannot start, only the display is missing.
    pub fn show(progress: &Arc<Progress>) -> Display {
        let (over, is_over) = mpsc::channel::<()>();
        let progress = progress.clone();
        let shower = move || {
            let bar = bar();
            let every = if bar.is_hidden() { LINES } else { DRAWINGS };
            while is_over.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                match progress.current() {
                    Some(current) if bar.is_hidden() => beside(&phase::line(&current)),
                    Some(current) => draw(&bar, &current),
                    None => {}
                }
            }
            bar.finish_and_clear();
        };
        Display(thread::Builder::new().spawn(shower).ok().map(|shower| (over, shower)))
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Some((over, shower)) = self.0.take() {
            drop(over);
            // A display that panicked is missing, and nothing else is.
            let _ = shower.join();
        }
    }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {percent:>3}% {elapsed}, about {eta} left");
    ProgressBar::new(0).with_style(style.expect("the template is well formed"))
}

fn draw(bar: &ProgressBar, current: &Current) {
    let Current { share, elapsed, limit } = current;
    let (done, all) = match limit {
        Some(limit) => (elapsed.as_millis() as u64, limit.as_millis() as u64),
        None => (share.done, share.planned.unwrap_or_default()),
    };
    bar.set_length(all);
    bar.set_position(done);
    bar.set_message(phase::under_way(share.phase));
}
