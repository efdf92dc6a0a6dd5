//! A throwaway Postgres cluster, made from the server binaries on this machine. It listens on a Unix socket only, never
//! on the network, and is removed when the process that started it ends.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::environment;
use super::watcher::Watcher;
use crate::leftovers::{Folder, Kind, MEMORY_BACKED};
use retrial_engine::error::Error;

/// The folder in which Debian installs the binaries of each major version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Free space required in the memory-backed file system, in KiB; containers often have a tenth of it.
const ROOM: u64 = 1 << 20;

/// Server settings: a throwaway cluster needs no durability, must do nothing in the background on its own schedule, and
/// serves few sessions.
const SETTINGS: [&str; 16] = [
    "listen_addresses=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "autovacuum=off",
    "jit=off",
    "max_connections=100",
    "max_prepared_transactions=10",
    "max_parallel_workers_per_gather=0",
    "shared_buffers=32MB",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_min_messages=fatal",
    "unix_socket_permissions=0700",
];

/// A running cluster; dropping it stops the server and removes the folder.
pub(super) struct Cluster {
    server: Child,
    /// Dropping it stops the server and waits until the folder is gone.
    watcher: Option<Watcher>,
    /// Declared last, so that it is dropped after everything that writes into it.
    folder: Folder,
}

/// The account that runs the server, which refuses to run as root.
#[derive(Clone, Copy)]
struct Account {
    user: u32,
    group: u32,
}

impl Cluster {
    /// The folder of the newest server binaries, if there are any; the inner `None` stands for the binaries on the
    /// PATH.
    pub(super) fn binaries() -> Option<Option<PathBuf>> {
        let on_path = Command::new("initdb").arg("--version").output();
        if on_path.is_ok_and(|output| output.status.success()) {
            return Some(None);
        }
        let versions = fs::read_dir(DEBIAN).ok()?.filter_map(Result::ok);
        let newest = versions
            .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())))
            .filter(|(_, path)| path.join("bin/initdb").is_file())
            .max();
        newest.map(|(_, path)| Some(path.join("bin")))
    }

    /// Creates a cluster and starts its server, which may not accept connections immediately.
    pub(super) fn start(binaries: Option<&Path>) -> Result<Cluster, Error> {
        let folder = Folder::make(Kind::Cluster, has_room(MEMORY_BACKED))?;
        let mut watcher = Watcher::over(folder.path())?;
        let account = unprivileged(&folder)?;
        let binary = |name: &str| match binaries {
            Some(folder) => folder.join(name),
            None => PathBuf::from(name),
        };
        let data = folder.path().join("data");
        let mut initdb = Command::new(binary("initdb"));
        initdb.arg("-D").arg(&data);
        initdb.args(["-U", "postgres", "--no-locale", "-E", "UTF8", "--auth=trust", "--no-sync"]);
        initdb.args(["--wal-segsize=1", "--no-instructions"]);
        let output = as_account(&mut initdb, folder.path(), account)
            .output()
            .map_err(|error| Error::machine(format!("initdb does not start: {error}")))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Error::machine(format!("initdb failed: {}", reason(&said))));
        }
        let log = fs::File::create(folder.path().join("log"))
            .map_err(|error| Error::machine(format!("no log for the cluster: {error}")))?;
        let mut postgres = Command::new(binary("postgres"));
        postgres.arg("-D").arg(&data).arg("-k").arg(folder.path());
        SETTINGS.iter().for_each(|setting| {
            postgres.args(["-c", setting]);
        });
        let server = as_account(&mut postgres, folder.path(), account)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|error| Error::machine(format!("postgres does not start: {error}")))?;
        watcher.tell(Some(server.id()))?;
        Ok(Cluster { server, watcher: Some(watcher), folder })
    }

    /// The folder of the server's socket.
    pub(super) fn socket(&self) -> &Path {
        self.folder.path()
    }

    /// The server's process ID.
    pub(super) fn process(&self) -> u32 {
        self.server.id()
    }

    /// Why the server has exited, or `None` if it is running.
    pub(super) fn obituary(&mut self) -> Option<String> {
        match self.server.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => {
                let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                Some(format!("{status}: {}", reason(&log)))
            }
            Err(error) => Some(error.to_string()),
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watcher.take());
        // The watcher has stopped it; this reaps the process.
        let _ = self.server.wait();
    }
}

/// Whether the file system has enough free space for a cluster.
fn has_room(folder: &str) -> bool {
    let Ok(output) = Command::new("df").args(["-Pk", folder]).output() else { return false };
    let told = String::from_utf8_lossy(&output.stdout);
    let free = told.lines().nth(1).and_then(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok());
    free.is_some_and(|free| free >= ROOM)
}

/// If we run as root, changes the folder's owner to an unprivileged account and returns it. The folder's current owner
/// shows whether we are root.
fn unprivileged(folder: &Folder) -> Result<Option<Account>, Error> {
    let unknown = |error: std::io::Error| Error::machine(format!("the cluster's folder: {error}"));
    if fs::metadata(folder.path()).map_err(unknown)?.uid() != 0 {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd").map_err(unknown)?;
    let named = |name: &str| {
        let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2).map(str::parse::<u32>);
        Some(Account { user: fields.next()?.ok()?, group: fields.next()?.ok()? })
    };
    let account = named("postgres").or_else(|| named("nobody")).ok_or_else(|| {
        Error::refused("postgres does not run as root, and there is nobody else to run it as")
    })?;
    chown(folder.path(), Some(account.user), Some(account.group)).map_err(unknown)?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).map_err(unknown)?;
    Ok(Some(account))
}

/// Prepares the command to run as the account, in a folder that the account can enter, and in its own process group, so
/// that the terminal's Ctrl-C does not reach it.
fn as_account<'c>(command: &'c mut Command, folder: &Path, account: Option<Account>) -> &'c mut Command {
    if let Some(account) = account {
        command.uid(account.user).gid(account.group);
    }
    environment::cleaned(command).process_group(0).current_dir(folder).stdin(Stdio::null())
}

/// The line that gives the cause: the first that mentions an error, because later lines only report the reaction to it
/// ("removing data directory").
fn reason(said: &str) -> &str {
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
    let tells = |line: &&str| ["error:", "FATAL:", "PANIC:"].iter().any(|word| line.contains(word));
    lines().find(tells).or_else(|| lines().next_back()).unwrap_or("it left no word")
}

/// Stops the server of a cluster that a killed run has left behind, and removes the folder.
pub(crate) fn stop_abandoned(folder: &Path) {
    let told = fs::read_to_string(folder.join("data/postmaster.pid")).ok();
    let process = told.and_then(|told| told.lines().next()?.trim().parse::<u32>().ok());
    let Ok(mut watcher) = Watcher::over(folder) else { return };
    // The watcher stops a process only if the process runs in this folder.
    let _ = watcher.tell(process);
}

#[cfg(test)]
mod tests {
    use super::reason;

    #[test]
    fn what_is_told_of_a_failure_is_its_cause() {
        for (said, told) in [
            ("", "it left no word"),
            ("running bootstrap script ...\n", "running bootstrap script ..."),
            (
                "initdb: error: could not create directory \"/d/pg_wal\": No space left on device\n\
                 initdb: removing data directory \"/d\"\n",
                "initdb: error: could not create directory \"/d/pg_wal\": No space left on device",
            ),
            (
                "2026-01-01 00:00:00.000 UTC [7] FATAL:  could not write to file: No space left on device\n\
                 child process exited with exit code 1\ninitdb: removing data directory \"/d\"\n",
                "2026-01-01 00:00:00.000 UTC [7] FATAL:  could not write to file: No space left on device",
            ),
            (
                "LOG:  starting\nFATAL:  could not create lock file\nLOG:  database system is shut down\n",
                "FATAL:  could not create lock file",
            ),
        ] {
            assert_eq!(reason(said), told);
        }
    }
}
