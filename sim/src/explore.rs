//! Exploration: many trials of one strategy on one rung, judged, audited, and added up.
//!
//! The unit is a batch: one workload under several schedules. A batch depends on its plan and its number alone,
//! so that the same seed gives the same results however many jobs share the work; and no batch knows the
//! strategy's name when it draws, so that all candidates meet the same trouble.

use std::collections::BTreeSet;
use std::rc::Rc;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::case::Case;
use crate::coverage;
use crate::error::Error;
use crate::fault::Rung;
use crate::invariant::Finding;
use crate::scenario::{Scenario, Workload};
use crate::scheduler::Policy;
use crate::seed::Seed;
use crate::stand::Stand;
use crate::trial::{Run, TestBed};

mod report;
mod search;

pub use self::report::{Report, Shown, Tally};
pub use self::search::{Searched, search};

/// The kernel's own invariant, held against every scenario: an actor's panic is a violation with a witness.
pub const NEVER_PANICS: &str = "never_panics";

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
fn draw<W: Workload, S: ?Sized>(scenario: &Scenario<W, S>, rung: &Rung, seed: Seed) -> Rc<W> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed.bytes());
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let tree = (scenario.workloads)(rung).new_tree(&mut runner).expect("a workload strategy rejects nothing");
    Rc::new(tree.current())
}

/// Holds the trials of one batch: one workload under several schedules, or, where nothing is left to choose (one
/// actor, no faults), as many workloads.
pub fn batch<W: Workload, S: ?Sized>(
    scenario: &Scenario<W, S>,
    bed: &mut TestBed,
    strategy: usize,
    rung: &Rung,
    plan: &Plan,
    number: u64,
) -> Report {
    let workloads = plan.seed.named(scenario.name).named(rung.name).nth(number);
    let seed = plan.seed.named(scenario.name).named("schedules").nth(number);
    let stand = |trial: u64| {
        Stand::new(scenario, strategy, rung, plan.engine, draw(scenario, rung, workloads.nth(trial)))
    };
    let mut current = stand(0);
    let mut schedulers: Vec<_> = plan.policies.iter().map(|policy| policy.scheduler()).collect();
    let mut report = Report::about(scenario.invariants.len());
    let mut seen = BTreeSet::new();
    for trial in 0..plan.schedules {
        let scheduler = &mut *schedulers[trial as usize % plan.policies.len()];
        let ambient = seed.named("ambient").nth(trial);
        let run = match current.hold(bed, scheduler, seed.nth(trial), ambient) {
            Ok(run) => run,
            Err(error) => {
                report.refused = Some(error.to_string());
                break;
            }
        };
        let policy = plan.policies[trial as usize % plan.policies.len()];
        take_in(&mut report, &current, &run, policy, &mut seen);
        if (number * plan.schedules + trial).is_multiple_of(plan.audit_every) {
            audit(&mut report, &current, bed, &run);
        }
        let settled = run.decisions == 0 && rung.offers.is_empty();
        bed.recycle(run);
        if settled && trial + 1 < plan.schedules {
            confirm(&mut report, &current, bed);
            current = stand(trial + 1);
        }
    }
    confirm(&mut report, &current, bed);
    report
}

/// Holds a trial again and compares.
fn audit<W: Workload, S: ?Sized>(report: &mut Report, stand: &Stand<'_, W, S>, bed: &mut TestBed, run: &Run) {
    report.audited += 1;
    if let Some(how) = stand.disagrees(bed, run) {
        report.disagreement.get_or_insert(how);
    }
}

/// Holds every witness of this workload again before anyone is told of it.
fn confirm<W: Workload, S: ?Sized>(report: &mut Report, stand: &Stand<'_, W, S>, bed: &mut TestBed) {
    let mut confirmed = BTreeSet::new();
    for shown in report.tallies.iter().flat_map(|tally| tally.anomalies.values()) {
        let case = &shown.witness.case;
        if case.workload != stand.json || !confirmed.insert(case.digest) {
            continue;
        }
        report.audited += 1;
        let how = match stand.again(bed, case.tape.clone()) {
            Ok(again) if again.digest == case.digest => {
                bed.recycle(again);
                continue;
            }
            Ok(_) => "held again from its own tape, the trial of a witness differed".to_owned(),
            Err(error) => format!("held again from its own tape, the trial of a witness {error}"),
        };
        report.disagreement.get_or_insert(how);
    }
}

/// Adds a trial to the report.
fn take_in<W: Workload, S: ?Sized>(
    report: &mut Report,
    stand: &Stand<'_, W, S>,
    run: &Run,
    policy: Policy,
    seen: &mut BTreeSet<u64>,
) {
    report.trials += 1;
    report.steps += u64::from(run.steps);
    for behaviour in coverage::collect(&run.trace, seen) {
        report.behaviours.insert(behaviour, report.trials);
    }
    for strike in &run.strikes {
        *report.strikes.entry(*strike).or_default() += 1;
    }
    report.costs.add(run, stand.scenario.watched);
    enter(report, stand, run, policy);
}

/// Enters what the invariants found.
fn enter<W: Workload, S: ?Sized>(report: &mut Report, stand: &Stand<'_, W, S>, run: &Run, policy: Policy) {
    for (index, finding) in stand.judge(run).into_iter().enumerate() {
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
}

/// One trial on a given workload: what each invariant found, and the case that holds it again.
///
/// # Errors
/// Where the engine refuses something by name.
pub fn one<W: Workload, S: ?Sized>(
    scenario: &Scenario<W, S>,
    bed: &mut TestBed,
    strategy: usize,
    rung: &Rung,
    workload: W,
    policy: Policy,
    seed: Seed,
) -> Result<Vec<(Finding, Case)>, Error> {
    let stand = Stand::new(scenario, strategy, rung, scenario.engines[0], Rc::new(workload));
    let mut scheduler = policy.scheduler();
    // A scheduler that learns a trial's length has nothing to go by in its first.
    let learnt = stand.hold(bed, &mut *scheduler, seed.named("learn"), seed)?;
    bed.recycle(learnt);
    let run = stand.hold(bed, &mut *scheduler, seed, seed.named("ambient"))?;
    let case = |(index, finding): (usize, Finding)| {
        let case = stand.case(&run, stand.invariant(index), finding.kind());
        (finding, case)
    };
    Ok(stand.judge(&run).into_iter().enumerate().map(case).collect())
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
    let finding = stand.finding(&run, invariant);
    Ok(Replayed { run, finding })
}
