//! SQLite's own randomness, made to follow the trial's seed. SQLite draws its seed from the operating system by a
//! path that no simulation intercepts, and shares one generator among all threads of a process; so the generator
//! is reseeded per trial, and `random()` and `randomblob()` draw from one that is the thread's own.

use std::cell::RefCell;
use std::ptr;
use std::sync::Once;

use retrial_sim::seed::{Rng, Seed};
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, ffi};

/// As much freed memory is kept for the next trial.
#[cfg(target_env = "gnu")]
const KEPT_BYTES: std::ffi::c_int = 32 << 20;

thread_local! {
    static RNG: RefCell<Rng> = RefCell::new(Seed(0).rng());
}

/// Turns off the count of allocated memory, for which all threads of the process would share one lock. It must be
/// said before the first connection is opened.
pub(super) fn configure_once() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the operation takes one int, and `Once` keeps two threads from configuring at the same time; where
        // SQLite is in use already it refuses, and nothing but speed is lost.
        unsafe {
            ffi::sqlite3_config(ffi::SQLITE_CONFIG_MEMSTATUS, 0 as std::ffi::c_int);
        }
        // What one trial gives back the next one wants again; handing it to the system in between took a tenth of a
        // trial's time.
        #[cfg(target_env = "gnu")]
        // SAFETY: `mallopt` takes two ints and may be called at any time.
        unsafe {
            libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_BYTES);
            libc::mallopt(libc::M_MMAP_THRESHOLD, KEPT_BYTES);
        }
    });
}

/// Seeds everything random that SQL on this thread can see.
pub(super) fn seed(seed: Seed) {
    RNG.set(seed.named("sqlite").rng());
    let number = (seed.0 as u32 | 1) as std::ffi::c_int;
    // SAFETY: the PRNG_SEED operation takes an int and a database handle, for which a null pointer means that the
    // number alone decides; see sqlite3.h.
    unsafe {
        ffi::sqlite3_test_control(ffi::SQLITE_TESTCTRL_PRNG_SEED, number, ptr::null_mut::<ffi::sqlite3>());
    }
}

/// Lets the connection's `random()` and `randomblob()` draw from the trial's seed.
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
