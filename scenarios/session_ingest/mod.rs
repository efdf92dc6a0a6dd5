//! `session_ingest`: a queue consumer that writes what a session's durable object tells it to a row that others write
//! to as well, and notifies of the status. See README.md for the story.

use std::rc::Rc;
use std::time::Duration;

use proptest::strategy::BoxedStrategy;
use retrial_sim::engine::{Cost, Opening};
use retrial_sim::fault::Rung;
use retrial_sim::invariant::Invariant;
use retrial_sim::scenario::{Candidate, Item, Scenario};
use retrial_sim::trial::Limits;
use retrial_sim::world::World;

pub use self::consumer::{Failure, Outbox, Persistence, Session};
pub use self::object::{Emission, Emits, Fields, Versioned};
pub use self::workload::{Message, Parent, Status, Workload};

pub mod strategies;

mod breaks;
mod cast;
mod consumer;
mod history;
mod invariants;
mod ladder;
mod object;
mod relay;
mod workload;

/// The scenario.
#[derive(Debug)]
pub struct SessionIngest;

/// A worker far from its database: a round trip is what a statement costs, whatever it does there. So the times are the
/// same on a live server, which does not tell its work.
const COST: Cost = Cost {
    per_statement: Duration::from_millis(2),
    per_step: Duration::ZERO,
    per_commit: Duration::ZERO,
    delay_unit: Duration::from_micros(2),
};

impl Scenario for SessionIngest {
    type Workload = Workload;

    fn name(&self) -> &'static str {
        "session_ingest"
    }

    fn story(&self) -> &'static str {
        include_str!("README.md")
    }

    fn ladder(&self) -> &'static [Rung] {
        ladder::LADDER
    }

    fn strategies(&self) -> Vec<Candidate> {
        let candidate = |item: &Item<dyn Persistence>| Candidate {
            name: item.name,
            source: item.source,
            breaks: item.it.breaks(),
        };
        strategies::STRATEGIES.iter().map(candidate).collect()
    }

    fn invariants(&self) -> &'static [Item<dyn Invariant<Workload>>] {
        invariants::INVARIANTS
    }

    fn engines(&self) -> &'static [&'static str] {
        &["model", "postgres"]
    }

    fn trials(&self) -> u64 {
        1_200
    }

    fn tables(&self) -> &'static [&'static str] {
        &["cli_sessions_v2"]
    }

    fn cost(&self) -> Cost {
        COST
    }

    fn workloads(&self, rung: &Rung) -> BoxedStrategy<Workload> {
        workload::strategy(ladder::has_api_writer(rung))
    }

    fn check(&self, workload: &Workload) -> Result<(), String> {
        workload.check()
    }

    fn opening(&self, strategy: usize, _workload: &Workload) -> Opening {
        Workload::opening(strategies::STRATEGIES[strategy].it.migration())
    }

    /// A message takes about fifteen steps, and comes a few times more where something fails.
    fn limits(&self, workload: &Workload) -> Limits {
        let work = 40 * workload.messages() + 20 * workload.renames.len() as u32;
        Limits { safety_steps: 200 + 2 * work, fair_steps: 600 + 4 * work, progress: &["cli_sessions_v2"] }
    }

    fn stage(&self, world: &World, strategy: usize, rung: &Rung, workload: &Rc<Workload>) {
        cast::enter(world, strategies::STRATEGIES[strategy].it, rung, workload);
    }
}
