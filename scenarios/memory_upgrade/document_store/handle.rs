//! A process's handle on the store: which commit its reads see, and how it acquires the file lock. As in LanceDB, the
//! commits of other processes become visible only when the handle checks for them.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::{DocumentStore, UpdateError, WriteError};
use retrial_sim::actor::{Actor, Lost};
use retrial_sim::engine::Value;
use retrial_sim::fault::Fault;
use retrial_sim::footprint::Use;
use retrial_sim::part::Part;
use retrial_sim::parts::file_lock::Held;
use retrial_sim::point::PointKind;
use retrial_sim::trace::Field;

/// When a handle checks for commits of other processes: `readConsistencyInterval` of the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reads {
    /// At every read (interval 0).
    #[default]
    Latest,
    /// When that much time has passed since the last check.
    Within(Duration),
    /// Never (not set, LanceDB's default). The handle's own writes bring it up to date.
    AsOpened,
}

/// How a process opens the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handling {
    /// When its reads check for new commits.
    pub reads: Reads,
    /// Whether acquiring the lock first removes a lock file that is older than five minutes, and then fails because the
    /// file is missing (`runWithFileLock` at 2d56900: `unlinkSync`, and ENOENT from `realpath` in the library).
    pub clears_lock_file: bool,
}

/// The state of a handle.
#[derive(Debug, Default)]
pub(super) struct Handle {
    handling: Handling,
    /// The commit that its reads see, and when it checked; `None` before first use.
    sees: Cell<Option<(i64, Duration)>>,
}

/// The file that the lock is for. It is never written to, so its age counts from its creation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum LockFile {
    #[default]
    Absent,
    Made(Duration),
    /// Made long before the trial.
    Old,
}

/// `staleThresholdMs` of `runWithFileLock`.
const OLD: Duration = Duration::from_secs(5 * 60);

impl DocumentStore {
    /// A handle for another process, opened at its first use.
    #[must_use]
    pub fn opened(&self, handling: Handling) -> DocumentStore {
        let inner = self.inner.clone();
        inner.keeps_old.set(inner.keeps_old.get() || handling.reads != Reads::Latest);
        DocumentStore { inner, handle: Rc::new(Handle { handling, sees: Cell::default() }) }
    }

    /// Starts the trial with a lock file that was made long before it, as after five minutes without an update.
    pub fn has_old_lock_file(&self) {
        self.inner.lock_file.set(LockFile::Old);
    }

    /// `runWithFileLock`: does the work under the lock, and releases the lock whatever the result.
    ///
    /// # Errors
    /// The lock is taken, or there is no lock file. The work was not begun.
    pub async fn run_with_file_lock<T>(
        &self,
        actor: &Actor,
        work: impl AsyncFnOnce() -> T,
    ) -> Result<T, UpdateError> {
        let held = self.write_lock(actor).await?;
        let done = work().await;
        // A lock that was taken over meanwhile cannot be released; the work is done either way.
        let _ = held.release("unlock").await;
        Ok(done)
    }

    async fn write_lock(&self, actor: &Actor) -> Result<Held, UpdateError> {
        let inner = &self.inner;
        if self.handle.handling.clears_lock_file {
            inner.lock_file_part.touch(None, Use::Write);
            let now = inner.lock_file_part.now();
            match inner.lock_file.get() {
                LockFile::Absent => inner.lock_file.set(LockFile::Made(now)),
                LockFile::Made(made) if now - made <= OLD => {}
                LockFile::Made(_) | LockFile::Old => {
                    inner.lock_file.set(LockFile::Absent);
                    let removed = || vec![("error", Value::from("ENOENT"))];
                    let step = PointKind::Step;
                    let _ =
                        actor.exchange(step, "remove-lock-file", inner.part.name(), removed, |_| ()).await;
                    return Err(UpdateError::NoLockFile);
                }
            }
        }
        Ok(inner.lock.acquire(actor, "lock").await?)
    }

    /// The commit that a read sees now.
    fn as_of(&self) -> i64 {
        let latest = self.inner.commits.get();
        match (self.handle.handling.reads, self.handle.sees.get()) {
            (Reads::Latest, _) | (_, None) => latest,
            (Reads::Within(interval), Some((_, looked))) if self.inner.part.now() - looked >= interval => {
                latest
            }
            (_, Some((seen, _))) => seen,
        }
    }

    /// Whether a read may see more because time has passed.
    fn depends_on_time(&self) -> bool {
        matches!(self.handle.handling.reads, Reads::Within(_))
    }

    /// Brings the handle up to date with everything committed by now.
    fn looks(&self) {
        if self.handle.handling.reads != Reads::Latest {
            let inner = &self.inner;
            inner.part.touch(None, Use::Read);
            let now = if self.depends_on_time() { inner.part.now() } else { Duration::ZERO };
            self.handle.sees.set(Some((inner.commits.get(), now)));
        }
    }

    /// Reads; never fails. The trace records which commit was seen, unless the handle checks at every read.
    pub(super) async fn read<T>(
        &self,
        actor: &Actor,
        label: &'static str,
        rows: usize,
        body: impl FnOnce() -> Vec<Field>,
        effect: impl FnOnce(i64) -> T,
    ) -> T {
        let (part, handle) = (&self.inner.part, &self.handle);
        let body = || {
            let mut body = body();
            if handle.handling.reads != Reads::Latest {
                body.push(("as_of", Value::Integer(self.as_of())));
            }
            body
        };
        let effect = |_| {
            let as_of = self.as_of();
            if self.depends_on_time() {
                part.now();
                part.touch(None, Use::Read);
            }
            if handle.sees.get().is_none_or(|(seen, _)| seen != as_of) {
                self.looks();
            }
            effect(as_of)
        };
        let read = actor.exchange(PointKind::Step, label, part.name(), body, effect).await;
        actor.busy_for(cost(part, rows));
        read.expect("at a step nothing is lost on its way")
    }

    /// Commits through this handle. The commit applies to the current table, whatever the handle has seen, and brings
    /// the handle up to date.
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
        let written = actor.exchange(PointKind::Request, label, inner.part.name(), body, effect).await;
        actor.busy_for(cost(&inner.part, ids.len()));
        written.map_err(|Lost| WriteError::Unknown)
    }
}

/// How long an access to that many rows takes.
fn cost(part: &Part, rows: usize) -> Duration {
    part.cost().per_statement + part.cost().per_row * rows as u32
}
