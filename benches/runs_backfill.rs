//! The cost of exploring `runs_backfill`: `procedure_not_null` in environment `traffic`, twelve rows in chunks of
//! three, on the model. The project's target: 12,000 trials a second on one core.
//!
//! Trials in which something went wrong are not counted; see [`rate`].
//!
//! `cargo bench -p retrial-benches --bench runs_backfill`; with `-- --test` each is run once.

#![expect(clippy::print_stdout, reason = "prints how long a trial is")]

mod rate;

use proptest::strategy::{Just, Strategy as _};
use retrial_scenarios::runs_backfill::{
    Ask, Conditions, Migration, Named, Payload, SCENARIO, Touch, Workload,
};
use retrial_sim::scenario::Scenario;

use self::rate::Place;

/// The same allocator as the command-line program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    Place { own: SCENARIO, fixed: fixed(), strategy: "procedure_not_null", environment: "traffic" }.measure();
}

/// Twelve rows, three of them a connector's. One run is added, each worker takes one, and the verifier is queried
/// twice.
fn workload() -> Workload {
    let shape = |index: usize| if index % 4 == 3 { Payload::Connector } else { Payload::Chat };
    let touch = |run| vec![Touch { run, after: 1 }];
    let ask = |run| Ask { run, agent: Named::Right, conversation: Named::Right, elsewhere: false };
    Workload {
        rows: (0..12).map(shape).collect(),
        chunk: 3,
        added: vec![Payload::Chat],
        added_by_old: Vec::new(),
        workers: [touch(1), touch(8)],
        readers: [Vec::new(), Vec::new()],
        asks: vec![ask(0), ask(12)],
        as_stored: false,
    }
}

/// The scenario with this single workload.
fn fixed() -> Scenario<Workload, dyn Migration, Conditions> {
    Scenario { workloads: |_| Just(workload()).boxed(), smallest: Some(|_| workload()), ..SCENARIO }
}
