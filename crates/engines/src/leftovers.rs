//! Folders that must not outlive this process: a database file, a throwaway cluster, a console's sockets.
//!
//! A folder holds a file that its live owner has locked (`flock`), and the system lets go of the lock however the
//! owner ends. So whoever starts later can tell a folder that a killed run has left behind, and removes it. A process
//! id would not tell: in a container the same one comes back. Nothing is ever removed but a folder of our name whose
//! lock file is ours and is not locked.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use retrial_sim::error::Error;

use crate::postgres::stop_abandoned;

/// Where Linux keeps a file system in memory.
pub(crate) const MEMORY_BACKED: &str = "/dev/shm";

/// What the owner keeps locked.
const LOCK: &str = ".retrial-lock";

/// The random end of a folder's name has so many letters.
const RANDOM_LETTERS: usize = 12;

/// How often a folder is tried to be made: somebody who sweeps may take it for a leftover until it is locked.
const TRIES: u32 = 10;

/// The folders that this process has made and not yet removed.
static MADE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// The process is about to end, so nothing new may be made.
static ENDING: AtomicBool = AtomicBool::new(false);

/// What lies in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The file of an SQLite database.
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

    /// The kind of a folder of that name, if it is exactly one that is made here.
    fn of(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| {
            name.strip_prefix(kind.prefix()).is_some_and(|random| {
                random.len() == RANDOM_LETTERS && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
            })
        })
    }
}

/// A folder of this process; removed with this, by [`remove_all`], or by a later process.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Locked as long as this lives.
    _lock: File,
}

impl Folder {
    /// A new folder, memory-backed if that is wanted and possible.
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

/// Removes every folder that this process has made, and lets no other be made.
pub(crate) fn remove_all() {
    end();
    for path in std::mem::take(&mut *made()) {
        remove(&path);
    }
}

/// From here on nothing new is made.
pub(crate) fn end() {
    ENDING.store(true, Ordering::SeqCst);
}

/// Whether the process is about to end.
pub(crate) fn is_ending() -> bool {
    ENDING.load(Ordering::SeqCst)
}

/// What is said to whoever still wants something made.
pub(crate) fn ending() -> Error {
    Error::machine("the run is being ended")
}

fn made() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    // A set stays whole whoever panics beside it.
    MADE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn make_in(parent: &Path, kind: Kind) -> io::Result<Folder> {
    // Paths are compared with what the system tells of a server's folder.
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

/// Makes the lock file and locks it; fails where somebody who sweeps has come in between.
fn lock(folder: &Path) -> io::Result<File> {
    let path = folder.join(LOCK);
    let file = File::create_new(&path)?;
    file.lock()?;
    if fs::metadata(&path)?.ino() == file.metadata()?.ino() {
        return Ok(file);
    }
    Err(io::Error::from(ErrorKind::NotFound))
}

/// Removes a folder and what is in it. Whoever still writes into it is about to end, so it is tried more than once.
fn remove(path: &Path) {
    for _ in 0..TRIES {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {}
            // Where it cannot be removed, a later process will try.
            _ => return,
        }
    }
}

/// Removes what killed runs have left behind, once in a process.
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
        // The type is the entry's own: a link is no folder.
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
            // Its maker was killed before there was anything in it; one that is alive makes another.
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
            "one that is held, one that no lock tells of, and what is not ours, stay"
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
