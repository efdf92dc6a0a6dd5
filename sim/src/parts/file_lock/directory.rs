//! The directory on disk that is a file lock, and the timers in the processes that keep it fresh. No heartbeat runs in
//! a process that is dead or stalled. Actors' points are not known here.
//!
//! Timers have no actors of their own. [`Directory::settle`] applies the heartbeats since the last access and has to
//! precede every other operation. Between two accesses the owner of the directory does not change, so each timer has
//! either renewed the directory every time, or found at its first turn that it is gone.

use std::time::Duration;

use super::Released;
use crate::point::{ActorId, ProcessId};

/// A directory that may exist, and all acquisitions so far.
#[derive(Debug)]
pub(crate) struct Directory {
    stale: Duration,
    update: Duration,
    there: Option<There>,
    /// In the order of their tokens, which count from 1.
    acquisitions: Vec<Acquisition>,
    /// The running heartbeats, in the order of their acquisitions.
    timers: Vec<Timer>,
}

#[derive(Debug)]
struct There {
    token: i64,
    mtime: Duration,
}

/// What the library keeps about a lock in the memory of the process that acquired it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Acquisition {
    pub(super) actor: ActorId,
    /// When the directory was created.
    pub(super) since: Duration,
    /// Whether a heartbeat has found that the directory is not its own.
    pub(super) is_compromised: bool,
    /// Whether any actor of its process has released it.
    is_released: bool,
}

#[derive(Debug)]
struct Timer {
    token: i64,
    process: ProcessId,
    due: Duration,
    /// Whether it is its process's entry for the file. A process has one entry per file: the lock acquired last.
    is_listed: bool,
}

/// What an attempt to acquire the lock finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Free,
    Held,
    Stale,
}

impl Found {
    pub(super) fn name(self) -> &'static str {
        match self {
            Found::Free => "free",
            Found::Held => "held",
            Found::Stale => "stale",
        }
    }
}

impl Directory {
    pub(super) fn new(stale: Duration, update: Duration) -> Directory {
        Directory { stale, update, there: None, acquisitions: Vec::new(), timers: Vec::new() }
    }

    /// Applies every heartbeat that was due by then.
    pub(super) fn settle(&mut self, now: Duration) {
        let (there, update, acquisitions) = (&mut self.there, self.update, &mut self.acquisitions);
        self.timers.retain_mut(|timer| {
            if timer.due > now {
                return true;
            }
            match there {
                Some(there) if there.token == timer.token => {
                    let late = (now - timer.due).as_nanos() % update.as_nanos();
                    there.mtime = now - Duration::from_nanos(late as u64);
                    timer.due = there.mtime + update;
                    true
                }
                _ => {
                    acquisitions[index(timer.token)].is_compromised = true;
                    false
                }
            }
        });
    }

    /// What `mkdir` finds. If `looks`, the age of an existing directory counts too.
    pub(super) fn found(&self, now: Duration, looks: bool) -> Found {
        match &self.there {
            None => Found::Free,
            Some(there) if looks && now - there.mtime > self.stale => Found::Stale,
            Some(_) => Found::Held,
        }
    }

    /// The token that the next acquisition gets.
    pub(super) fn next_token(&self) -> i64 {
        self.acquisitions.len() as i64 + 1
    }

    /// The token of the existing directory.
    pub(super) fn owner(&self) -> Option<i64> {
        self.there.as_ref().map(|there| there.token)
    }

    /// The actor that created the existing directory.
    pub(super) fn holder(&self) -> Option<ActorId> {
        self.owner().map(|token| self.acquisition(token).actor)
    }

    /// Whether that process created the existing directory and has not died since, so that its heartbeat runs.
    pub(super) fn is_own(&self, process: ProcessId) -> bool {
        let own = |timer: &Timer| timer.process == process && self.owner() == Some(timer.token);
        self.timers.iter().any(own)
    }

    pub(super) fn acquisition(&self, token: i64) -> Acquisition {
        self.acquisitions[index(token)]
    }

    /// Creates the directory and starts its heartbeat. The timers of a stalled process go on at `awake`.
    pub(super) fn create(
        &mut self,
        actor: ActorId,
        process: ProcessId,
        now: Duration,
        awake: Duration,
    ) -> i64 {
        let token = self.next_token();
        self.there = Some(There { token, mtime: now });
        let (is_compromised, is_released) = (false, false);
        self.acquisitions.push(Acquisition { actor, since: now, is_compromised, is_released });
        self.listed(process).for_each(|timer| timer.is_listed = false);
        let due = (now + self.update).max(awake);
        self.timers.push(Timer { token, process, due, is_listed: true });
        token
    }

    /// Removes the existing directory, whichever it is, and returns its token.
    pub(super) fn remove(&mut self) -> Option<i64> {
        self.there.take().map(|there| there.token)
    }

    /// The token of the directory that [`Directory::release`] would remove.
    ///
    /// # Errors
    /// Why a release would remove nothing.
    pub(super) fn releases(&self, token: i64, process: ProcessId) -> Result<Option<i64>, Released> {
        let Acquisition { is_compromised, is_released, .. } = self.acquisition(token);
        if is_compromised || is_released {
            return Err(Released::Already);
        }
        let is_listed = |timer: &Timer| timer.process == process && timer.is_listed;
        if self.timers.iter().any(is_listed) { Ok(self.owner()) } else { Err(Released::NotAcquired) }
    }

    /// Ends the lock that the process has listed, which need not be the one that `token` means, and removes the
    /// existing directory, whichever it is.
    ///
    /// # Errors
    /// Why nothing is removed.
    pub(super) fn release(&mut self, token: i64, process: ProcessId) -> Result<Option<i64>, Released> {
        self.releases(token, process)?;
        self.unlist(process);
        Ok(self.remove())
    }

    /// Stalls the process and its timers until then. Timers that fall due meanwhile run first after that.
    pub(super) fn stands_still(&mut self, process: ProcessId, until: Duration) {
        let mine = self.timers.iter_mut().filter(|timer| timer.process == process);
        mine.for_each(|timer| timer.due = timer.due.max(until));
    }

    /// The process exits in good order and removes the existing directory, whichever it is, if it has a lock listed.
    /// Returns the tokens of the listed lock and of the removed directory.
    pub(super) fn exits(&mut self, process: ProcessId) -> Option<(i64, Option<i64>)> {
        let listed = self.listed(process).next().map(|timer| timer.token);
        self.dies(process);
        listed.map(|token| (token, self.remove()))
    }

    /// The process dies and loses what it had in memory.
    pub(super) fn dies(&mut self, process: ProcessId) {
        self.timers.retain(|timer| timer.process != process);
    }

    /// Whether a heartbeat of that process runs.
    pub(super) fn concerns(&self, process: ProcessId) -> bool {
        self.timers.iter().any(|timer| timer.process == process)
    }

    fn listed(&mut self, process: ProcessId) -> impl Iterator<Item = &mut Timer> {
        self.timers.iter_mut().filter(move |timer| timer.process == process && timer.is_listed)
    }

    fn unlist(&mut self, process: ProcessId) {
        let acquisitions = &mut self.acquisitions;
        self.timers.retain(|timer| {
            let ends = timer.process == process && timer.is_listed;
            acquisitions[index(timer.token)].is_released |= ends;
            !ends
        });
    }
}

fn index(token: i64) -> usize {
    token as usize - 1
}
