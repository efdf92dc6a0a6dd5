//! Statistics of a run, which show that it was not vacuous. They count only what both sides agreed on.

use std::collections::BTreeMap;
use std::fmt;

use retrial_engines::console::Message;

use super::kind::{KINDS, Kind};

/// The counts of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) schedules: u64,
    pub(super) statements: u64,
    pub(super) waits: u64,
    pub(super) races: u64,
    /// Differences that were not reproduced when the schedule was run again.
    pub(super) unrepeated: u64,
    pub(super) errors: BTreeMap<String, u64>,
    pub(super) refusals: BTreeMap<String, u64>,
    /// The number of schedules of each kind that were drawn, and of those that ran to completion.
    pub(super) kinds: BTreeMap<Kind, (u64, u64)>,
}

impl Tally {
    pub(super) fn said(&mut self, messages: &[Message]) {
        for message in messages {
            if let Message::Error { code, .. } = message {
                *self.errors.entry(code.clone()).or_default() += 1;
            }
        }
    }

    pub(super) fn add(&mut self, other: &Tally) {
        self.schedules += other.schedules;
        self.statements += other.statements;
        self.waits += other.waits;
        self.races += other.races;
        self.unrepeated += other.unrepeated;
        for (kind, (drawn, whole)) in &other.kinds {
            let counts = self.kinds.entry(*kind).or_default();
            *counts = (counts.0 + drawn, counts.1 + whole);
        }
        for (into, from) in [(&mut self.errors, &other.errors), (&mut self.refusals, &other.refusals)] {
            from.iter().for_each(|(key, count)| *into.entry(key.clone()).or_default() += count);
        }
    }

    /// Asserts that the run has exercised enough of everything that matters, in proportion to its schedules.
    pub(super) fn demand(&self) {
        let most = |thousand: u64| thousand * self.schedules / 1000;
        assert!(self.waits >= most(500), "few waits: {self}");
        // Programs of transactions, which cause most of these errors, are a third of all schedules.
        let least = [("40P01", 4), ("40001", 10), ("23505", 100), ("23503", 50), ("55P03", 20)];
        for (code, thousand) in least {
            let met = self.errors.get(code).copied().unwrap_or(0);
            assert!(met >= most(thousand), "few {code}: {self}");
        }
        for (kind, name, share) in KINDS {
            let (_, whole) = self.kinds.get(&kind).copied().unwrap_or_default();
            assert!(whole >= share * self.schedules / 200, "few went to their end of {name}: {self}");
        }
        assert!(self.refusals.values().sum::<u64>() <= most(50), "many refusals: {self}");
        assert!(self.races <= most(500), "many races: {self}");
        assert!(self.unrepeated <= most(5).max(2), "many differences that did not repeat: {self}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |counts: &BTreeMap<String, u64>| {
            let items: Vec<String> = counts.iter().map(|(key, count)| format!("{key} {count}")).collect();
            if items.is_empty() { "none".to_owned() } else { items.join(", ") }
        };
        let kind =
            |(kind, (drawn, whole)): (&Kind, &(u64, u64))| format!("{} {whole} of {drawn}", kind.name());
        let kinds: Vec<String> = self.kinds.iter().map(kind).collect();
        write!(
            f,
            "{} schedules, {} statements, {} waits; to their end: {}; errors: {}; refusals: {}; {} races left out, \
             {} unrepeated",
            self.schedules,
            self.statements,
            self.waits,
            kinds.join(", "),
            listed(&self.errors),
            listed(&self.refusals),
            self.races,
            self.unrepeated
        )
    }
}
