//! The costs of a strategy in virtual time. They are read from timed trials only, because elsewhere the order of events
//! says nothing about durations.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::choice::Pace;
use crate::engine::Work;
use crate::trace::EventKind;
use crate::trial::Run;

/// The samples of many trials.
#[derive(Clone, Debug, Default)]
pub struct Costs {
    /// How long each write lock was held.
    pub lock_holds: Samples,
    /// How long each wait for a lock or a connection lasted.
    pub waits: Samples,
    /// How long each trial took until its last event.
    pub finishes: Samples,
    /// The number of statements sent.
    pub statements: u64,
    /// The number of statements that an actor sent again right after they had failed.
    pub retries: u64,
    /// The work of the statements that the scenario watches, by label.
    pub watched: BTreeMap<&'static str, Most>,
}

/// The most work that any statement of a label did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Most {
    /// The number of statements.
    pub statements: u64,
    /// [`Work::steps`](crate::engine::Work::steps).
    pub steps: u64,
    /// [`Work::full_scan_steps`](crate::engine::Work::full_scan_steps).
    pub full_scan_steps: u64,
}

impl Costs {
    /// Adds a trial, if it was timed; `watched` are the labels whose work is recorded.
    pub(crate) fn add(&mut self, run: &Run, watched: &[&'static str]) {
        if run.tape.pace != Pace::Timed {
            return;
        }
        let mut failed = vec![""; run.trace.cast.len()];
        for event in &run.trace.events {
            match &event.kind {
                EventKind::Released(held) => self.lock_holds.add(*held),
                EventKind::Resumed { waited, .. } => self.waits.add(*waited),
                EventKind::Ran(statement) => {
                    self.statements += 1;
                    let last = &mut failed[event.actor.index()];
                    self.retries += u64::from(*last == statement.label);
                    *last = if statement.result.is_err() { statement.label } else { "" };
                    if let Some(label) = watched.iter().find(|label| **label == statement.label) {
                        let Work { steps, full_scan_steps } = statement.work;
                        let most = Most { statements: 1, steps, full_scan_steps };
                        self.watched.entry(label).or_default().absorb(most);
                    }
                }
                _ => {}
            }
        }
        if let Some(last) = run.trace.events.last() {
            self.finishes.add(last.at);
        }
    }

    /// Adds the samples of other trials.
    pub fn absorb(&mut self, other: Costs) {
        self.lock_holds.absorb(other.lock_holds);
        self.waits.absorb(other.waits);
        self.finishes.absorb(other.finishes);
        self.statements += other.statements;
        self.retries += other.retries;
        for (label, most) in other.watched {
            self.watched.entry(label).or_default().absorb(most);
        }
    }
}

impl Most {
    fn absorb(&mut self, other: Most) {
        self.statements += other.statements;
        self.steps = self.steps.max(other.steps);
        self.full_scan_steps = self.full_scan_steps.max(other.full_scan_steps);
    }
}

/// Durations, each rounded up to two significant digits of microseconds to bound the memory used.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    counts: BTreeMap<u64, u64>,
    longest: Duration,
}

impl Samples {
    fn add(&mut self, sample: Duration) {
        let micros = sample.as_micros() as u64;
        let mut unit = 1;
        while micros / unit >= 100 {
            unit *= 10;
        }
        *self.counts.entry(micros.div_ceil(unit) * unit).or_default() += 1;
        self.longest = self.longest.max(sample);
    }

    fn absorb(&mut self, other: Samples) {
        for (micros, count) in other.counts {
            *self.counts.entry(micros).or_default() += count;
        }
        self.longest = self.longest.max(other.longest);
    }

    /// The number of samples.
    pub fn count(&self) -> u64 {
        self.counts.values().sum()
    }

    /// The longest sample, exact; none without samples.
    pub fn longest(&self) -> Option<Duration> {
        (!self.counts.is_empty()).then_some(self.longest)
    }

    /// The smallest rounded duration that `percent` of a hundred samples do not exceed; none without samples.
    pub fn percentile(&self, percent: u64) -> Option<Duration> {
        let rank = (self.count() * percent).div_ceil(100).max(1);
        let mut below = 0;
        let found = self.counts.iter().find(|(_, count)| {
            below += **count;
            below >= rank
        });
        found.map(|(micros, _)| Duration::from_micros(*micros).min(self.longest))
    }
}
