//! A process's handle on the store: as of which commit its reads see the table, and how it comes by the file lock. It
//! must never show a process more than LanceDB would: what others have committed shows when the handle looks for it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::{DocumentStore, UpdateError, WriteError};
use crate::actor::{Actor, Lost};
use crate::engine::Value;
use crate::fault::Fault;
use crate::file_lock::Held;
use crate::footprint::Use;
use crate::point::PointKind;
use crate::trace::Field;

/// When a handle looks for what other processes have committed: `readConsistencyInterval` of the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reads {
    /// At every read: 0.
    #[default]
    Latest,
    /// When that much time has passed since it last did.
    Within(Duration),
    /// Never: not set, which is the default. Its own writes bring it up to date.
    AsOpened,
}

/// How a process opens the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handling {
    /// What its reads see.
    pub reads: Reads,
    /// Whether whoever asks for the lock first removes a lock file that is older than five minutes, and then fails
    /// because there is none (`runWithFileLock` at 2d56900: `unlinkSync`, and ENOENT from `realpath` in the library).
    pub clears_lock_file: bool,
}

/// A handle.
#[derive(Debug, Default)]
pub(super) struct Handle {
    handling: Handling,
    /// The commit as of which it sees the table, and when it looked; none before it is first used.
    sees: Cell<Option<(i64, Duration)>>,
}

/// The file that the lock is beside. Nobody ever writes to it, so its age counts from when it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum LockFile {
    #[default]
    Absent,
    Made(Duration),
    /// Long before the trial.
    Old,
}

/// `staleThresholdMs` of `runWithFileLock`.
const OLD: Duration = Duration::from_secs(5 * 60);

impl DocumentStore {
    /// A handle of another process's, opened when it is first used.
    #[must_use]
    pub fn opened(&self, handling: Handling) -> DocumentStore {
        let inner = self.inner.clone();
        inner.keeps_old.set(inner.keeps_old.get() || handling.reads != Reads::Latest);
        DocumentStore { inner, handle: Rc::new(Handle { handling, sees: Cell::default() }) }
    }

    /// The lock file was made long before the trial, as it is after five quiet minutes.
    pub fn has_old_lock_file(&self) {
        self.inner.lock_file.set(LockFile::Old);
    }

    /// `runWithFileLock`: does the work under the lock, and lets go of it whatever the work came to.
    ///
    /// # Errors
    /// Somebody else has the lock, or there is no lock file; the work was not begun.
    pub async fn run_with_file_lock<T>(
        &self,
        actor: &Actor,
        work: impl AsyncFnOnce() -> T,
    ) -> Result<T, UpdateError> {
        let held = self.write_lock(actor).await?;
        let done = work().await;
        // A lock that was taken over meanwhile is nobody's to release, and the work is done either way.
        let _ = held.release("unlock").await;
        Ok(done)
    }

    async fn write_lock(&self, actor: &Actor) -> Result<Held, UpdateError> {
        let inner = &self.inner;
        if self.handle.handling.clears_lock_file {
            inner.shared.looks_at_clock();
            inner.shared.touch("lock_file", inner.name, None, Use::Write);
            let now = inner.shared.now.get();
            match inner.lock_file.get() {
                LockFile::Absent => inner.lock_file.set(LockFile::Made(now)),
                LockFile::Made(made) if now - made <= OLD => {}
                LockFile::Made(_) | LockFile::Old => {
                    inner.lock_file.set(LockFile::Absent);
                    let removed = || vec![("error", Value::from("ENOENT"))];
                    let step = PointKind::Step;
                    let _ = actor.exchange(step, "remove-lock-file", inner.name, removed, |_| ()).await;
                    return Err(UpdateError::NoLockFile);
                }
            }
        }
        Ok(inner.lock.acquire(actor, "lock").await?)
    }

    /// As of which commit a read sees the table now.
    fn as_of(&self) -> i64 {
        let (latest, now) = (self.inner.commits.get(), self.inner.shared.now.get());
        match (self.handle.handling.reads, self.handle.sees.get()) {
            (Reads::Latest, _) | (_, None) => latest,
            (Reads::Within(interval), Some((_, looked))) if now - looked >= interval => latest,
            (_, Some((seen, _))) => seen,
        }
    }

    /// The handle sees everything that is committed by now.
    fn looks(&self) {
        if self.handle.handling.reads != Reads::Latest {
            let inner = &self.inner;
            inner.shared.touch("document_store", inner.name, None, Use::Read);
            self.handle.sees.set(Some((inner.commits.get(), inner.shared.now.get())));
        }
    }

    /// A read, which does not fail. The trace has as of which commit it is, where the handle does not look each time.
    pub(super) async fn read<T>(
        &self,
        actor: &Actor,
        label: &'static str,
        rows: usize,
        body: impl FnOnce() -> Vec<Field>,
        effect: impl FnOnce(i64) -> T,
    ) -> T {
        let (shared, handle) = (&self.inner.shared, &self.handle);
        let body = || {
            let mut body = body();
            if handle.handling.reads != Reads::Latest {
                body.push(("as_of", Value::Integer(self.as_of())));
            }
            body
        };
        let effect = |_| {
            let as_of = self.as_of();
            if matches!(handle.handling.reads, Reads::Within(_)) {
                shared.looks_at_clock();
                shared.touch("document_store", self.inner.name, None, Use::Read);
            }
            if handle.sees.get().is_none_or(|(seen, _)| seen != as_of) {
                self.looks();
            }
            effect(as_of)
        };
        let read = actor.exchange(PointKind::Step, label, self.inner.name, body, effect).await;
        actor.busy_for(shared.cost.per_statement + shared.cost.per_row * rows as u32);
        read.expect("at a step nothing is lost on its way")
    }

    /// A commit, as its writer sees it. It is on the table as it is, whatever the handle has seen, and the handle sees
    /// the table with it.
    pub(super) async fn write<T>(
        &self,
        actor: &Actor,
        label: &'static str,
        ids: &[i64],
        effect: impl FnOnce(Option<Fault>) -> T,
    ) -> Result<T, WriteError> {
        let inner = &self.inner;
        let body = || match ids {
            [id] => vec![("id", Value::Integer(*id))],
            _ => vec![("rows", Value::Integer(ids.len() as i64))],
        };
        let effect = |fault| {
            let effect = effect(fault);
            self.looks();
            effect
        };
        let written = actor.exchange(PointKind::Request, label, inner.name, body, effect).await;
        actor.busy_for(inner.shared.cost.per_statement + inner.shared.cost.per_row * ids.len() as u32);
        written.map_err(|Lost| WriteError::Unknown)
    }
}
