//! The exhaustive part of an exploration: every schedule of the least workload, up to the rung's faults. It must never
//! say that it has seen everything when it was stopped, or when a schedule ran into the end of the safety phase.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::{Plan, Report};
use crate::fault::Rung;
use crate::scenario::{Scenario, Workload};
use crate::scheduler::{Counts, Exhaustive, Policy};
use crate::seed::Seed;
use crate::stand::Stand;
use crate::trial::TestBed;

/// How far an exhaustive search got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Searched {
    /// Schedules, faults and preemptions.
    pub counts: Counts,
    /// The bound on preemptions, if there was one.
    pub bound: Option<u32>,
    /// The most faults that the rung lets strike.
    pub budget: u32,
    /// Whether nothing is left to try.
    pub is_finished: bool,
    /// Schedules that were not over when the safety phase was: what came after was not searched.
    pub cut: u64,
}

impl Searched {
    /// Whether every schedule within the bounds has been seen to its end.
    pub fn is_complete(&self) -> bool {
        self.is_finished && self.cut == 0
    }
}

/// Searches the scenario's least workload on that rung, for as long as `goes_on` says so of the schedules held.
pub fn search<W: Workload, S: ?Sized>(
    scenario: &Scenario<W, S>,
    bed: &mut TestBed,
    strategy: usize,
    rung: &Rung,
    plan: &Plan,
    bound: Option<u32>,
    goes_on: &mut dyn FnMut(u64) -> bool,
) -> Report {
    let workload = Rc::new((scenario.smallest)(rung));
    let safety_steps = (scenario.limits)(&workload).safety_steps;
    let stand = Stand::new(scenario, strategy, rung, plan.engine, workload);
    let mut scheduler = Exhaustive::new(bound);
    let mut report = Report::about(scenario.invariants.len());
    let mut seen = BTreeSet::new();
    let mut cut = 0;
    // The world is the same in every schedule, down to what is drawn outside of choices.
    let ambient = plan.seed.named(scenario.name).named("search");
    while !scheduler.is_done() && goes_on(report.trials) {
        let run = match stand.hold(bed, &mut scheduler, Seed(0), ambient) {
            Ok(run) => run,
            Err(error) => {
                report.refused = Some(error.to_string());
                break;
            }
        };
        cut += u64::from(run.steps >= safety_steps);
        super::take_in(&mut report, &stand, &run, Policy::Exhaustive(bound), &mut seen);
        if report.trials.is_multiple_of(plan.audit_every) {
            super::audit(&mut report, &stand, bed, &run);
        }
        bed.recycle(run);
    }
    super::confirm(&mut report, &stand, bed);
    let (counts, is_finished) = (scheduler.counts(), scheduler.is_done());
    report.searched = Some(Searched { counts, bound, budget: rung.budget, is_finished, cut });
    report
}
