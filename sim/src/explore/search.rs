//! The exhaustive part of an exploration: every schedule of the smallest workload, up to the environment's faults. It must never
//! say that it has seen everything when it was stopped, or when a schedule ran into the end of the safety phase.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::audit::audit;
use super::{Plan, Report, reordered};
use crate::authored;
use crate::error::Error;
use crate::fault::Environment;
use crate::prepared::PreparedTrial;
use crate::rules::NOTHING_IS_SHARED_UNSEEN;
use crate::scenario::{Scenario, Workload};
use crate::scheduler::{Counts, Exhaustive, Policy};
use crate::seed::Seed;
use crate::trial::{Ending, TrialHost};

/// How far an exhaustive search got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Searched {
    /// Schedules, faults and preemptions.
    pub counts: Counts,
    /// The bound on preemptions, if there was one.
    pub bound: Option<u32>,
    /// The most faults that the environment lets strike.
    pub budget: u32,
    /// Whether nothing is left to try.
    pub is_finished: bool,
    /// Schedules that were not over when the safety phase was: what came after was not searched.
    pub cut: u64,
    /// How many schedules were run again in an order that should make no difference.
    pub reordered: u64,
    /// What such an order made different: orders were left out that matter.
    pub hidden_sharing: Option<String>,
}

impl Searched {
    /// Whether every schedule within the bounds has been seen to its end.
    pub fn is_complete(&self) -> bool {
        self.is_finished && self.cut == 0 && self.hidden_sharing.is_none()
    }
}

/// The workload that is searched.
///
/// # Errors
/// Where the scenario's function panics.
pub(super) fn smallest<W: Workload, S: ?Sized>(
    scenario: &Scenario<W, S>,
    environment: &Environment,
) -> Result<W, Error> {
    authored::call(|| "the smallest workload".to_owned(), || (scenario.smallest)(environment))
}

/// Searches the scenario's smallest workload in that environment, for as long as `goes_on` says so of the schedules.
pub fn search<W: Workload, S: ?Sized>(
    scenario: &Scenario<W, S>,
    host: &mut TrialHost,
    strategy: usize,
    environment: &Environment,
    plan: &Plan,
    bound: Option<u32>,
    goes_on: &mut dyn FnMut(u64) -> bool,
) -> Report {
    let mut report = Report::about(scenario);
    let mut scheduler = Exhaustive::new(bound);
    let mut searched = Searched {
        counts: Counts::default(),
        bound,
        budget: environment.budget,
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

/// Runs schedule after schedule.
fn schedules<W: Workload, S: ?Sized>(
    report: &mut Report,
    searched: &mut Searched,
    prepared: &PreparedTrial<'_, W, S>,
    host: &mut TrialHost,
    plan: &Plan,
    scheduler: &mut Exhaustive,
    goes_on: &mut dyn FnMut(u64) -> bool,
) -> Result<(), Error> {
    let safety_steps = prepared.limits()?.safety_steps;
    let mut seen = BTreeSet::new();
    // The world is the same in every schedule, down to what is drawn outside of choices.
    let ambient = plan.seed.named(prepared.scenario.name).named("search");
    while !scheduler.is_done() && goes_on(report.trials) {
        let run = prepared.run(host, scheduler, Seed(0), ambient)?;
        let is_cut = run.steps >= safety_steps;
        searched.cut += u64::from(is_cut);
        super::take_in(report, prepared, &run, Policy::Exhaustive(searched.bound), &mut seen)?;
        let number = report.trials;
        let is_audited = number.is_multiple_of(plan.audit_every);
        if is_audited {
            audit(report, prepared, host, &run)?;
        }
        // Behind the safety phase the order is not the schedule's, and a panic ends a trial in the middle of it.
        let is_whole = !is_cut && !matches!(run.ending, Ending::Panicked { .. });
        if is_whole && (is_audited || number == 1) && prepared.scenario.is_on(NOTHING_IS_SHARED_UNSEEN.name) {
            reordered::audit(searched, prepared, host, &run, &scheduler.steps(), number)?;
        }
        host.recycle(run);
    }
    super::confirm(report, prepared, host)
}
