//! A simulated file lock across processes, modelled on the library proper-lockfile (4.1.2, with `retry` 0.12). The lock
//! is a directory: the process that creates it holds the lock, and keeps its modification time fresh. The simulation is
//! no safer than the library: two processes may hold the lock, and one that has lost it may not know.
//!
//! Rules and their sources (`lib/lockfile.js` of proper-lockfile by the names of its functions; its README):
//! - `mkdir` is atomic and exclusive (README, "Design"). It does not matter which process asks: one that has the lock
//!   finds the directory like any other, and is refused (`acquireLock`, on EEXIST).
//! - An attempt that finds the directory checks its time. If it is older than `stale`, it is removed, and created again
//!   without another check (`acquireLock` with `stale: 0`). Whatever directory exists by then is removed (`removeLock`;
//!   no error if there is none): of two processes that saw it stale, one can remove what the other has just created,
//!   and both hold the lock.
//! - A failed attempt is ELOCKED, and is repeated up to `retries` times after pauses of `min_timeout * factor^n`, at
//!   most `max_timeout` (`retry.js`, `_createTimeout`; `randomize` is off). A request to stop does not end a pause.
//! - Every `update`, a timer in the holder's process checks whether the directory is still its own. If so, it is
//!   renewed; otherwise the lock is compromised (`updateLock`; the README's "Compromised"). Between two checks nothing
//!   is noticed.
//! - Timers do not run in a process that stands still ([`Fault::Stall`]); they are the first to run after that. A
//!   directory that is still its own by then is renewed, however old it is (`updateLock`, "we can still recover").
//! - A release removes whatever directory exists, without checking whose it is (`unlock`), unless a heartbeat has found
//!   the lock compromised: ERELEASED, nothing is removed. A process keeps one entry per file (`locks[file]`). If it has
//!   acquired the lock again since, a release of the earlier acquisition ends the later one, whose own release is then
//!   ERELEASED; if no entry is left, the release is ENOTACQUIRED.
//! - A lock that is dropped without a release stays held, and fresh while its process lives: JavaScript releases
//!   nothing by itself. A process that dies leaves the directory as it is. One that exits gracefully on request
//!   ([`Fault::Shutdown`]) removes the directory of its entry, even if another process owns it by then (README,
//!   "Graceful exit"; the trace has it as a request `exit`, with the fields of a release). A process whose actors
//!   have returned lives on, unless it was asked to stop.
//!
//! Not modelled: `mkdir`, the check of the time and the heartbeat's two calls as separate requests, between which
//! others may run; a file system that fails, or keeps whole seconds; a directory being identified by its time alone, so
//! that two created in one instant are confused; and the first lock of a process being dated up to a second ahead
//! (`probe` in `lib/mtime-precision.js`). A stall stops all timers of the process, but of its actors only the one at
//! which it was injected.
//!
//! [`Fault::Stall`]: crate::fault::Fault::Stall
//! [`Fault::Shutdown`]: crate::fault::Fault::Shutdown

use std::cell::{RefCell, RefMut};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::actor::Actor;
use crate::engine::Value;
use crate::footprint::Use;
use crate::part::{Hooks, Part};
use crate::point::{ActorId, PointKind, ProcessId};
use crate::trace::{EventKind, Field, Request, RequestKind};
use crate::world::World;

use self::directory::{Directory, Found};

mod directory;

/// Configuration of a lock.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Its name in the trace.
    pub name: &'static str,
    /// The time without a heartbeat after which any process may remove it.
    pub stale: Duration,
    /// The time between two heartbeats.
    pub update: Duration,
    /// How refused attempts are retried.
    pub retries: Retries,
}

/// How often a refused attempt is retried, and after which pauses.
#[derive(Clone, Copy, Debug)]
pub struct Retries {
    /// The number of attempts after the first.
    pub count: u32,
    /// The factor by which each pause is longer than the one before.
    pub factor: u32,
    /// The first pause.
    pub min_timeout: Duration,
    /// The longest pause.
    pub max_timeout: Duration,
}

/// A handle on a file lock; clones refer to the same lock. The directory outlives every process.
#[derive(Clone)]
pub struct FileLock {
    disk: Rc<Disk>,
}

/// The lock on disk, and the timers in the processes.
struct Disk {
    part: Part,
    settings: Settings,
    directory: RefCell<Directory>,
}

/// An acquired lock, which may have been lost since. Dropping it does not release it.
#[must_use = "what is dropped stays held"]
pub struct Held {
    actor: Actor,
    lock: FileLock,
    token: i64,
}

/// ELOCKED: every attempt found the lock taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locked;

/// Why a release removed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// ERELEASED: the lock is known to be compromised, or an earlier acquisition of the same process has released this
    /// one.
    Already,
    /// ENOTACQUIRED: the process has no entry for the lock. It has lost this one, and has acquired and released another
    /// since.
    NotAcquired,
}

impl World {
    /// Adds a file lock.
    ///
    /// # Panics
    /// The library would refuse or alter a setting: `stale` must be at least two seconds (its README says five),
    /// `update` at least one second and at most half of `stale`, and `max_timeout` at least `min_timeout`.
    pub fn file_lock(&self, settings: Settings) -> FileLock {
        let Settings { name, stale, update, retries } = settings;
        let part = self.part("file_lock", name);
        let taken =
            stale >= Duration::from_secs(2) && update >= Duration::from_secs(1) && update * 2 <= stale;
        assert!(taken, "the library does not take these times as they are: {settings:?}");
        assert!(retries.min_timeout <= retries.max_timeout, "min_timeout is greater than max_timeout");
        let directory = RefCell::new(Directory::new(stale, update));
        let disk = Rc::new(Disk { part, settings, directory });
        disk.part.on_process_events(disk.clone());
        FileLock { disk }
    }
}

impl FileLock {
    /// Tries to acquire the lock, as often as its settings say. Each attempt is a point; one that finds the directory
    /// stale has two more, `remove-stale` and `create`.
    ///
    /// # Errors
    /// The last attempt was refused too.
    pub async fn acquire(&self, actor: &Actor, label: &'static str) -> Result<Held, Locked> {
        let retries = self.disk.settings.retries;
        let mut wait = None;
        let mut retry = 0;
        loop {
            let made = self.attempt(actor, label).await;
            if let Err(holder) = made {
                wait.get_or_insert_with(|| actor.begin_wait("the file lock", vec![holder]));
            }
            if made.is_err() && retry < retries.count {
                self.pause(actor, retries.pause(retry)).await;
                retry += 1;
                continue;
            }
            if let Some(wait) = wait {
                wait.end(made.is_err());
            }
            let held = |token| Held { actor: actor.clone(), lock: self.clone(), token };
            return made.map(held).map_err(|_| Locked);
        }
    }

    /// One attempt: the token of the acquisition, or the actor that holds the lock.
    async fn attempt(&self, actor: &Actor, label: &'static str) -> Result<i64, ActorId> {
        let (found, made) = self.make(actor, label, true).await;
        if found != Found::Stale {
            return made;
        }
        let removed = |directory: &Directory, _| vec![("removed", token(directory.owner()))];
        self.call(actor, "remove-stale", removed, |directory, _| directory.remove()).await;
        self.make(actor, "create", false).await.1
    }

    /// Creates the directory if there is none; if there is one and `looks` is set, checks its time.
    async fn make(&self, actor: &Actor, label: &'static str, looks: bool) -> (Found, Result<i64, ActorId>) {
        let process = actor.process();
        let body = |directory: &Directory, now| {
            let found = directory.found(now, looks);
            let made = (found == Found::Free).then(|| directory.next_token());
            let own = directory.is_own(process);
            vec![("found", found.name().into()), ("token", token(made)), ("own", own.into())]
        };
        let effect = |directory: &mut Directory, now| {
            let found = directory.found(now, looks);
            let awake = self.disk.part.stands_still_until(process);
            let made = match directory.holder() {
                None => Ok(directory.create(actor.id(), process, now, awake)),
                Some(holder) => Err(holder),
            };
            (found, made)
        };
        self.call(actor, label, body, effect).await
    }

    /// Waits between two attempts. A request to stop ends a sleep, but not the library's timer, so the remaining time
    /// is slept as well.
    async fn pause(&self, actor: &Actor, pause: Duration) {
        let until = self.disk.part.now() + pause;
        actor.sleep("backoff", pause).await;
        while actor.is_stopping() && actor.now() < until {
            actor.sleep("backoff", until - self.disk.part.now()).await;
        }
    }

    /// A request to the file system. It is a step, because it is never lost.
    async fn call<T>(
        &self,
        actor: &Actor,
        label: &'static str,
        body: impl FnOnce(&Directory, Duration) -> Vec<Field>,
        effect: impl FnOnce(&mut Directory, Duration) -> T,
    ) -> T {
        let disk = &self.disk;
        let body = || body(&disk.look(Use::Write), disk.part.now());
        let effect = |_| effect(&mut disk.directory.borrow_mut(), disk.part.now());
        let answer = actor.exchange(PointKind::Step, label, disk.settings.name, body, effect).await;
        actor.busy_for(disk.part.cost().per_statement);
        answer.expect("a step is not lost on its way")
    }
}

impl Held {
    /// Releases the lock: removes whatever directory exists, even if another process owns it by then.
    ///
    /// # Errors
    /// Nothing is removed, because the process knows that it no longer has this lock.
    pub async fn release(self, label: &'static str) -> Result<(), Released> {
        let Held { actor, lock, token: mine } = &self;
        let process = actor.process();
        let body = |directory: &Directory, _| {
            let removed = directory.releases(*mine, process).ok().flatten();
            release_body(*mine, removed, directory.acquisition(*mine).is_compromised)
        };
        let effect = |directory: &mut Directory, now| {
            directory.release(*mine, process).map(|_| now - directory.acquisition(*mine).since)
        };
        let held = lock.call(actor, label, body, effect).await?;
        lock.disk.part.record(actor.id(), EventKind::Released(held));
        Ok(())
    }

    /// Whether a heartbeat has reported that the directory is another's or gone (`onCompromised`). The lock may be lost
    /// before a heartbeat notices.
    pub fn is_compromised(&self) -> bool {
        let disk = &self.lock.disk;
        disk.part.count_call();
        disk.look(Use::Read).acquisition(self.token).is_compromised
    }

    /// The number of this acquisition, counted by creations of the directory. The library has no such number: it exists
    /// for the trace, and for strategies that use a fencing token of their own.
    pub fn token(&self) -> i64 {
        self.token
    }
}

impl Retries {
    /// The pause before that retry, counted from 0.
    fn pause(self, retry: u32) -> Duration {
        let times = self.factor.saturating_pow(retry);
        self.min_timeout.saturating_mul(times).min(self.max_timeout)
    }
}

impl Disk {
    /// The directory and its timers as of now. Depends on the clock, because heartbeats do.
    fn look(&self, how: Use) -> RefMut<'_, Directory> {
        self.part.touch(None, how);
        let mut directory = self.directory.borrow_mut();
        directory.settle(self.part.now());
        directory
    }

    /// The same, if a heartbeat runs in that process.
    fn look_for(&self, process: ProcessId) -> Option<RefMut<'_, Directory>> {
        let concerns = self.directory.borrow().concerns(process);
        concerns.then(|| self.look(Use::Write))
    }
}

impl Hooks for Disk {
    /// The heartbeats of a process end with it.
    fn on_crash(&self, process: ProcessId) {
        if let Some(mut directory) = self.look_for(process) {
            directory.dies(process);
        }
    }

    fn on_stall(&self, process: ProcessId, until: Duration) {
        if let Some(mut directory) = self.look_for(process) {
            directory.stands_still(process, until);
        }
    }

    /// Removes the directory of a process that exits gracefully.
    fn on_exit(&self, process: ProcessId, actor: ActorId) {
        let exited = self.look_for(process).and_then(|mut directory| directory.exits(process));
        if let Some((mine, removed)) = exited {
            let body = release_body(mine, removed, false);
            let (kind, part) = (RequestKind::Call, self.settings.name);
            let request = Request { kind, label: "exit", part, body, arrived: true, heard: true };
            self.part.record(actor, EventKind::Requested(Rc::new(request)));
        }
    }
}

fn release_body(mine: i64, removed: Option<i64>, is_compromised: bool) -> Vec<Field> {
    vec![("token", mine.into()), ("removed", token(removed)), ("compromised", is_compromised.into())]
}

fn token(number: Option<i64>) -> Value {
    number.map_or(Value::Null, Value::Integer)
}

impl fmt::Debug for FileLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FileLock").field(&self.disk.settings.name).finish()
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("lock", &self.lock).field("token", &self.token).finish_non_exhaustive()
    }
}
