//! Signals that ask the process to end. The first one lets a run stop at the next batch and tell what it has found; a
//! second one ends the process at once. Whichever way it ends, what it made on a live server is removed first.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::{ptr, thread};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::render;

/// The signals, each with its name.
const SIGNALS: [(i32, &str); 3] = [(SIGINT, "SIGINT"), (SIGTERM, "SIGTERM"), (SIGHUP, "SIGHUP")];

/// Whether the command can stop in good order; if not, the first signal ends it.
static STOPS: AtomicBool = AtomicBool::new(false);

/// The place in [`SIGNALS`] of the first signal, counted from 1; 0 while there was none.
static RECEIVED: AtomicUsize = AtomicUsize::new(0);

/// Listens from now on.
///
/// # Errors
/// Where no thread can be started, or the system does not let a signal be handled.
pub fn listen() -> Result<()> {
    // What `nohup` has told the process not to hear stays unheard.
    let heard = SIGNALS.iter().map(|(signal, _)| *signal).filter(|signal| !is_ignored(*signal));
    let mut signals = Signals::new(heard).context("cannot listen for signals")?;
    let listener = move || signals.forever().for_each(receive);
    thread::Builder::new().spawn(listener).context("cannot start the thread that listens for signals")?;
    Ok(())
}

/// From now on the first signal is a request: whoever works asks [`requested`] before each next step.
pub fn stop_in_good_order() {
    STOPS.store(true, Ordering::SeqCst);
}

/// The name of the signal that has asked the run to stop, if one has.
pub fn requested() -> Option<&'static str> {
    let place = RECEIVED.load(Ordering::SeqCst).checked_sub(1)?;
    SIGNALS.get(place).map(|(_, name)| *name)
}

/// Removes what this process has made outside of itself: databases, a throwaway cluster, temporary files. Every way
/// out of the process comes through here.
pub fn clean_up() {
    retrial_engines::postgres::clean_up();
}

fn receive(signal: i32) {
    let place = SIGNALS.iter().position(|(known, _)| *known == signal).map_or(0, |place| place + 1);
    let is_first = RECEIVED.compare_exchange(0, place, Ordering::SeqCst, Ordering::SeqCst).is_ok();
    if is_first && STOPS.load(Ordering::SeqCst) {
        render::stopping(SIGNALS[place.saturating_sub(1)].1);
        return;
    }
    clean_up();
    // The parent sees that a signal ended the process, as if nobody had listened.
    let _ = emulate_default_handler(signal);
}

fn is_ignored(signal: i32) -> bool {
    let mut now = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: with no new action the call only writes the present one to the place given, which has room for it.
    let known = unsafe { libc::sigaction(signal, ptr::null(), now.as_mut_ptr()) } == 0;
    // SAFETY: the call has succeeded, so it has written the whole value.
    known && unsafe { now.assume_init() }.sa_sigaction == libc::SIG_IGN
}
