//! A file lock across processes, as the library proper-lockfile (4.1.2, with `retry` 0.12) makes it of a directory:
//! whoever creates it holds the lock, and keeps its modification time fresh. It must never be safer than the library
//! is: two may hold it, and who has lost it may not know.
//!
//! Which rule follows which text (`lib/lockfile.js` of proper-lockfile by the names of its functions; its README):
//! - `mkdir` is atomic, and exclusive (README, "Design"). There is no account of who asks: a process that has the lock
//!   finds the directory as anybody else would, and is refused (`acquireLock`, on EEXIST).
//! - An attempt that finds the directory looks at its time. Is it older than `stale`, it is removed, and made anew
//!   without another look (`acquireLock` with `stale: 0`). What is removed is whatever is there by then
//!   (`removeLock`; no error where nothing is): of two who have seen it stale, one can remove what the other has just
//!   made, and both hold it.
//! - An attempt that fails is ELOCKED, and repeated up to `retries` times after pauses of `min_timeout * factor^n`,
//!   at most `max_timeout` (`retry.js`, `_createTimeout`; `randomize` is off). A request to stop ends no pause.
//! - Every `update` a timer of the holder's process looks whether the directory is its own still. It is renewed then;
//!   else the lock is compromised (`updateLock`; the README's "Compromised"). Between two such turns nobody notices
//!   anything.
//! - A timer does not run in a process that stands still ([`Fault::Stall`]); it is the first thing that runs after
//!   that. A directory that is its own by then is renewed, however old it is (`updateLock`, "we can still recover").
//! - A release removes whatever directory is there, without a look at whose it is (`unlock`), unless a heartbeat has
//!   found the lock compromised: ERELEASED, nothing is removed. A process's account of its locks has one entry for
//!   each file (`locks[file]`): if it has acquired the lock again since, a release of the earlier one ends the later
//!   one, whose own release is ERELEASED then; and where no entry is left the release is ENOTACQUIRED.
//! - What is dropped without a release stays held, and fresh for as long as its process lives: JavaScript releases
//!   nothing by itself. A process that dies leaves the directory as it is. One that ends in good order, because it
//!   was asked to ([`Fault::Shutdown`]), removes the directory in its account, whoever's it is by then (README,
//!   "Graceful exit"; the trace has it as an exchange `exit`, with the fields of a release). A process whose actors
//!   have returned lives on, unless it was asked to stop.
//!
//! Not modelled: that `mkdir`, the look at the time and the heartbeat's two calls are requests of their own, between
//! which others may move; a file system that fails, or keeps whole seconds; that a directory is told by its time
//! alone, so that two made in one instant are taken for each other; and that the first lock of a process is dated up
//! to a second ahead (`probe` in `lib/mtime-precision.js`). A stall stops all timers of the process, but of its
//! actors only the one that it struck.
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
use crate::point::{ActorId, PointKind};
use crate::trace::{EventKind, Exchange, Field};
use crate::world::{Shared, World};

use self::directory::{Directory, Found};

mod directory;

/// How a lock is set up.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Its name in the trace.
    pub name: &'static str,
    /// After how long without a heartbeat anybody may remove it.
    pub stale: Duration,
    /// The time between two heartbeats.
    pub update: Duration,
    /// How often whoever is refused tries again.
    pub retries: Retries,
}

/// How often whoever is refused tries again, and after what pauses.
#[derive(Clone, Copy, Debug)]
pub struct Retries {
    /// The attempts after the first.
    pub count: u32,
    /// By what each pause is longer than the one before.
    pub factor: u32,
    /// The first pause.
    pub min_timeout: Duration,
    /// The longest pause.
    pub max_timeout: Duration,
}

/// A file lock; cloning it gives another handle on the same one. The directory outlives every process.
#[derive(Clone)]
pub struct FileLock {
    shared: Rc<Shared>,
    disk: Rc<Disk>,
}

/// A lock of the world, as the kernel knows it.
pub(crate) struct Disk {
    settings: Settings,
    directory: RefCell<Directory>,
}

/// A lock that somebody has acquired, and may have lost since. Dropping it releases nothing.
#[must_use = "what is dropped stays held"]
pub struct Held {
    actor: Actor,
    lock: FileLock,
    token: i64,
}

/// ELOCKED: somebody else had it at every attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locked;

/// Why a release has removed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// ERELEASED: the lock is known to be compromised, or an earlier holder of the same process has released this one.
    Already,
    /// ENOTACQUIRED: the process knows of no lock. It has lost this one, and has acquired and released another since.
    NotAcquired,
}

impl World {
    /// Adds a file lock.
    ///
    /// # Panics
    /// Where the library would refuse or alter a setting: it takes no
    /// `stale` below two seconds (its README says five), no `update` below one second or above half of `stale`, no
    /// `max_timeout` below `min_timeout`.
    pub fn file_lock(&self, settings: Settings) -> FileLock {
        let Settings { name, stale, update, retries } = settings;
        self.shared.names_part(name);
        let taken =
            stale >= Duration::from_secs(2) && update >= Duration::from_secs(1) && update * 2 <= stale;
        assert!(taken, "the library does not take these times as they are: {settings:?}");
        assert!(retries.min_timeout <= retries.max_timeout, "min_timeout is greater than max_timeout");
        let directory = RefCell::new(Directory::new(stale, update));
        let disk = Rc::new(Disk { settings, directory });
        self.shared.file_locks.borrow_mut().push(disk.clone());
        FileLock { shared: self.shared.clone(), disk }
    }
}

impl FileLock {
    /// Tries to acquire the lock, as often as its settings say. Each attempt is a point; one that finds the directory
    /// stale has two more, `remove-stale` and `create`.
    ///
    /// # Errors
    /// The last attempt was refused as well.
    pub async fn acquire(&self, actor: &Actor, label: &'static str) -> Result<Held, Locked> {
        let retries = self.disk.settings.retries;
        let mut waits_since = None;
        let mut retry = 0;
        loop {
            let made = self.attempt(actor, label).await;
            let now = self.shared.now.get();
            if let Err(holder) = made
                && waits_since.is_none()
            {
                waits_since = Some(now);
                self.shared
                    .record(actor.id, EventKind::Waits { resource: "the file lock", holders: vec![holder] });
            }
            if made.is_err() && retry < retries.count {
                self.pause(actor, retries.pause(retry)).await;
                retry += 1;
                continue;
            }
            if let Some(since) = waits_since {
                let (waited, timed_out) = (now - since, made.is_err());
                self.shared.record(actor.id, EventKind::Resumed { waited, timed_out });
            }
            let held = |token| Held { actor: actor.clone(), lock: self.clone(), token };
            return made.map(held).map_err(|_| Locked);
        }
    }

    /// One attempt: the token of the acquisition, or who holds the lock.
    async fn attempt(&self, actor: &Actor, label: &'static str) -> Result<i64, ActorId> {
        let (found, made) = self.make(actor, label, true).await;
        if found != Found::Stale {
            return made;
        }
        let removed = |directory: &Directory, _| vec![("removed", token(directory.owner()))];
        self.call(actor, "remove-stale", removed, |directory, _| directory.remove()).await;
        self.make(actor, "create", false).await.1
    }

    /// Makes the directory, unless there is one: then it `looks` at its time, or does not.
    async fn make(&self, actor: &Actor, label: &'static str, looks: bool) -> (Found, Result<i64, ActorId>) {
        let process = self.shared.process_of(actor.id);
        let body = |directory: &Directory, now| {
            let found = directory.found(now, looks);
            let made = (found == Found::Free).then(|| directory.next_token());
            let own = directory.is_own(process);
            vec![("found", found.name().into()), ("token", token(made)), ("own", own.into())]
        };
        let effect = |directory: &mut Directory, now| {
            let found = directory.found(now, looks);
            let awake = self.shared.processes.borrow()[process].stands_still_until;
            let made = match directory.holder() {
                None => Ok(directory.create(actor.id, process, now, awake)),
                Some(holder) => Err(holder),
            };
            (found, made)
        };
        self.call(actor, label, body, effect).await
    }

    /// Waits between two attempts, also where a request to stop ends the sleep: a timer of the library's does not hear
    /// of it.
    async fn pause(&self, actor: &Actor, pause: Duration) {
        let until = self.shared.now.get() + pause;
        actor.sleep("backoff", pause).await;
        while actor.is_stopping() && actor.now() < until {
            actor.sleep("backoff", until - self.shared.now.get()).await;
        }
    }

    /// A request to the file system: a step, because none is lost on its way.
    async fn call<T>(
        &self,
        actor: &Actor,
        label: &'static str,
        body: impl FnOnce(&Directory, Duration) -> Vec<Field>,
        effect: impl FnOnce(&mut Directory, Duration) -> T,
    ) -> T {
        let (shared, disk) = (&self.shared, &self.disk);
        let body = || body(&disk.look(shared, Use::Write), shared.now.get());
        let effect = |_| effect(&mut disk.directory.borrow_mut(), shared.now.get());
        let answer = actor.exchange(PointKind::Step, label, disk.settings.name, body, effect).await;
        actor.busy_for(shared.cost.per_statement);
        answer.expect("a step is not lost on its way")
    }
}

impl Held {
    /// Releases the lock: removes whatever directory is there, whoever's it is by then.
    ///
    /// # Errors
    /// Nothing is removed, because the process knows that it has not got this lock any more.
    pub async fn release(self, label: &'static str) -> Result<(), Released> {
        let Held { actor, lock, token: mine } = &self;
        let process = lock.shared.process_of(actor.id);
        let body = |directory: &Directory, _| {
            let removed = directory.releases(*mine, process).ok().flatten();
            release_body(*mine, removed, directory.acquisition(*mine).is_compromised)
        };
        let effect = |directory: &mut Directory, now| {
            directory.release(*mine, process).map(|_| now - directory.acquisition(*mine).since)
        };
        let held = lock.call(actor, label, body, effect).await?;
        lock.shared.record(actor.id, EventKind::Released(held));
        Ok(())
    }

    /// What the holder has been told by now: whether a heartbeat has found the directory to be another's, or gone
    /// (`onCompromised`). It may be so already without any having looked.
    pub fn is_compromised(&self) -> bool {
        let FileLock { shared, disk } = &self.lock;
        shared.count_call();
        disk.look(shared, Use::Read).acquisition(self.token).is_compromised
    }

    /// The number of this acquisition, counted by creations of the directory. The library gives none: it is an
    /// account of the trial's, for its trace, and for candidates that fence by a number of their own.
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
    /// The directory and its timers as they are now: what is seen goes by the clock, because heartbeats do.
    fn look(&self, shared: &Shared, how: Use) -> RefMut<'_, Directory> {
        shared.looks_at_clock();
        shared.touch("file_lock", self.settings.name, None, how);
        let mut directory = self.directory.borrow_mut();
        directory.settle(shared.now.get());
        directory
    }
}

impl Shared {
    /// The process dies, and its heartbeats with it.
    pub(crate) fn lets_locks_age(&self, process: usize) {
        self.each_lock_of(process, |_, directory| directory.dies(process));
    }

    /// The process stands still from now until then, and its timers with it.
    pub(crate) fn holds_timers_up(&self, process: usize, until: Duration) {
        self.each_lock_of(process, |_, directory| directory.stands_still(process, until));
        let cell = &mut self.processes.borrow_mut()[process];
        cell.stands_still_until = cell.stands_still_until.max(until);
    }

    /// The process ends in good order, and removes what it takes for its locks; the trace has it as that actor's doing.
    pub(crate) fn removes_locks(&self, process: usize, actor: ActorId) {
        self.each_lock_of(process, |part, directory| {
            if let Some((mine, removed)) = directory.exits(process) {
                let body = release_body(mine, removed, false);
                let exchange = Exchange { label: "exit", part, body, arrived: true, heard: true };
                self.record(actor, EventKind::Exchanged(Rc::new(exchange)));
            }
        });
    }

    /// Does something with each lock of which a heartbeat runs in that process.
    fn each_lock_of(&self, process: usize, mut act: impl FnMut(&'static str, &mut Directory)) {
        for lock in self.file_locks.borrow().iter() {
            if lock.directory.borrow().concerns(process) {
                act(lock.settings.name, &mut lock.look(self, Use::Write));
            }
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
