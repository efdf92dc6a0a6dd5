//! Exploration: many trials of one strategy on one rung, judged, audited, and added up.
//!
//! The unit is a batch: one workload under several schedules. A batch depends on its plan and its number alone,
//! so that the same seed gives the same results however many jobs share the work; and no batch knows the
//! strategy's name when it draws, so that all candidates meet the same trouble.

use std::collections::BTreeSet;
use std::rc::Rc;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::authored;
use crate::case::Case;
use crate::choice::{Pace, RecordedTape};
use crate::coverage;
use crate::error::Error;
use crate::fault::Rung;
use crate::invariant::Finding;
use crate::rules::Demand;
use crate::scenario::{Scenario, Workload};
use crate::scheduler::Policy;
use crate::seed::Seed;
use crate::stand::Stand;
use crate::trial::{Run, TestBed};

mod audit;
mod reordered;
mod report;
mod search;

pub use self::audit::LIKELY_CAUSES;
pub use self::report::{Failure, Report, Shown, Tally};
pub use self::search::{Searched, search};

use self::search::smallest;

/// How to explore.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where everything starts.
    pub seed: Seed,
    /// How many schedules each workload meets.
    pub schedules: u64,
    /// The policies that take turns.
    pub policies: Vec<Policy>,
    /// Every so many trials, one is held twice and compared.
    pub audit_every: u64,
    /// The name of the engine, for the record.
    pub engine: &'static str,
}

/// Draws one workload; every strategy of the scenario gets the same one from the same seed.
fn draw<W: Workload, S: ?Sized>(scenario: &Scenario<W, S>, rung: &Rung, seed: Seed) -> Result<Rc<W>, Error> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed.bytes());
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let tree = authored::call(
        || "the generator of workloads".to_owned(),
        || (scenario.workloads)(rung).new_tree(&mut runner).map(|tree| tree.current()),
    )?;
    tree.map(Rc::new).map_err(|why| {
        Error::scenario(format!(
            "the generator of workloads rejects what it draws ({why}): let it draw what it keeps"
        ))
    })
}

/// Runs the trials of one batch: one workload under several schedules, or, where nothing is left to choose (one
/// actor, no faults), as many workloads.
pub fn batch<W: Workload, S: ?Sized>(
    scenario: &Scenario<W, S>,
    bed: &mut TestBed,
    strategy: usize,
    rung: &Rung,
    plan: &Plan,
    number: u64,
) -> Report {
    let mut report = Report::about(scenario);
    if let Err(error) = trials(&mut report, scenario, bed, strategy, rung, plan, number) {
        report.fails(error);
    }
    report
}

fn trials<W: Workload, S: ?Sized>(
    report: &mut Report,
    scenario: &Scenario<W, S>,
    bed: &mut TestBed,
    strategy: usize,
    rung: &Rung,
    plan: &Plan,
    number: u64,
) -> Result<(), Error> {
    let workloads = plan.seed.named(scenario.name).named(rung.name).nth(number);
    let seed = plan.seed.named(scenario.name).named("schedules").nth(number);
    let stand = |trial: u64| {
        let workload = draw(scenario, rung, workloads.nth(trial))?;
        Stand::new(scenario, strategy, rung, plan.engine, workload)
    };
    let mut current = stand(0)?;
    let mut schedulers: Vec<_> = plan.policies.iter().map(|policy| policy.scheduler()).collect();
    let mut seen = BTreeSet::new();
    for trial in 0..plan.schedules {
        let scheduler = &mut *schedulers[trial as usize % plan.policies.len()];
        let ambient = seed.named("ambient").nth(trial);
        let run = current.hold(bed, scheduler, seed.nth(trial), ambient)?;
        let policy = plan.policies[trial as usize % plan.policies.len()];
        take_in(report, &current, &run, policy, &mut seen)?;
        if (number * plan.schedules + trial).is_multiple_of(plan.audit_every) {
            audit::audit(report, &current, bed, &run)?;
        }
        let settled = run.decisions == 0 && rung.offers.is_empty();
        bed.recycle(run);
        if settled && trial + 1 < plan.schedules {
            confirm(report, &current, bed)?;
            current = stand(trial + 1)?;
        }
    }
    confirm(report, &current, bed)
}

/// Runs every witness of this workload again before anyone is told of it.
fn confirm<W: Workload, S: ?Sized>(
    report: &mut Report,
    stand: &Stand<'_, W, S>,
    bed: &mut TestBed,
) -> Result<(), Error> {
    let mut confirmed = BTreeSet::new();
    let shown = report.tallies.iter().flat_map(|tally| tally.anomalies.values());
    let cases: Vec<Case> = shown
        .map(|shown| &shown.witness.case)
        .filter(|case| case.workload == stand.json && confirmed.insert(case.digest))
        .cloned()
        .collect();
    for case in cases {
        report.audited += 1;
        let again = match stand.again(bed, case.tape.clone()) {
            Ok(again) => again,
            Err(error) => {
                audit::cannot_be_run_again(report, bed, error)?;
                continue;
            }
        };
        if bed.is_live() {
            let index = (0..stand.judged()).find(|index| stand.invariant(*index) == case.invariant);
            let index = index.expect("a case is of an invariant that was judged");
            audit::compare_verdict(report, stand, index, case.shows.as_deref(), &again)?;
        } else if again.digest != case.digest {
            let once_more = stand.again(bed, case.tape.clone());
            let how = audit::between_runs(&again, once_more.ok().as_ref());
            report.disagreement.get_or_insert(how);
        }
        bed.recycle(again);
    }
    Ok(())
}

/// Adds a trial to the report.
fn take_in<W: Workload, S: ?Sized>(
    report: &mut Report,
    stand: &Stand<'_, W, S>,
    run: &Run,
    policy: Policy,
    seen: &mut BTreeSet<u64>,
) -> Result<(), Error> {
    report.trials += 1;
    report.steps += u64::from(run.steps);
    for behaviour in coverage::collect(&run.trace, seen) {
        report.behaviours.insert(behaviour, report.trials);
    }
    for strike in &run.strikes {
        *report.strikes.entry(*strike).or_default() += 1;
    }
    report.costs.add(run, stand.scenario.watched);
    enter(report, stand, run, policy)
}

/// Enters what the invariants and the built-in rules found.
fn enter<W: Workload, S: ?Sized>(
    report: &mut Report,
    stand: &Stand<'_, W, S>,
    run: &Run,
    policy: Policy,
) -> Result<(), Error> {
    for index in 0..stand.judged() {
        let finding = stand.finding(run, index).inspect_err(|_| {
            report.failed_case = Some(stand.case(run, stand.invariant(index), None));
        })?;
        let tally = &mut report.tallies[index];
        match finding {
            Finding::Holds { exercised } => tally.exercised += exercised,
            Finding::Unknown(why) => tally.unknown = tally.unknown.take().or(Some(why)),
            Finding::Violated(breach) => {
                tally.violations += 1;
                tally.first_violation.get_or_insert((report.trials, policy));
                let anomaly = breach.anomaly;
                let smallest = tally.anomalies.get(&anomaly).map(|shown| shown.witness.size());
                if let (Some(smallest), Some(shown)) = (smallest, tally.anomalies.get_mut(&anomaly))
                    && smallest <= stand.size(run)
                {
                    shown.trials += 1;
                    continue;
                }
                let witness = stand.witness(run, index, breach);
                tally.show(anomaly, Shown { trials: 1, witness });
            }
        }
    }
    Ok(())
}

/// One trial on a given workload: what each invariant and each built-in rule found, and the case that replays it.
///
/// A rule that some trial must keep, and that this one does not, counts as broken only where the smallest workload in a
/// calm trial does not keep it either.
///
/// # Errors
/// Where the engine refuses something by name; where the scenario is at fault.
pub fn one<W: Workload, S: ?Sized>(
    scenario: &Scenario<W, S>,
    bed: &mut TestBed,
    strategy: usize,
    rung: &Rung,
    workload: W,
    policy: Policy,
    seed: Seed,
) -> Result<Vec<(Finding, Case)>, Error> {
    scenario.validate()?;
    let stand = Stand::new(scenario, strategy, rung, scenario.engines[0], Rc::new(workload))?;
    let mut scheduler = policy.scheduler();
    // A scheduler that learns a trial's length has nothing to go by in its first.
    let learnt = stand.hold(bed, &mut *scheduler, seed.named("learn"), seed)?;
    bed.recycle(learnt);
    let run = stand.hold(bed, &mut *scheduler, seed, seed.named("ambient"))?;
    let mut found = Vec::new();
    for index in 0..stand.judged() {
        let mut finding = stand.finding(&run, index)?;
        if stand.demand(index) == Demand::SomeTrial && finding.kind().is_some() {
            let workload = Rc::new(smallest(scenario, rung)?);
            let calm = Stand::new(scenario, strategy, rung, scenario.engines[0], workload)?;
            let tape = RecordedTape { pace: Pace::Free, ambient: seed, choices: Vec::new() };
            finding = calm.finding(&calm.again(bed, tape)?, index)?;
        }
        let case = stand.case(&run, stand.invariant(index), finding.kind());
        found.push((finding, case));
    }
    Ok(found)
}

/// A trial that was held again.
#[derive(Debug)]
pub struct Replayed {
    /// What happened.
    pub run: Run,
    /// What the case's invariant says of it.
    pub finding: Finding,
}

/// Holds a case's trial again.
///
/// # Errors
/// Where the case names what does not exist, or its choices no longer apply.
pub fn replay<W: Workload, S: ?Sized>(
    scenario: &Scenario<W, S>,
    bed: &mut TestBed,
    case: &Case,
) -> Result<Replayed, Error> {
    let (stand, invariant) = Stand::of(scenario, case)?;
    let run = stand.again(bed, case.tape.clone())?;
    let finding = stand.finding(&run, invariant)?;
    Ok(Replayed { run, finding })
}
