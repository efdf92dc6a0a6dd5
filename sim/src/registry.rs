//! A scenario as the runner sees it: its workload type is erased, so that all scenarios fit into one list.

use proptest::strategy::{BoxedStrategy, Strategy as _};

use crate::error::Error;
use crate::explore::case::Case;
use crate::explore::cross_replay::{self, Against};
use crate::explore::shrink::{self, Budget};
use crate::explore::verdict::Counterexample;
use crate::explore::{self, Plan, Replayed, Report};
use crate::fault::Environment;
use crate::invariant::Finding;
use crate::rules::{Rule, RuleOff};
use crate::scenario::{Conditions, Scenario, StrategyInfo, Workload};
use crate::scheduler::Policy;
use crate::seed::Seed;
use crate::trial::TrialHost;

/// The description of a scenario.
#[derive(Clone, Debug)]
pub struct ScenarioInfo {
    /// Its name.
    pub name: &'static str,
    /// Its README.
    pub story: &'static str,
    /// Its environments.
    pub environments: Vec<&'static Environment>,
    /// Its strategies.
    pub strategies: Vec<StrategyInfo>,
    /// The name and the source text of each invariant.
    pub invariants: Vec<(&'static str, &'static str)>,
    /// The built-in rules of a trial that are on; they are judged after the invariants.
    pub rules: Vec<&'static Rule>,
    /// The built-in rules that are off, each with the reason.
    pub rules_off: &'static [RuleOff],
    /// The engines that its SQL runs on, the default first.
    pub engines: &'static [&'static str],
    /// The default number of trials of a strategy in an environment.
    pub trials: u64,
}

/// A scenario with its workload type erased; every [`Scenario`] is one.
pub trait ScenarioEntry: Sync {
    /// Its description.
    fn info(&self) -> ScenarioInfo;

    /// See [`Scenario::validate`].
    ///
    /// # Errors
    /// What is wrong with it.
    fn validate(&self) -> Result<(), Error>;

    /// See [`explore::batch`]; strategy and environment by their index.
    fn batch(
        &self,
        host: &mut TrialHost,
        strategy: usize,
        environment: usize,
        plan: &Plan,
        number: u64,
    ) -> Report;

    /// See [`explore::search`]; strategy and environment by their index.
    fn search(
        &self,
        host: &mut TrialHost,
        strategy: usize,
        environment: usize,
        plan: &Plan,
        bound: Option<u32>,
        goes_on: &mut dyn FnMut(u64) -> bool,
    ) -> Report;

    /// Generates workloads for the environment of that index, each as the JSON text of a case.
    fn workloads(&self, environment: usize) -> BoxedStrategy<String>;

    /// See [`explore::one`]; strategy and environment by their index, the workload as the JSON text of a case.
    ///
    /// # Errors
    /// The text is no workload, the engine refuses something by name, or the scenario is wrong.
    fn one(
        &self,
        host: &mut TrialHost,
        strategy: usize,
        environment: usize,
        workload: &str,
        policy: Policy,
        seed: Seed,
    ) -> Result<Vec<(Finding, Case)>, Error>;

    /// See [`explore::replay`].
    ///
    /// # Errors
    /// The case names something unknown, or its choices no longer apply.
    fn replay(&self, host: &mut TrialHost, case: &Case) -> Result<Replayed, Error>;

    /// See [`shrink::shrink`].
    ///
    /// # Errors
    /// The case names something unknown, its choices no longer apply, or nothing is violated.
    fn shrink(
        &self,
        host: &mut TrialHost,
        case: &Case,
        hint: Option<&Case>,
        budget: Budget,
    ) -> Result<Counterexample, Error>;

    /// See [`cross_replay::against`].
    ///
    /// # Errors
    /// The case names something unknown, or its choices no longer apply to its own strategy.
    fn against(&self, host: &mut TrialHost, case: &Case, strategy: &str) -> Result<Against, Error>;
}

impl ScenarioInfo {
    /// The names of everything that is judged per trial: the invariants, then the built-in rules.
    pub fn judged(&self) -> impl Iterator<Item = &'static str> {
        let invariants = self.invariants.iter().map(|(name, _)| *name);
        invariants.chain(self.rules.iter().map(|rule| rule.name))
    }
}

impl<W: Workload, S: ?Sized + Sync, E: Conditions> ScenarioEntry for Scenario<W, S, E> {
    fn info(&self) -> ScenarioInfo {
        ScenarioInfo {
            name: self.name,
            story: self.story,
            environments: self.environments.iter().map(AsRef::as_ref).collect(),
            strategies: self.strategy_infos(),
            invariants: self.invariants.iter().map(|item| (item.name, item.source)).collect(),
            rules: self.rules().collect(),
            rules_off: self.rules_off,
            engines: self.engines,
            trials: self.trials,
        }
    }

    fn validate(&self) -> Result<(), Error> {
        Scenario::validate(self)
    }

    fn batch(
        &self,
        host: &mut TrialHost,
        strategy: usize,
        environment: usize,
        plan: &Plan,
        number: u64,
    ) -> Report {
        explore::batch(self, host, strategy, &self.environments[environment], plan, number)
    }

    fn search(
        &self,
        host: &mut TrialHost,
        strategy: usize,
        environment: usize,
        plan: &Plan,
        bound: Option<u32>,
        goes_on: &mut dyn FnMut(u64) -> bool,
    ) -> Report {
        explore::search(self, host, strategy, &self.environments[environment], plan, bound, goes_on)
    }

    fn workloads(&self, environment: usize) -> BoxedStrategy<String> {
        let workloads = (self.workloads)(&self.environments[environment]);
        workloads.prop_map(|workload| serde_json::to_string(&workload).expect("a workload is JSON")).boxed()
    }

    fn one(
        &self,
        host: &mut TrialHost,
        strategy: usize,
        environment: usize,
        workload: &str,
        policy: Policy,
        seed: Seed,
    ) -> Result<Vec<(Finding, Case)>, Error> {
        let workload = serde_json::from_str(workload)
            .map_err(|error| Error::unreadable(format!("this is no workload of {}: {error}", self.name)))?;
        explore::one(self, host, strategy, &self.environments[environment], workload, policy, seed)
    }

    fn replay(&self, host: &mut TrialHost, case: &Case) -> Result<Replayed, Error> {
        explore::replay(self, host, case)
    }

    fn shrink(
        &self,
        host: &mut TrialHost,
        case: &Case,
        hint: Option<&Case>,
        budget: Budget,
    ) -> Result<Counterexample, Error> {
        shrink::shrink(self, host, case, hint, budget)
    }

    fn against(&self, host: &mut TrialHost, case: &Case, strategy: &str) -> Result<Against, Error> {
        cross_replay::against(self, host, case, strategy)
    }
}
