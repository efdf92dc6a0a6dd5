//! Variables of the environment that would reach a server's sessions. What a trial shows must not depend on them.

use std::process::Command;
use std::sync::Once;

/// What a program needs to be found and to start. Everything else (PGOPTIONS, PGTZ, LANG, TZ ..) is the caller's own.
const KEPT: [&str; 3] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

/// Lets the command start with nothing of the caller's environment but what it needs to start.
pub(super) fn cleaned(command: &mut Command) -> &mut Command {
    command.env_clear();
    for name in KEPT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("LC_ALL", "C").env("TZ", "UTC")
}

/// Takes PGOPTIONS out of the environment: sqlx puts them into every connection, before the options that it is given,
/// and knows no way to leave them out. The other variables that it reads are given for each connection, or say only
/// how to reach the server of a URL.
pub(super) fn forget_options() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if std::env::var_os("PGOPTIONS").is_some() {
            // SAFETY: the standard library has a lock of its own around the environment, for lookups of names and the
            // start of processes too. What else reads it here is C code of SQLite and the C library, which look for
            // other variables and come to no harm: removing one frees nothing (glibc, `unsetenv`).
            unsafe { std::env::remove_var("PGOPTIONS") };
        }
    });
}
