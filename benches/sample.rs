//! One strategy of `last_seen_backfill` with one fixed workload, for the benches that need a single trial rather than a
//! report. It checks no invariant, and draws nothing that its caller's seed does not determine.

use std::rc::Rc;

use retrial_scenarios::last_seen_backfill::{Arrival, Conditions, SCENARIO, Transmission, Workload};
use retrial_sim::engine::InitialState;
use retrial_sim::scheduler::Scheduler;
use retrial_sim::seed::Seed;
use retrial_sim::trial::{Run, Setup, TrialHost};

/// Number of transmissions at the start.
const ROWS: i64 = 40;

/// A strategy in an environment with the workload.
pub(crate) struct Sample {
    strategy: usize,
    environment: &'static Conditions,
    workload: Rc<Workload>,
    /// The rows that the trial starts from.
    pub(crate) initial_state: Rc<InitialState>,
}

impl Sample {
    pub(crate) fn new(strategy: &str, environment: &str) -> Sample {
        let strategies = SCENARIO.strategies;
        let strategy = strategies.iter().position(|candidate| candidate.name == strategy);
        let strategy = strategy.expect("the strategy is in the registry");
        let environment = SCENARIO.environment(environment);
        let workload = Rc::new(workload());
        Sample {
            strategy,
            environment: environment.expect("the environment is there"),
            initial_state: Rc::new((SCENARIO.initial_state)(SCENARIO.strategies[strategy].it, &workload)),
            workload,
        }
    }

    /// Runs one trial, from the initial rows to the final ones.
    pub(crate) fn run_trial(
        &self,
        host: &mut TrialHost,
        scheduler: &mut dyn Scheduler,
        seed: Seed,
        ambient: Seed,
    ) -> Run {
        let setup = Setup {
            environment: self.environment.as_ref(),
            cost: SCENARIO.cost,
            limits: (SCENARIO.limits)(&self.workload),
            initial_state: Some(&self.initial_state),
            tables: SCENARIO.tables,
        };
        let strategy = SCENARIO.strategies[self.strategy].it;
        let stage = |world: &_| (SCENARIO.stage)(world, strategy, self.environment, &self.workload);
        host.run(scheduler, seed, ambient, &setup, stage).expect("nothing in these trials is refused")
    }
}

/// Forty rows in batches of five, a fifth of them already bumped, and four arrivals. Every row has an observation,
/// because otherwise `limit_loop` would not end.
fn workload() -> Workload {
    let transmission = |index: i64| {
        let observations: Vec<i64> = (0..=index % 5).map(|nth| 100 + (index * 7 + nth * 11) % 41).collect();
        let latest = observations.iter().max().copied().expect("there is one at least");
        Transmission { id: 1 + index * 2, last_seen: if index % 5 == 4 { latest } else { 0 }, observations }
    };
    let arrivals =
        vec![Arrival::Seen(3, 141), Arrival::New(142), Arrival::Seen(20, 120), Arrival::Seen(39, 143)];
    Workload {
        batch: 5,
        transmissions: (0..ROWS).map(transmission).collect(),
        arrivals,
        polls: 3,
        migrated: false,
        old_before: 0,
        unindexed: false,
    }
}
