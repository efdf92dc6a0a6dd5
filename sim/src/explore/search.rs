//! The exhaustive part of an exploration: every schedule of the smallest workload, with up to the environment's number
//! of faults. A search that was stopped, or in which a schedule went on beyond the safety phase, is not complete.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::audit::audit;
use super::{Plan, Report, reordered};
use crate::authored;
use crate::error::Error;
use crate::explore::prepared::PreparedTrial;
use crate::rules::NOTHING_IS_SHARED_UNSEEN;
use crate::scenario::{Conditions, Scenario, Workload};
use crate::scheduler::{Counts, Exhaustive, Policy};
use crate::seed::Seed;
use crate::trial::{Ending, TrialHost};

/// How far an exhaustive search got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Searched {
    /// The numbers of schedules, faults and preemptions.
    pub counts: Counts,
    /// The bound on preemptions, if there was one.
    pub bound: Option<u32>,
    /// The most faults that the environment allows in a trial.
    pub budget: u32,
    /// Whether nothing is left to try.
    pub is_finished: bool,
    /// Schedules that were not over at the end of the safety phase. What came after it was not searched.
    pub cut: u64,
    /// How many schedules were re-run in an order that should make no difference.
    pub reordered: u64,
    /// The difference that such an order made, if any: the search skipped orders that matter.
    pub hidden_sharing: Option<String>,
}

impl Searched {
    /// Whether every schedule within the bounds was run to its end.
    pub fn is_complete(&self) -> bool {
        self.is_finished && self.cut == 0 && self.hidden_sharing.is_none()
    }
}

/// The workload that is searched.
///
/// # Errors
/// If the scenario's function panics.
pub(super) fn smallest<W: Workload, S: ?Sized, E: Conditions>(
    scenario: &Scenario<W, S, E>,
    environment: &E,
) -> Result<W, Error> {
    match scenario.smallest {
        Some(smallest) => authored::call(|| "the smallest workload".to_owned(), || smallest(environment)),
        None => super::simplest(scenario, environment),
    }
}

/// Searches the scenario's smallest workload in that environment, while `goes_on` returns true for the number of
/// schedules so far.
pub fn search<W: Workload, S: ?Sized, E: Conditions>(
    scenario: &Scenario<W, S, E>,
    host: &mut TrialHost,
    strategy: usize,
    environment: &E,
    plan: &Plan,
    bound: Option<u32>,
    goes_on: &mut dyn FnMut(u64) -> bool,
) -> Report {
    let mut report = Report::about(scenario);
    let mut scheduler = Exhaustive::new(bound);
    let mut searched = Searched {
        counts: Counts::default(),
        bound,
        budget: environment.as_ref().budget,
        is_finished: false,
        cut: 0,
        reordered: 0,
        hidden_sharing: None,
    };
    let ended = smallest(scenario, environment)
        .and_then(|workload| {
            PreparedTrial::new(scenario, strategy, environment, plan.engine, Rc::new(workload))
        })
        .and_then(|prepared| {
            schedules(&mut report, &mut searched, &prepared, host, plan, &mut scheduler, goes_on)
        });
    if let Err(error) = ended {
        report.fails(error);
    }
    searched.counts = scheduler.counts();
    searched.is_finished = scheduler.is_done();
    report.searched = Some(searched);
    report
}

/// Runs the schedules one after another.
fn schedules<W: Workload, S: ?Sized, E: Conditions>(
    report: &mut Report,
    searched: &mut Searched,
    prepared: &PreparedTrial<'_, W, S, E>,
    host: &mut TrialHost,
    plan: &Plan,
    scheduler: &mut Exhaustive,
    goes_on: &mut dyn FnMut(u64) -> bool,
) -> Result<(), Error> {
    let safety_steps = prepared.limits()?.safety_steps;
    let mut seen = BTreeSet::new();
    // All schedules have the same world, including the randomness outside of choices.
    let ambient = plan.seed.named(prepared.scenario.name).named("search");
    while !scheduler.is_done() && goes_on(report.trials) {
        let run = prepared.run(host, scheduler, Seed(0), ambient)?;
        let is_cut = run.steps >= safety_steps;
        searched.cut += u64::from(is_cut);
        super::take_in(report, prepared, &run, Policy::exhaustive(searched.bound), &mut seen)?;
        let number = report.trials;
        let is_audited = number.is_multiple_of(plan.audit_every);
        if is_audited {
            audit(report, prepared, host, &run)?;
        }
        // After the safety phase the order is not the schedule's, and a panic ends a trial before its end.
        let is_whole = !is_cut && !matches!(run.ending, Ending::Panicked { .. });
        if is_whole && (is_audited || number == 1) && prepared.scenario.is_on(NOTHING_IS_SHARED_UNSEEN.name) {
            reordered::audit(searched, prepared, host, &run, &scheduler.steps(), number)?;
        }
        host.recycle(run);
    }
    super::confirm(report, prepared, host)
}
