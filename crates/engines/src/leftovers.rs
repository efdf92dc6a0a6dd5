//! Temporary folders that are removed when this process ends: a database file, a throwaway cluster, a console's
//! sockets.
//!
//! Each folder contains a lock file on which its owner has an exclusive `flock`. The kernel releases the lock however
//! the owner ends, so a later process can recognize the folder of a killed run and remove it. A process ID would not
//! do, because containers reuse the same ones. Only folders with our name pattern whose lock file belongs to our user
//! and is not locked are removed.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use retrial_engine::error::Error;

use crate::postgres::stop_abandoned;

/// The memory-backed file system of Linux.
pub(crate) const MEMORY_BACKED: &str = "/dev/shm";

/// The name of the lock file, which the owner keeps locked.
const LOCK: &str = ".retrial-lock";

/// Number of random characters at the end of a folder's name.
const RANDOM_LETTERS: usize = 12;

/// Attempts to create or remove a folder. Until a new folder is locked, another process's sweep may take it for a
/// leftover.
const TRIES: u32 = 10;

/// The folders that this process has created and not yet removed.
static MADE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Set when the process is about to end; no folder may be created after that.
static ENDING: AtomicBool = AtomicBool::new(false);

/// The contents of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An SQLite database file.
    Sqlite,
    /// A throwaway cluster.
    Cluster,
    /// The sockets of a console.
    Console,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Sqlite, Kind::Cluster, Kind::Console];

    fn prefix(self) -> &'static str {
        match self {
            Kind::Sqlite => "retrial-sqlite-",
            Kind::Cluster => "retrial-postgres-",
            Kind::Console => "retrial-console-",
        }
    }

    /// The kind of the folder with this name, or `None` if the name does not match our pattern exactly.
    fn of(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| {
            name.strip_prefix(kind.prefix()).is_some_and(|random| {
                random.len() == RANDOM_LETTERS && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
            })
        })
    }
}

/// A folder of this process. It is removed on drop, by [`remove_all`], or by a later process.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Locked for the lifetime of this value.
    _lock: File,
}

impl Folder {
    /// Creates a folder, memory-backed if requested and possible.
    pub(crate) fn make(kind: Kind, in_memory: bool) -> Result<Folder, Error> {
        if ENDING.load(Ordering::SeqCst) {
            return Err(ending());
        }
        let memory =
            (in_memory && Path::new(MEMORY_BACKED).is_dir()).then(|| make_in(MEMORY_BACKED.as_ref(), kind));
        let made = memory.and_then(Result::ok).map_or_else(|| make_in(&std::env::temp_dir(), kind), Ok);
        let folder = made.map_err(|error| {
            Error::machine(format!("no folder can be made in {}: {error}", std::env::temp_dir().display()))
        })?;
        sweep_once(&folder);
        Ok(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        remove(&self.path);
        made().remove(&self.path);
    }
}

/// Removes every folder of this process and prevents the creation of new ones.
pub(crate) fn remove_all() {
    end();
    for path in std::mem::take(&mut *made()) {
        remove(&path);
    }
}

/// Prevents the creation of new folders.
pub(crate) fn end() {
    ENDING.store(true, Ordering::SeqCst);
}

/// Whether the process is about to end.
pub(crate) fn is_ending() -> bool {
    ENDING.load(Ordering::SeqCst)
}

/// The error for requests that arrive after [`end`].
pub(crate) fn ending() -> Error {
    Error::machine("the run is being ended")
}

fn made() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    // A panic elsewhere cannot leave the set inconsistent.
    MADE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn make_in(parent: &Path, kind: Kind) -> io::Result<Folder> {
    // Canonical, because it is compared with the path that the operating system reports for a server's folder.
    let parent = parent.canonicalize()?;
    let mut last = io::Error::from(ErrorKind::AlreadyExists);
    for _ in 0..TRIES {
        let mut builder = tempfile::Builder::new();
        let made = builder.prefix(kind.prefix()).rand_bytes(RANDOM_LETTERS).tempdir_in(&parent)?;
        match lock(made.path()) {
            Ok(lock) => {
                let path = made.keep();
                self::made().insert(path.clone());
                return Ok(Folder { path, _lock: lock });
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Creates and locks the lock file. Fails if another process's sweep removed it in between.
fn lock(folder: &Path) -> io::Result<File> {
    let path = folder.join(LOCK);
    let file = File::create_new(&path)?;
    file.lock()?;
    if fs::metadata(&path)?.ino() == file.metadata()?.ino() {
        return Ok(file);
    }
    Err(io::Error::from(ErrorKind::NotFound))
}

/// Removes a folder and its contents. A process that is about to end may still write into it, so removal is retried.
fn remove(path: &Path) {
    for _ in 0..TRIES {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {}
            // If it cannot be removed, a later process will try again.
            _ => return,
        }
    }
}

/// Removes the folders that killed runs have left behind, once per process.
fn sweep_once(own: &Folder) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let Ok(owner) = fs::metadata(own.path.join(LOCK)).map(|lock| lock.uid()) else { return };
        for parent in [PathBuf::from(MEMORY_BACKED), std::env::temp_dir()] {
            sweep(&parent, owner);
        }
    });
}

fn sweep(parent: &Path, owner: u32) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.filter_map(Result::ok) {
        let Some(kind) = entry.file_name().to_str().and_then(Kind::of) else { continue };
        // This is the type of the entry itself: a symbolic link to a folder does not count.
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let Ok(path) = entry.path().canonicalize() else { continue };
        match File::open(path.join(LOCK)) {
            Ok(lock) if lock.metadata().is_ok_and(|lock| lock.uid() == owner) => match lock.try_lock() {
                Ok(()) => {
                    if kind == Kind::Cluster {
                        stop_abandoned(&path);
                    }
                    remove(&path);
                }
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
            },
            // Its owner was killed before it wrote anything. An owner that is still alive retries with another folder.
            Err(error) if error.kind() == ErrorKind::NotFound => drop(fs::remove_dir(&path)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::{Folder, Kind, LOCK, sweep};

    #[test]
    fn a_name_is_ours_to_the_letter_or_it_is_not() {
        for (name, kind) in [
            ("retrial-sqlite-abcDEF012345", Some(Kind::Sqlite)),
            ("retrial-postgres-abcDEF012345", Some(Kind::Cluster)),
            ("retrial-console-abcDEF012345", Some(Kind::Console)),
            ("retrial-sqlite-abcDEF01234", None),
            ("retrial-sqlite-abcDEF0123456", None),
            ("retrial-sqlite-abcDEF01234-", None),
            ("retrial-other-abcDEF012345", None),
            ("my-retrial-sqlite-abcDEF012345", None),
        ] {
            assert_eq!(Kind::of(name), kind, "{name}");
        }
    }

    #[test]
    fn a_sweep_removes_what_nobody_holds_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let owner = fs::metadata(parent.path()).unwrap().uid();
        let folder = |name: &str, has_lock: bool| {
            let path = parent.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::write(path.join("trial.db"), "rows").unwrap();
            has_lock.then(|| fs::File::create_new(path.join(LOCK)).unwrap())
        };
        drop(folder("retrial-sqlite-abcDEF000001", true));
        let held = folder("retrial-sqlite-abcDEF000002", true).unwrap();
        held.lock().unwrap();
        folder("retrial-sqlite-abcDEF000003", false);
        drop(folder("retrial-someones", true));
        fs::create_dir(parent.path().join("retrial-console-abcDEF000004")).unwrap();
        std::os::unix::fs::symlink("retrial-someones", parent.path().join("retrial-sqlite-abcDEF000005"))
            .unwrap();
        sweep(parent.path(), owner);
        let mut left: Vec<_> =
            fs::read_dir(parent.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(
            left,
            [
                "retrial-someones",
                "retrial-sqlite-abcDEF000002",
                "retrial-sqlite-abcDEF000003",
                "retrial-sqlite-abcDEF000005"
            ],
            "a locked folder, one without a lock file and a foreign folder stay"
        );
    }

    #[test]
    fn a_folder_goes_with_its_owner() {
        let folder = Folder::make(Kind::Console, false).unwrap();
        let path = folder.path().to_owned();
        assert!(path.is_dir());
        drop(folder);
        assert!(!path.exists());
    }
}
