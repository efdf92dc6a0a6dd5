//! Handles SIGINT, SIGTERM and SIGHUP. After the first signal a run stops at the next batch and prints its results; a
//! second signal ends the process at once. In both cases everything created on a live server is removed first.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::{ptr, thread};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::catalogue;

/// The signals and their names.
const SIGNALS: [(i32, &str); 3] = [(SIGINT, "SIGINT"), (SIGTERM, "SIGTERM"), (SIGHUP, "SIGHUP")];

/// Whether the command can stop gracefully; if not, the first signal ends it.
static STOPS: AtomicBool = AtomicBool::new(false);

/// The index in [`SIGNALS`] of the first signal, counted from 1; 0 if there was none.
static RECEIVED: AtomicUsize = AtomicUsize::new(0);

/// Starts listening for signals. `told` gets the name of the first one, if it only requests a stop.
///
/// # Errors
/// No thread can be started, or a signal handler cannot be installed.
pub fn listen(told: fn(&str)) -> Result<()> {
    // Signals that are ignored, for example because of `nohup`, stay ignored.
    let heard = SIGNALS.iter().map(|(signal, _)| *signal).filter(|signal| !is_ignored(*signal));
    let mut signals = Signals::new(heard).context("cannot listen for signals")?;
    let listener = move || signals.forever().for_each(|signal| receive(signal, told));
    thread::Builder::new().spawn(listener).context("cannot start the thread that listens for signals")?;
    Ok(())
}

/// From now on the first signal only requests a stop: workers check [`requested`] before each next unit of work.
pub fn stop_in_good_order() {
    STOPS.store(true, Ordering::SeqCst);
}

/// The name of the signal that requested a stop, if there was one.
pub fn requested() -> Option<&'static str> {
    let place = RECEIVED.load(Ordering::SeqCst).checked_sub(1)?;
    SIGNALS.get(place).map(|(_, name)| *name)
}

/// Removes what this process created outside of itself: databases, a throwaway cluster, temporary files. Every exit
/// path of the process calls it.
pub fn clean_up() {
    catalogue::clean_up();
}

fn receive(signal: i32, told: fn(&str)) {
    let place = SIGNALS.iter().position(|(known, _)| *known == signal).map_or(0, |place| place + 1);
    let is_first = RECEIVED.compare_exchange(0, place, Ordering::SeqCst, Ordering::SeqCst).is_ok();
    if is_first && STOPS.load(Ordering::SeqCst) {
        told(SIGNALS[place.saturating_sub(1)].1);
        return;
    }
    clean_up();
    // The parent process sees that a signal ended this one, as if there were no handler.
    let _ = emulate_default_handler(signal);
}

fn is_ignored(signal: i32) -> bool {
    let mut now = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: with no new action the call only writes the current one to `now`, which has room for it.
    let known = unsafe { libc::sigaction(signal, ptr::null(), now.as_mut_ptr()) } == 0;
    // SAFETY: the call succeeded, so it has written the whole value.
    known && unsafe { now.assume_init() }.sa_sigaction == libc::SIG_IGN
}
