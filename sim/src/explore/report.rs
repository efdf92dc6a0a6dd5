//! The results of trials, added up batch by batch.

use std::collections::BTreeMap;

use crate::anomaly::Anomaly;
use crate::error::Error;
use crate::explore::case::Case;
use crate::explore::costs::Costs;
use crate::explore::search::Searched;
use crate::explore::verdict::{Counterexample, Verdict};
use crate::fault::Fault;
use crate::rules::Demand;
use crate::scenario::{Conditions, Scenario};
use crate::scheduler::Policy;

/// The results of trials of one strategy in one environment.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Trials run.
    pub trials: u64,
    /// Steps taken in them.
    pub steps: u64,
    /// Trials that were re-run and compared.
    pub audited: u64,
    /// How two runs of one tape differed; a determinism failure.
    pub disagreement: Option<String>,
    /// How the verdicts of two runs of one tape differed on a live server, which orders waiters itself.
    pub unsteady: Option<String>,
    /// What ended the trials early.
    pub failure: Option<Failure>,
    /// The trial in which an invariant could not be evaluated.
    pub(super) failed_case: Option<Case>,
    /// One tally per invariant of the scenario, then one per built-in rule of a trial that is on.
    pub tallies: Vec<Tally>,
    /// How often each fault was injected, by label of the point.
    pub injected: BTreeMap<(Fault, &'static str), u64>,
    /// The behaviours seen, each with the trial that showed it first.
    pub behaviours: BTreeMap<u64, u64>,
    /// The costs.
    pub costs: Costs,
    /// How far the exhaustive search of the smallest workload got, if there was one.
    pub searched: Option<Searched>,
}

/// What ended the trials of a strategy in an environment early.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The error; its kind says whether the machine, the scenario or a file is at fault.
    pub error: Error,
    /// The trial that failed, if it can be replayed.
    pub case: Option<Case>,
}

/// The results of trials for one invariant.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How often its situation came up.
    pub exercised: u64,
    /// Trials that violated it.
    pub violations: u64,
    /// The anomalies that these trials showed.
    pub anomalies: BTreeMap<Anomaly, Shown>,
    /// The first such trial, counted from 1, and the policy that found it.
    pub first_violation: Option<(u64, Policy)>,
    /// Why a trial was inconclusive.
    pub unknown: Option<String>,
    /// Which trials must satisfy it.
    pub demand: Demand,
}

/// How often an anomaly was seen.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The number of trials that showed it.
    pub trials: u64,
    /// The smallest of them.
    pub counterexample: Counterexample,
}

impl Tally {
    /// The smallest counterexample.
    pub fn counterexample(&self) -> Option<&Counterexample> {
        self.anomalies
            .values()
            .map(|shown| &shown.counterexample)
            .min_by_key(|counterexample| counterexample.size())
    }

    /// Adds trials that showed an anomaly.
    pub fn show(&mut self, anomaly: Anomaly, shown: Shown) {
        match self.anomalies.get_mut(&anomaly) {
            None => {
                self.anomalies.insert(anomaly, shown);
            }
            Some(known) => {
                known.trials += shown.trials;
                if shown.counterexample.size() < known.counterexample.size() {
                    known.counterexample = shown.counterexample;
                }
            }
        }
    }

    /// Whether only some trial must satisfy it, and one has.
    fn is_made_up_for(&self) -> bool {
        self.demand == Demand::SomeTrial && self.exercised > 0
    }

    /// The verdict so far.
    pub fn verdict(&self) -> Verdict {
        let counterexample = if self.is_made_up_for() { None } else { self.counterexample() };
        match (counterexample, &self.unknown) {
            (Some(counterexample), _) => Verdict::Violated(Box::new(counterexample.clone())),
            (None, Some(why)) => Verdict::Unknown(why.clone()),
            (None, None) if self.exercised == 0 => Verdict::NotExercised,
            (None, None) => Verdict::Holds { exercised: self.exercised },
        }
    }
}

impl Report {
    /// An empty report.
    pub(crate) fn about<W, S: ?Sized, E: Conditions>(scenario: &Scenario<W, S, E>) -> Report {
        let invariants = scenario.invariants.iter().map(|_| Demand::EveryTrial);
        let demands = invariants.chain(scenario.rules().map(|rule| rule.demand));
        let tallies = demands.map(|demand| Tally { demand, ..Tally::default() }).collect();
        Report { tallies, ..Report::default() }
    }

    /// How the search detected state that processes share and no part knows of. Such a search is not complete.
    pub fn hidden_sharing(&self) -> Option<&str> {
        self.searched.as_ref()?.hidden_sharing.as_deref()
    }

    /// Ends the trials with an error. A divergence is recorded as a disagreement, not as a failure.
    pub(super) fn fails(&mut self, error: Error) {
        if error.is_divergence() {
            self.disagreement.get_or_insert(format!("not the same choices as before: {error}"));
        } else {
            self.failure = Some(Failure { error, case: self.failed_case.take() });
        }
    }

    /// Drops the violations of invariants that only some trial must satisfy, if one has. To be called after the last
    /// trial.
    pub fn settle(&mut self) {
        for tally in self.tallies.iter_mut().filter(|tally| tally.is_made_up_for()) {
            tally.violations = 0;
            tally.first_violation = None;
            tally.anomalies.clear();
        }
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
        self.unsteady = self.unsteady.take().or(later.unsteady);
        self.failure = self.failure.take().or(later.failure);
        if self.tallies.is_empty() {
            let empty = |tally: &Tally| Tally { demand: tally.demand, ..Tally::default() };
            self.tallies = later.tallies.iter().map(empty).collect();
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
        for (strike, times) in later.injected {
            *self.injected.entry(strike).or_default() += times;
        }
        for (behaviour, trial) in later.behaviours {
            self.behaviours.entry(behaviour).or_insert(before + trial);
        }
        self.searched = self.searched.take().or(later.searched);
        self.costs.absorb(later.costs);
    }
}
