//! Exploration: runs many trials of one strategy in one environment, judges and audits them, and adds up the results.
//!
//! The unit is a batch: one workload under several schedules. A batch depends only on its plan and its number, so one
//! seed gives the same results with any number of jobs. What a batch draws does not depend on the strategy's name, so
//! all strategies meet the same workloads and faults.

use std::collections::BTreeSet;
use std::rc::Rc;

use proptest::strategy::{Strategy as _, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::authored;
use crate::choice::{Pace, RecordedTape};
use crate::error::Error;
use crate::invariant::Finding;
use crate::rules::Demand;
use crate::scenario::{Conditions, Scenario, Workload};
use crate::scheduler::Policy;
use crate::seed::Seed;
use crate::trial::{Run, TrialHost};

pub mod case;
pub mod costs;
pub mod cross_replay;
pub mod shrink;
pub mod verdict;

mod audit;
mod coverage;
mod prepared;
mod reordered;
mod report;
mod search;

pub use self::audit::LIKELY_CAUSES;
pub use self::report::{Failure, Report, Shown, Tally};
pub use self::search::{Searched, search};

use self::case::Case;
use self::prepared::PreparedTrial;
use self::search::smallest;

/// How to explore.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed that everything is derived from.
    pub seed: Seed,
    /// The number of schedules per workload.
    pub schedules: u64,
    /// The policies, used in rotation.
    pub policies: Vec<Policy>,
    /// The interval of the audit: one of this many trials is re-run and compared.
    pub audit_every: u64,
    /// The name of the engine, for the record.
    pub engine: &'static str,
}

/// Draws one workload; one seed gives every strategy of the scenario the same one.
fn draw<W: Workload, S: ?Sized, E: Conditions>(
    scenario: &Scenario<W, S, E>,
    environment: &E,
    seed: Seed,
) -> Result<Rc<W>, Error> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed.bytes());
    let runner = TestRunner::new_with_rng(Config::default(), rng);
    generated(scenario, environment, runner, |tree| tree.current()).map(Rc::new)
}

/// The simplest workload that the scenario's generator makes, as proptest simplifies.
///
/// # Errors
/// As [`draw`].
fn simplest<W: Workload, S: ?Sized, E: Conditions>(
    scenario: &Scenario<W, S, E>,
    environment: &E,
) -> Result<W, Error> {
    generated(scenario, environment, TestRunner::deterministic(), |mut tree| {
        while tree.simplify() {}
        tree.current()
    })
}

fn generated<W: Workload, S: ?Sized, E: Conditions>(
    scenario: &Scenario<W, S, E>,
    environment: &E,
    mut runner: TestRunner,
    take: impl FnOnce(Box<dyn ValueTree<Value = W>>) -> W,
) -> Result<W, Error> {
    let generated = authored::call(
        || "the generator of workloads".to_owned(),
        || (scenario.workloads)(environment).new_tree(&mut runner).map(take),
    )?;
    generated.map_err(|why| {
        Error::scenario(format!(
            "the generator of workloads rejects what it draws ({why}): let it draw what it keeps"
        ))
    })
}

/// Runs the trials of one batch: one workload under several schedules, or as many workloads if there is nothing to
/// choose (one actor, no faults).
pub fn batch<W: Workload, S: ?Sized, E: Conditions>(
    scenario: &Scenario<W, S, E>,
    host: &mut TrialHost,
    strategy: usize,
    environment: &E,
    plan: &Plan,
    number: u64,
) -> Report {
    let mut report = Report::about(scenario);
    if let Err(error) = trials(&mut report, scenario, host, strategy, environment, plan, number) {
        report.fails(error);
    }
    report
}

fn trials<W: Workload, S: ?Sized, E: Conditions>(
    report: &mut Report,
    scenario: &Scenario<W, S, E>,
    host: &mut TrialHost,
    strategy: usize,
    environment: &E,
    plan: &Plan,
    number: u64,
) -> Result<(), Error> {
    let workloads = plan.seed.named(scenario.name).named(environment.as_ref().name).nth(number);
    let seed = plan.seed.named(scenario.name).named("schedules").nth(number);
    let prepared = |trial: u64| {
        let workload = draw(scenario, environment, workloads.nth(trial))?;
        PreparedTrial::new(scenario, strategy, environment, plan.engine, workload)
    };
    let mut current = prepared(0)?;
    let mut schedulers: Vec<_> = plan.policies.iter().map(|policy| policy.scheduler()).collect();
    let mut seen = BTreeSet::new();
    for trial in 0..plan.schedules {
        let scheduler = &mut *schedulers[trial as usize % plan.policies.len()];
        let ambient = seed.named("ambient").nth(trial);
        let run = current.run(host, scheduler, seed.nth(trial), ambient)?;
        let policy = plan.policies[trial as usize % plan.policies.len()];
        take_in(report, &current, &run, policy, &mut seen)?;
        if (number * plan.schedules + trial).is_multiple_of(plan.audit_every) {
            audit::audit(report, &current, host, &run)?;
        }
        let settled = run.decisions == 0 && environment.as_ref().fault_rules.is_empty();
        host.recycle(run);
        if settled && trial + 1 < plan.schedules {
            confirm(report, &current, host)?;
            current = prepared(trial + 1)?;
        }
    }
    confirm(report, &current, host)
}

/// Re-runs every counterexample of this workload before it is reported.
fn confirm<W: Workload, S: ?Sized, E: Conditions>(
    report: &mut Report,
    prepared: &PreparedTrial<'_, W, S, E>,
    host: &mut TrialHost,
) -> Result<(), Error> {
    let mut confirmed = BTreeSet::new();
    let shown = report.tallies.iter().flat_map(|tally| tally.anomalies.values());
    let cases: Vec<Case> = shown
        .map(|shown| &shown.counterexample.case)
        .filter(|case| case.workload == prepared.json && confirmed.insert(case.digest))
        .cloned()
        .collect();
    for case in cases {
        report.audited += 1;
        let again = match prepared.again(host, case.tape.clone()) {
            Ok(again) => again,
            Err(error) => {
                audit::cannot_be_run_again(report, host, error)?;
                continue;
            }
        };
        if host.is_live() {
            let index = (0..prepared.judged()).find(|index| prepared.invariant(*index) == case.invariant);
            let index = index.expect("a case is of an invariant that was judged");
            audit::compare_verdict(report, prepared, index, case.shows.as_deref(), &again)?;
        } else if again.digest != case.digest {
            let once_more = prepared.again(host, case.tape.clone());
            let how = audit::between_runs(&again, once_more.ok().as_ref());
            report.disagreement.get_or_insert(how);
        }
        host.recycle(again);
    }
    Ok(())
}

/// Adds a trial to the report.
fn take_in<W: Workload, S: ?Sized, E: Conditions>(
    report: &mut Report,
    prepared: &PreparedTrial<'_, W, S, E>,
    run: &Run,
    policy: Policy,
    seen: &mut BTreeSet<u64>,
) -> Result<(), Error> {
    report.trials += 1;
    report.steps += u64::from(run.steps);
    for behaviour in coverage::collect(&run.trace, seen) {
        report.behaviours.insert(behaviour, report.trials);
    }
    for injected in &run.injected {
        *report.injected.entry(*injected).or_default() += 1;
    }
    report.costs.add(run, prepared.scenario.watched);
    enter(report, prepared, run, policy)
}

/// Adds the findings of the invariants and the built-in rules.
fn enter<W: Workload, S: ?Sized, E: Conditions>(
    report: &mut Report,
    prepared: &PreparedTrial<'_, W, S, E>,
    run: &Run,
    policy: Policy,
) -> Result<(), Error> {
    for index in 0..prepared.judged() {
        let finding = prepared.finding(run, index).inspect_err(|_| {
            report.failed_case = Some(prepared.case(run, prepared.invariant(index), None));
        })?;
        let tally = &mut report.tallies[index];
        match finding {
            Finding::Holds { exercised } => tally.exercised += exercised,
            Finding::Unknown(why) => tally.unknown = tally.unknown.take().or(Some(why)),
            Finding::Violated(breach) => {
                tally.violations += 1;
                tally.first_violation.get_or_insert((report.trials, policy));
                let anomaly = breach.anomaly;
                let smallest = tally.anomalies.get(&anomaly).map(|shown| shown.counterexample.size());
                if let (Some(smallest), Some(shown)) = (smallest, tally.anomalies.get_mut(&anomaly))
                    && smallest <= prepared.size(run)
                {
                    shown.trials += 1;
                    continue;
                }
                let counterexample = prepared.counterexample(run, index, breach);
                tally.show(anomaly, Shown { trials: 1, counterexample });
            }
        }
    }
    Ok(())
}

/// Runs one trial on a given workload: the finding of each invariant and each built-in rule, and the case that replays
/// it.
///
/// A rule that only some trial must satisfy, and this one does not, counts as violated only if a trial of the smallest
/// workload without faults does not satisfy it either.
///
/// # Errors
/// The engine refuses something by name, or the scenario is wrong.
pub fn one<W: Workload, S: ?Sized, E: Conditions>(
    scenario: &Scenario<W, S, E>,
    host: &mut TrialHost,
    strategy: usize,
    environment: &E,
    workload: W,
    policy: Policy,
    seed: Seed,
) -> Result<Vec<(Finding, Case)>, Error> {
    scenario.validate()?;
    let prepared =
        PreparedTrial::new(scenario, strategy, environment, scenario.engines[0], Rc::new(workload))?;
    let mut scheduler = policy.scheduler();
    // A scheduler that learns a trial's length needs a first trial.
    let learnt = prepared.run(host, &mut *scheduler, seed.named("learn"), seed)?;
    host.recycle(learnt);
    let run = prepared.run(host, &mut *scheduler, seed, seed.named("ambient"))?;
    let mut found = Vec::new();
    for index in 0..prepared.judged() {
        let mut finding = prepared.finding(&run, index)?;
        if prepared.demand(index) == Demand::SomeTrial && finding.kind().is_some() {
            let workload = Rc::new(smallest(scenario, environment)?);
            let calm = PreparedTrial::new(scenario, strategy, environment, scenario.engines[0], workload)?;
            let tape = RecordedTape { pace: Pace::Free, ambient: seed, choices: Vec::new() };
            finding = calm.finding(&calm.again(host, tape)?, index)?;
        }
        let case = prepared.case(&run, prepared.invariant(index), finding.kind());
        found.push((finding, case));
    }
    Ok(found)
}

/// A replayed trial.
#[derive(Debug)]
pub struct Replayed {
    /// What happened.
    pub run: Run,
    /// The finding of the case's invariant.
    pub finding: Finding,
}

/// Replays a case.
///
/// # Errors
/// The case names something unknown, or its choices no longer apply.
pub fn replay<W: Workload, S: ?Sized, E: Conditions>(
    scenario: &Scenario<W, S, E>,
    host: &mut TrialHost,
    case: &Case,
) -> Result<Replayed, Error> {
    let (prepared, invariant) = PreparedTrial::of(scenario, case)?;
    let run = prepared.again_with_footprints(host, case.tape.clone())?;
    let finding = prepared.finding(&run, invariant)?;
    Ok(Replayed { run, finding })
}
