//! The directory that a file lock is, as it lies on the disk, and the timers in the processes that keep it fresh. It
//! must know nothing of actors' points, and never let a heartbeat run in a process that is dead or stands still.
//!
//! No timer has an actor of its own. What the heartbeats have done since somebody last looked is made up for by
//! [`Directory::settle`], which comes before everything else that is done here; in between nothing changes whose
//! directory it is, so each timer has either renewed it all the time or has found at its first turn that it is gone.

use std::time::Duration;

use super::Released;
use crate::point::ActorId;

/// A directory that may be there, and everyone who ever made it.
#[derive(Debug)]
pub(crate) struct Directory {
    stale: Duration,
    update: Duration,
    there: Option<There>,
    /// By their tokens, which count from 1.
    acquisitions: Vec<Acquisition>,
    /// The heartbeats that run, in the order of their acquisitions.
    timers: Vec<Timer>,
}

#[derive(Debug)]
struct There {
    token: i64,
    mtime: Duration,
}

/// What the library keeps of a lock in the memory of the process that made it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Acquisition {
    pub(super) actor: ActorId,
    /// When the directory was made.
    pub(super) since: Duration,
    /// A heartbeat has found that the directory is not its own.
    pub(super) is_compromised: bool,
    /// It has been released, by whomever of its process.
    is_released: bool,
}

#[derive(Debug)]
struct Timer {
    token: i64,
    process: usize,
    due: Duration,
    /// Its process's account of its locks has one entry for each file: the last one that it acquired.
    is_listed: bool,
}

/// What an attempt finds.
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

    /// Lets every heartbeat that was due by then have happened.
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

    /// What `mkdir` finds, and where somebody `looks`, a look at the time of what is there.
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

    /// Whose directory is there.
    pub(super) fn owner(&self) -> Option<i64> {
        self.there.as_ref().map(|there| there.token)
    }

    /// Who made the directory that is there.
    pub(super) fn holder(&self) -> Option<ActorId> {
        self.owner().map(|token| self.acquisition(token).actor)
    }

    /// Whether the directory that is there was made by that process, which has not died since. Its heartbeat runs,
    /// then.
    pub(super) fn is_own(&self, process: usize) -> bool {
        let own = |timer: &Timer| timer.process == process && self.owner() == Some(timer.token);
        self.timers.iter().any(own)
    }

    pub(super) fn acquisition(&self, token: i64) -> Acquisition {
        self.acquisitions[index(token)]
    }

    /// Makes the directory, and starts its heartbeat; the timers of a process that stands still go on at `awake`.
    pub(super) fn create(&mut self, actor: ActorId, process: usize, now: Duration, awake: Duration) -> i64 {
        let token = self.next_token();
        self.there = Some(There { token, mtime: now });
        let (is_compromised, is_released) = (false, false);
        self.acquisitions.push(Acquisition { actor, since: now, is_compromised, is_released });
        self.listed(process).for_each(|timer| timer.is_listed = false);
        let due = (now + self.update).max(awake);
        self.timers.push(Timer { token, process, due, is_listed: true });
        token
    }

    /// Removes whatever directory is there, and tells whose it was.
    pub(super) fn remove(&mut self) -> Option<i64> {
        self.there.take().map(|there| there.token)
    }

    /// What a release would remove: see [`Directory::release`].
    ///
    /// # Errors
    /// Nothing is removed.
    pub(super) fn releases(&self, token: i64, process: usize) -> Result<Option<i64>, Released> {
        let Acquisition { is_compromised, is_released, .. } = self.acquisition(token);
        if is_compromised || is_released {
            return Err(Released::Already);
        }
        let is_listed = |timer: &Timer| timer.process == process && timer.is_listed;
        if self.timers.iter().any(is_listed) { Ok(self.owner()) } else { Err(Released::NotAcquired) }
    }

    /// Ends what the process has listed as its lock, which need not be the one that is meant, and removes whatever
    /// directory is there.
    ///
    /// # Errors
    /// Nothing is removed.
    pub(super) fn release(&mut self, token: i64, process: usize) -> Result<Option<i64>, Released> {
        self.releases(token, process)?;
        self.strike_off(process);
        Ok(self.remove())
    }

    /// The process stands still until then, and its timers with it; those that fall due meanwhile come first after
    /// that.
    pub(super) fn stands_still(&mut self, process: usize, until: Duration) {
        let mine = self.timers.iter_mut().filter(|timer| timer.process == process);
        mine.for_each(|timer| timer.due = timer.due.max(until));
    }

    /// The process ends in good order: the lock that it has listed is removed, whoever's directory is there. Tells the
    /// listed lock and what was removed.
    pub(super) fn exits(&mut self, process: usize) -> Option<(i64, Option<i64>)> {
        let listed = self.listed(process).next().map(|timer| timer.token);
        self.dies(process);
        listed.map(|token| (token, self.remove()))
    }

    /// The process is gone, and whatever it had in memory.
    pub(super) fn dies(&mut self, process: usize) {
        self.timers.retain(|timer| timer.process != process);
    }

    /// Whether a heartbeat of that process runs.
    pub(super) fn concerns(&self, process: usize) -> bool {
        self.timers.iter().any(|timer| timer.process == process)
    }

    fn listed(&mut self, process: usize) -> impl Iterator<Item = &mut Timer> {
        self.timers.iter_mut().filter(move |timer| timer.process == process && timer.is_listed)
    }

    fn strike_off(&mut self, process: usize) {
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
