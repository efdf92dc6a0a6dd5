//! SQLite's clock, which is the trial's: `datetime('now')` and CURRENT_TIMESTAMP give the time that the trial's actors
//! see. SQLite asks its VFS for the time (<https://www.sqlite.org/c3ref/vfs.html>, `xCurrentTimeInt64`), so that one
//! method is replaced.

use std::cell::Cell;
use std::ffi::{CStr, c_int};
use std::sync::Once;
use std::time::Duration;

use rusqlite::ffi;

/// The VFS of every connection, one of SQLite's own. By this name SQLite knows that no other process has the file.
pub(super) const VFS: &CStr = c"unix-excl";

/// The start of every trial, 2025-01-01 00:00:00 UTC, in milliseconds of the Julian day number.
const EPOCH_MS: i64 = 1_735_689_600_000 + 210_866_760_000_000;

thread_local! {
    /// The time since the start of the thread's trial.
    static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    /// Whether SQL has read it.
    static WAS_READ: Cell<bool> = const { Cell::new(false) };
}

/// Sets the time since the start of this thread's trial.
pub(super) fn set(now: Duration) {
    NOW.set(now);
}

/// Whether SQL has read the clock since the last call, on this thread.
pub(super) fn was_read() -> bool {
    WAS_READ.replace(false)
}

/// Replaces the VFS by one with the trial's clock. Must be called before the first connection is opened.
pub(super) fn install_once() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: a VFS that was found is a valid struct that lives for ever, and so does its leaked copy. `Once`
        // keeps other threads out, and no connection has been opened with it. The original is unregistered first,
        // because two of one name are undefined behaviour.
        unsafe {
            let original = ffi::sqlite3_vfs_find(VFS.as_ptr());
            assert!(!original.is_null(), "the bundled SQLite has this VFS");
            let mut ours = Box::new(*original);
            ours.xCurrentTimeInt64 = Some(current_time);
            ffi::sqlite3_vfs_unregister(original);
            ffi::sqlite3_vfs_register(Box::leak(ours), 0);
        }
    });
}

unsafe extern "C" fn current_time(_: *mut ffi::sqlite3_vfs, out: *mut ffi::sqlite3_int64) -> c_int {
    let now = EPOCH_MS + NOW.get().as_millis() as i64;
    WAS_READ.set(true);
    // SAFETY: SQLite passes a pointer to an integer of its own.
    unsafe { out.write(now) };
    ffi::SQLITE_OK
}
