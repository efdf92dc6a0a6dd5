//! Seeds SQLite's own randomness from the trial's seed. SQLite takes its seed from the operating system in a way that
//! no simulation intercepts, and all threads of a process share one generator. So the generator is reseeded per trial,
//! and `random()` and `randomblob()` draw from a thread-local one.

use std::cell::RefCell;
use std::ptr;
use std::sync::Once;

use retrial_engine::seed::{Rng, Seed};
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, ffi};

/// Bytes of freed memory that are kept for the next trial.
#[cfg(target_env = "gnu")]
const KEPT_BYTES: std::ffi::c_int = 32 << 20;

thread_local! {
    static RNG: RefCell<Rng> = RefCell::new(Seed(0).rng());
}

/// Turns off SQLite's memory statistics, for which all threads of the process would share one lock. Must be called
/// before the first connection is opened.
pub(super) fn configure_once() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the operation takes one int, and `Once` prevents two threads from configuring at the same time. If
        // SQLite is already in use it refuses, and only speed is lost.
        unsafe {
            ffi::sqlite3_config(ffi::SQLITE_CONFIG_MEMSTATUS, 0 as std::ffi::c_int);
        }
        // The next trial needs the memory that the last one freed; returning it to the system in between took a tenth
        // of a trial's time.
        #[cfg(target_env = "gnu")]
        // SAFETY: `mallopt` takes two ints and may be called at any time.
        unsafe {
            libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_BYTES);
            libc::mallopt(libc::M_MMAP_THRESHOLD, KEPT_BYTES);
        }
    });
}

/// Seeds all randomness that is visible to SQL on this thread.
pub(super) fn seed(seed: Seed) {
    RNG.set(seed.named("sqlite").rng());
    let number = (seed.0 as u32 | 1) as std::ffi::c_int;
    // SAFETY: the PRNG_SEED operation takes an int and a database handle; a null handle means that only the number
    // counts (sqlite3.h).
    unsafe {
        ffi::sqlite3_test_control(ffi::SQLITE_TESTCTRL_PRNG_SEED, number, ptr::null_mut::<ffi::sqlite3>());
    }
}

/// Makes the connection's `random()` and `randomblob()` draw from the trial's seed.
pub(super) fn install(connection: &Connection) -> rusqlite::Result<()> {
    connection.create_scalar_function("random", 0, FunctionFlags::SQLITE_UTF8, |_| Ok(word() as i64))?;
    connection.create_scalar_function("randomblob", 1, FunctionFlags::SQLITE_UTF8, |context| {
        let length = context.get::<i64>(0)?.clamp(1, 1_000_000) as usize;
        Ok((0..length).map(|_| word() as u8).collect::<Vec<u8>>())
    })
}

fn word() -> u64 {
    RNG.with_borrow_mut(|rng| rng.below(u64::MAX))
}
