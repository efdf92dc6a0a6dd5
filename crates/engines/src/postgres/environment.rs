//! Isolates the server from the caller's environment variables, on which trials must not depend.

use std::process::Command;
use std::sync::Once;

/// The variables that a program needs to be found and started. Everything else (PGOPTIONS, PGTZ, LANG, TZ ..) belongs
/// to the caller.
const KEPT: [&str; 3] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

/// Reduces the command's environment to the variables that it needs to start.
#[expect(clippy::disallowed_methods, reason = "the server's programs have to be found")]
pub(super) fn cleaned(command: &mut Command) -> &mut Command {
    command.env_clear();
    for name in KEPT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("LC_ALL", "C").env("TZ", "UTC")
}

/// Removes PGOPTIONS from this process's environment: sqlx adds it to every connection, before the options it is given,
/// and cannot be told not to. The other variables that sqlx reads are either set explicitly for each connection or only
/// say how to reach the server of a URL.
#[expect(clippy::disallowed_methods, reason = "only to remove it")]
pub(super) fn forget_options() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if std::env::var_os("PGOPTIONS").is_some() {
            // SAFETY: the standard library guards the environment with its own lock, for lookups and for process
            // creation. The only other readers are C code in SQLite and the C library, which look for other variables
            // and are not affected: removing a variable frees nothing (glibc, `unsetenv`).
            unsafe { std::env::remove_var("PGOPTIONS") };
        }
    });
}
