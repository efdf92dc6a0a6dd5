//! A prepared trial: one workload under one strategy in one environment, ready to run any number of times and to be
//! judged.

use std::rc::Rc;

use serde_json::Value;

use crate::anomaly::Kind;
use crate::authored;
use crate::choice::{Choice, Pace, RecordedTape};
use crate::engine::InitialState;
use crate::error::Error;
use crate::explore::case::Case;
use crate::explore::verdict::{Counterexample, Size};
use crate::invariant::{Breach, Evidence, Finding};
use crate::rules::{Demand, NO_DEFAULT_HASHERS, Rule};
use crate::scenario::{Conditions, Scenario, Workload};
use crate::scheduler::{Replay, Scheduler};
use crate::seed::Seed;
use crate::trace::EventKind;
use crate::trial::{Ending, Limits, Run, Setup, TrialHost};

/// A workload under a strategy in an environment, ready to run any number of times.
pub(crate) struct PreparedTrial<'a, W: 'static, S: ?Sized + 'static, E: 'static> {
    pub(crate) scenario: &'a Scenario<W, S, E>,
    pub(crate) strategy: usize,
    pub(crate) environment: &'a E,
    pub(crate) engine: &'static str,
    pub(crate) workload: Rc<W>,
    /// The workload as JSON.
    pub(crate) json: String,
    initial_state: Rc<InitialState>,
    weight: Weight,
}

/// What a workload adds to the size of a counterexample.
#[derive(Clone, Copy, Debug, Default)]
struct Weight {
    values: usize,
    numbers: u64,
}

impl Weight {
    /// Adds a value; null and `false` weigh nothing.
    fn add(&mut self, value: &Value) {
        match value {
            Value::Null | Value::Bool(false) => return,
            Value::Bool(true) | Value::String(_) => {}
            Value::Number(number) => {
                let number = number.as_i64().map(i64::unsigned_abs).or(number.as_u64()).unwrap_or_default();
                self.numbers = self.numbers.saturating_add(number);
            }
            Value::Array(items) => items.iter().for_each(|item| self.add(item)),
            Value::Object(members) => members.values().for_each(|member| self.add(member)),
        }
        self.values += 1;
    }
}

impl<'a, W: Workload, S: ?Sized, E: Conditions> PreparedTrial<'a, W, S, E> {
    /// Prepares a trial of that workload.
    ///
    /// # Errors
    /// The scenario's own `check` rejects the workload, or its initial state cannot be created.
    pub(crate) fn new(
        scenario: &'a Scenario<W, S, E>,
        strategy: usize,
        environment: &'a E,
        engine: &'static str,
        workload: Rc<W>,
    ) -> Result<PreparedTrial<'a, W, S, E>, Error> {
        authored::call(|| "`check` of the workload".to_owned(), || (scenario.check)(&workload))?
            .map_err(|why| Error::scenario(format!("`check` says no to the workload: {why}")))?;
        PreparedTrial::of_checked(scenario, strategy, environment, engine, workload)
    }

    /// The same for a workload that has passed `check`.
    fn of_checked(
        scenario: &'a Scenario<W, S, E>,
        strategy: usize,
        environment: &'a E,
        engine: &'static str,
        workload: Rc<W>,
    ) -> Result<PreparedTrial<'a, W, S, E>, Error> {
        let cannot = |error| Error::scenario(format!("the workload cannot be written as JSON: {error}"));
        let json = serde_json::to_string(&*workload).map_err(cannot)?;
        let mut weight = Weight::default();
        weight.add(&serde_json::to_value(&*workload).map_err(cannot)?);
        let it = scenario.strategies[strategy].it;
        let initial_state = authored::call(
            || "the making of the initial state".to_owned(),
            || (scenario.initial_state)(it, &workload),
        )?;
        let initial_state = Rc::new(initial_state);
        Ok(PreparedTrial { scenario, strategy, environment, engine, workload, json, initial_state, weight })
    }

    /// The prepared trial of a case, and the index of its invariant.
    ///
    /// # Errors
    /// The case names something unknown.
    pub(crate) fn of(
        scenario: &'a Scenario<W, S, E>,
        case: &Case,
    ) -> Result<(PreparedTrial<'a, W, S, E>, usize), Error> {
        let unknown =
            |what: &str, name: &str| Error::unreadable(format!("{} has no {what} `{name}`", scenario.name));
        let environment = scenario.environment(&case.environment);
        let environment = environment.ok_or_else(|| unknown("environment", &case.environment))?;
        let strategy = scenario.strategies.iter().position(|strategy| strategy.name == case.strategy);
        let strategy = strategy.ok_or_else(|| unknown("strategy", &case.strategy))?;
        let rules = scenario.rules().map(|rule| rule.name);
        let invariant = scenario
            .invariants
            .iter()
            .map(|item| item.name)
            .chain(rules)
            .position(|name| name == case.invariant);
        let invariant = invariant.ok_or_else(|| unknown("invariant", &case.invariant))?;
        let workload = workload(&case.workload).map_err(|why| {
            Error::unreadable(format!("the case's workload is not one of {}: {why}", scenario.name))
        })?;
        authored::call(|| "`check` of the workload".to_owned(), || (scenario.check)(&workload))?
            .map_err(|why| Error::unreadable(format!("the case's workload is out of range: {why}")))?;
        let engine = scenario.engines.iter().find(|engine| **engine == case.engine).copied().unwrap_or("");
        Ok((
            PreparedTrial::of_checked(scenario, strategy, environment, engine, Rc::new(workload))?,
            invariant,
        ))
    }

    pub(crate) fn run(
        &self,
        host: &mut TrialHost,
        scheduler: &mut dyn Scheduler,
        seed: Seed,
        ambient: Seed,
    ) -> Result<Run, Error> {
        let setup = Setup {
            environment: self.environment.as_ref(),
            cost: self.scenario.cost,
            limits: self.limits()?,
            initial_state: Some(&self.initial_state),
            tables: self.scenario.tables,
        };
        let strategy = self.scenario.strategies[self.strategy].it;
        let stage = |world: &_| (self.scenario.stage)(world, strategy, self.environment, &self.workload);
        host.checks_hashers = self.checks_hashers();
        host.run(scheduler, seed, ambient, &setup, stage)
    }

    pub(crate) fn limits(&self) -> Result<Limits, Error> {
        authored::call(|| "`limits` of the workload".to_owned(), || (self.scenario.limits)(&self.workload))
    }

    fn checks_hashers(&self) -> bool {
        self.scenario.is_on(NO_DEFAULT_HASHERS.name)
    }

    pub(crate) fn again(&self, host: &mut TrialHost, tape: RecordedTape) -> Result<Run, Error> {
        let ambient = tape.ambient;
        self.run(host, &mut Replay::new(tape), Seed(0), ambient)
    }

    /// The same, with the footprint of each statement in the trace.
    pub(crate) fn again_with_footprints(
        &self,
        host: &mut TrialHost,
        tape: RecordedTape,
    ) -> Result<Run, Error> {
        let ambient = tape.ambient;
        self.run(host, &mut Replay::new(tape).with_footprints(), Seed(0), ambient)
    }

    /// The number of findings of a trial: one of each invariant, then one of each built-in rule.
    pub(crate) fn judged(&self) -> usize {
        self.scenario.invariants.len() + self.scenario.rules().count()
    }

    /// The finding of the invariant, or the built-in rule, at that index.
    ///
    /// # Errors
    /// The invariant panics.
    pub(crate) fn finding(&self, run: &Run, index: usize) -> Result<Finding, Error> {
        let Some(item) = self.scenario.invariants.get(index) else {
            return Ok((self.rule(index).check)(run));
        };
        if let Ending::Panicked { .. } = run.ending {
            // An unfinished trial says nothing about the invariants.
            return Ok(Finding::Holds { exercised: 0 });
        }
        let evidence = Evidence { workload: &*self.workload, environment: self.environment.as_ref(), run };
        let who = || format!("the invariant `{}`", item.name);
        authored::decision(who, self.checks_hashers(), || item.it.check(&evidence))
    }

    /// Which trials must satisfy the invariant or the rule at that index.
    pub(crate) fn demand(&self, index: usize) -> Demand {
        if index < self.scenario.invariants.len() { Demand::EveryTrial } else { self.rule(index).demand }
    }

    fn rule(&self, index: usize) -> &'static Rule {
        let rule = self.scenario.rules().nth(index - self.scenario.invariants.len());
        rule.expect("an index is that of an invariant or of a rule")
    }

    /// The counterexample for a breach of the invariant at that index.
    pub(crate) fn counterexample(&self, run: &Run, index: usize, breach: Breach) -> Counterexample {
        Counterexample {
            case: self.case(run, self.invariant(index), Some(breach.kind())),
            kind: breach.kind(),
            sentence: breach.sentence,
            steps: run.steps,
            faults: run.injected.len(),
            preemptions: run.preemptions,
            messages: run
                .trace
                .events
                .iter()
                .filter(|event| matches!(event.kind, EventKind::Requested(_)))
                .count(),
            shrinking: None,
            size: self.size(run),
        }
    }

    /// See [`Counterexample::size`].
    pub(crate) fn size(&self, run: &Run) -> Size {
        let entries = run.tape.entries.iter().filter(|(_, choice)| *choice != Choice::Pick(0));
        let reach = |choice: &Choice| match choice {
            Choice::Next(_) | Choice::Fault(_) => 0,
            Choice::Delay(exponent) => u64::from(*exponent),
            Choice::Pick(index) => *index as u64,
        };
        Size {
            faults: run.injected.len(),
            severity: run.injected.iter().map(|(fault, _)| fault.severity()).sum(),
            is_timed: run.tape.pace == Pace::Timed,
            workload: self.weight.values,
            choices: entries.clone().count(),
            preemptions: run.preemptions,
            reach: entries.map(|(point, choice)| u64::from(point.nth) + reach(choice)).sum(),
            numbers: self.weight.numbers,
            steps: run.steps,
        }
    }

    pub(crate) fn invariant(&self, index: usize) -> &'static str {
        self.scenario.invariants.get(index).map_or_else(|| self.rule(index).name, |item| item.name)
    }

    pub(crate) fn case(&self, run: &Run, invariant: &str, shows: Option<Kind>) -> Case {
        Case {
            scenario: self.scenario.name.to_owned(),
            strategy: self.scenario.strategies[self.strategy].name.to_owned(),
            environment: self.environment.as_ref().name.to_owned(),
            engine: self.engine.to_owned(),
            invariant: invariant.to_owned(),
            shows: shows.map(|kind| kind.to_string()),
            digest: run.digest,
            workload: self.json.clone(),
            tape: run.tape.recorded(),
        }
    }
}

/// Parses the workload of a case. An unknown field is refused: a case with one was meant for another trial.
fn workload<W: Workload>(json: &str) -> Result<W, String> {
    let mut unknown = None;
    let mut reader = serde_json::Deserializer::from_str(json);
    let workload = serde_ignored::deserialize(&mut reader, |path| {
        unknown.get_or_insert_with(|| path.to_string());
    });
    let workload = workload.and_then(|workload| reader.end().map(|()| workload));
    let workload = workload.map_err(|error| error.to_string())?;
    unknown.map_or(Ok(workload), |path| Err(format!("it has no field `{path}`")))
}
