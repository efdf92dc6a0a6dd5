//! `last_seen_backfill`: a migration that fills a column over a table in use, on the one writer connection that
//! the ingest path needs too. See README.md for the story.

use std::rc::Rc;
use std::time::Duration;

use proptest::strategy::BoxedStrategy;
use retrial_sim::engine::{Cost, Opening};
use retrial_sim::fault::Rung;
use retrial_sim::invariant::Invariant;
use retrial_sim::scenario::{Candidate, Item, Scenario};
use retrial_sim::trial::Limits;
use retrial_sim::world::World;

pub use self::migration::{Backfill, Failure, Migration};
pub use self::workload::{Arrival, Transmission, Workload};

pub mod strategies;

mod breaks;
mod cast;
mod effort;
mod history;
mod invariants;
mod ladder;
mod migration;
mod workload;

/// The scenario.
#[derive(Debug)]
pub struct LastSeenBackfill;

/// A row stands for about fifteen hundred of the operator's, so a step of SQLite's machine costs as many times the
/// 150 to 210 ns that it takes on 71,000 rows (`benches/README.md`, headline).
const COST: Cost = Cost {
    per_statement: Duration::ZERO,
    per_step: Duration::from_micros(300),
    per_commit: Duration::from_millis(5),
    delay_unit: Duration::from_micros(10),
};

impl Scenario for LastSeenBackfill {
    type Workload = Workload;

    fn name(&self) -> &'static str {
        "last_seen_backfill"
    }

    fn story(&self) -> &'static str {
        include_str!("README.md")
    }

    fn ladder(&self) -> &'static [Rung] {
        ladder::LADDER
    }

    fn strategies(&self) -> Vec<Candidate> {
        let candidate = |item: &Item<dyn Backfill>| Candidate {
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
        &["sqlite"]
    }

    fn tables(&self) -> &'static [&'static str] {
        &["transmissions", "observations", "_async_migrations"]
    }

    fn cost(&self) -> Cost {
        COST
    }

    fn workloads(&self, rung: &Rung) -> BoxedStrategy<Workload> {
        workload::strategy(cast::takes_part("ingestor", rung))
    }

    fn check(&self, workload: &Workload) -> Result<(), String> {
        workload.check()
    }

    fn opening(&self, _strategy: usize, workload: &Workload) -> Opening {
        workload.opening()
    }

    /// A candidate that works needs at most ten steps a batch. Starting over after a restart may take the fair phase,
    /// which has room for that.
    fn limits(&self, workload: &Workload) -> Limits {
        let batches = workload.batches() as u32 + 3;
        let others = 12 * workload.arrivals.len() as u32 + 8 * workload.polls;
        Limits {
            safety_steps: 12 * batches + others,
            fair_steps: 40 * batches + 4 * others + 400,
            progress: &["transmissions", "observations"],
        }
    }

    fn stage(&self, world: &World, strategy: usize, rung: &Rung, workload: &Rc<Workload>) {
        cast::enter(world, strategies::STRATEGIES[strategy].it, rung, workload);
    }
}
