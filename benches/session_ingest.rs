//! The cost of exploring `session_ingest`: `split_statements` in environment `crash`, two sessions with three messages
//! each, on the model. The project's targets: 15,000 trials a second on one core, and the lost write within 50 trials,
//! as the median of 100 seeds.
//!
//! Trials in which something went wrong are not counted; see [`rate`].
//!
//! `cargo bench -p retrial-benches --bench session_ingest`; with `-- --test` each is run once.

#![expect(
    clippy::disallowed_methods,
    reason = "reads a clock of the machine's, and takes `--bench` and `--test`"
)]
#![expect(clippy::print_stdout, reason = "prints the counts that it is for")]

mod rate;

use proptest::strategy::{Just, Strategy as _};
use retrial_scenarios::session_ingest::{
    Conditions, Message, Parent, Persistence, SCENARIO, Status, Workload,
};
use retrial_sim::explore::Report;
use retrial_sim::scenario::Scenario;
use retrial_sim::seed::Seed;

use self::rate::Place;

/// Number of seeds for which the trials until the first lost write are counted.
const SEEDS: u64 = 100;

/// Maximum number of batches per seed; a seed that has found nothing by then counts with all of its trials.
const MOST_BATCHES: u64 = 200;

const LOST_WRITE: &str = "no_lost_write_on_retry";

/// The same allocator as the command-line program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let given = |argument: &str| arguments.iter().any(|given| given == argument);
    let place = Place { own: SCENARIO, fixed: fixed(), strategy: "split_statements", environment: "crash" };
    // A profile of the trials must not include the counts.
    if !given("--profile-time") {
        let seeds = if given("--bench") && !given("--test") { SEEDS } else { 2 };
        until_lost(&place, &place.own, "the scenario's own workloads", seeds);
        until_lost(&place, &place.fixed, "the fixed workload", seeds);
    }
    place.measure();
}

/// Prints the number of trials until the lost write is first seen, over consecutive seeds.
fn until_lost(
    place: &Place<Workload, dyn Persistence, Conditions>,
    scenario: &Scenario<Workload, dyn Persistence, Conditions>,
    workloads: &str,
    seeds: u64,
) {
    let invariant = scenario.invariants.iter().position(|item| item.name == LOST_WRITE);
    let invariant = invariant.expect("the invariant is in the registry");
    let mut host = place.host();
    let mut counts: Vec<u64> = (1..=seeds)
        .map(|seed| {
            let mut report = Report::default();
            for number in 0..MOST_BATCHES {
                report.absorb(place.batch(scenario, &mut host, Seed(seed), number));
                if let Some((first, _)) = report.tallies[invariant].first_violation {
                    return first;
                }
            }
            report.trials
        })
        .collect();
    counts.sort_unstable();
    let at = |percent: usize| counts[(counts.len() - 1) * percent / 100];
    println!(
        "trials until the lost write, {seeds} seeds, {workloads}: median {}, nine in ten within {}, worst {}",
        at(50),
        at(90),
        at(100)
    );
}

/// Two sessions with three messages each. Of the six messages, two have a title, two a branch, two a parent and four a
/// status, which is about what the scenario's own workloads have. There are no other writers, all messages are
/// readable, and a batch holds three.
fn workload() -> Workload {
    let nothing = Message::default;
    let one = vec![
        Message { title: true, status: Some(Status::Busy), ..nothing() },
        Message { branch: true, parent: Some(Parent::Other), ..nothing() },
        Message { status: Some(Status::Idle), ..nothing() },
    ];
    let other = vec![
        Message { title: true, branch: true, ..nothing() },
        Message { status: Some(Status::Busy), ..nothing() },
        Message { parent: Some(Parent::Root), status: Some(Status::Error), ..nothing() },
    ];
    Workload { clients: [one, other], edits: Vec::new(), consumers: 2, batch: 3, late_parent: false }
}

/// The scenario with this single workload.
fn fixed() -> Scenario<Workload, dyn Persistence, Conditions> {
    Scenario { workloads: |_| Just(workload()).boxed(), smallest: Some(|_| workload()), ..SCENARIO }
}
