//! Panics of actors: caught, not printed, and reported with their location, so that they become a verdict with a
//! counterexample.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic;
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// Runs `f` without printing a panic in it. Panics elsewhere are printed as usual.
pub(crate) fn quietly<T>(f: impl FnOnce() -> T) -> T {
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if QUIET.get() {
                let place = info.location().map(|place| format!("{}:{}", place.file(), place.line()));
                PLACE.set(place);
            } else {
                before(info);
            }
        }));
    });
    let outer = QUIET.replace(true);
    let result = f();
    QUIET.set(outer);
    result
}

/// The message of a caught panic, and its location.
pub(crate) fn message(payload: &(dyn Any + Send)) -> String {
    let said = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let said = said.or_else(|| payload.downcast_ref::<String>().cloned());
    let said = said.unwrap_or_else(|| "a value that is not a text".to_owned());
    match PLACE.take() {
        Some(place) => format!("{said} (at {place})"),
        None => said,
    }
}
