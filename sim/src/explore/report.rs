//! What trials have shown, added up batch by batch.

use std::collections::BTreeMap;

use crate::anomaly::Anomaly;
use crate::costs::Costs;
use crate::explore::search::Searched;
use crate::fault::Fault;
use crate::scheduler::Policy;
use crate::verdict::{Verdict, Witness};

/// What some trials of one strategy on one rung have shown.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Trials held.
    pub trials: u64,
    /// Steps taken in them.
    pub steps: u64,
    /// Trials held twice and compared.
    pub audited: u64,
    /// How two runs of one tape differed; a determinism failure.
    pub disagreement: Option<String>,
    /// What the engine refused.
    pub refused: Option<String>,
    /// One tally per invariant of the scenario, then the kernel's own.
    pub tallies: Vec<Tally>,
    /// How often each fault struck at points of that label.
    pub strikes: BTreeMap<(Fault, &'static str), u64>,
    /// The behaviours seen, each with the trial that showed it first.
    pub behaviours: BTreeMap<u64, u64>,
    /// What it cost.
    pub costs: Costs,
    /// How far the exhaustive search of the least workload got, if there was one.
    pub searched: Option<Searched>,
}

/// What some trials have shown of one invariant.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How often its situation came up.
    pub exercised: u64,
    /// Trials that broke it.
    pub violations: u64,
    /// What they showed.
    pub anomalies: BTreeMap<Anomaly, Shown>,
    /// The first such trial, counted from 1, and the policy that found it.
    pub first_violation: Option<(u64, Policy)>,
    /// Why a trial could not tell.
    pub unknown: Option<String>,
}

/// How often an anomaly was seen.
#[derive(Clone, Debug)]
pub struct Shown {
    /// In how many trials.
    pub trials: u64,
    /// The least of them.
    pub witness: Witness,
}

impl Tally {
    /// The least trial that broke it.
    pub fn witness(&self) -> Option<&Witness> {
        self.anomalies.values().map(|shown| &shown.witness).min_by_key(|witness| witness.size())
    }

    /// Enters what trials have shown.
    pub fn show(&mut self, anomaly: Anomaly, shown: Shown) {
        match self.anomalies.get_mut(&anomaly) {
            None => {
                self.anomalies.insert(anomaly, shown);
            }
            Some(known) => {
                known.trials += shown.trials;
                if shown.witness.size() < known.witness.size() {
                    known.witness = shown.witness;
                }
            }
        }
    }

    /// The verdict so far.
    pub fn verdict(&self) -> Verdict {
        match (self.witness(), &self.unknown) {
            (Some(witness), _) => Verdict::Violated(Box::new(witness.clone())),
            (None, Some(why)) => Verdict::Unknown(why.clone()),
            (None, None) if self.exercised == 0 => Verdict::NotExercised,
            (None, None) => Verdict::Holds { exercised: self.exercised },
        }
    }
}

impl Report {
    /// A report of no trials yet, about so many invariants and the kernel's own.
    pub(crate) fn about(invariants: usize) -> Report {
        Report { tallies: vec![Tally::default(); invariants + 1], ..Report::default() }
    }

    /// The trial at which the last new behaviour was seen.
    pub fn last_new_behaviour(&self) -> u64 {
        self.behaviours.values().copied().max().unwrap_or_default()
    }

    /// Adds the trials of a later batch.
    pub fn absorb(&mut self, later: Report) {
        let before = self.trials;
        self.trials += later.trials;
        self.steps += later.steps;
        self.audited += later.audited;
        self.disagreement = self.disagreement.take().or(later.disagreement);
        self.refused = self.refused.take().or(later.refused);
        if self.tallies.is_empty() {
            self.tallies.resize(later.tallies.len(), Tally::default());
        }
        for (tally, other) in self.tallies.iter_mut().zip(later.tallies) {
            tally.exercised += other.exercised;
            tally.violations += other.violations;
            other.anomalies.into_iter().for_each(|(anomaly, shown)| tally.show(anomaly, shown));
            tally.first_violation = tally
                .first_violation
                .or(other.first_violation.map(|(trial, policy)| (before + trial, policy)));
            tally.unknown = tally.unknown.take().or(other.unknown);
        }
        for (strike, times) in later.strikes {
            *self.strikes.entry(strike).or_default() += times;
        }
        for (behaviour, trial) in later.behaviours {
            self.behaviours.entry(behaviour).or_insert(before + trial);
        }
        self.searched = self.searched.or(later.searched);
        self.costs.absorb(later.costs);
    }
}
