//! What exploring `session_ingest` costs: `split_statements` on rung `crash`, two sessions with three messages each, on
//! the model. The project's targets: 15,000 trials a second on one core, and the lost write within 50 trials, as the
//! median of 100 seeds.
//!
//! A trial here is what it is to `retrial run`: batches of twelve schedules from the default portfolio, fault dice,
//! trace, behaviours, all invariants, one trial in 32 held twice, and each witness held again. Those second holdings
//! take time and do not count as trials. Beside it stand the same batches without invariants, and trials that are
//! only held.
//!
//! Time is what the thread has spent on a processor, so that other work on the machine does not count. It still
//! shares their caches, and where it can, the bench should have the machine to itself.
//!
//! It must never count a trial that did not come to rest as it should: an actor that panics or a refusal fails the
//! bench.
//!
//! `cargo bench -p retrial-benches --bench session_ingest`; with `-- --test` each is held once.

#![expect(
    clippy::disallowed_methods,
    reason = "reads a clock of the machine's, and takes `--bench` and `--test`"
)]
#![expect(clippy::print_stdout, reason = "prints the counts that it is for")]

use std::rc::Rc;
use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BenchmarkGroup, Criterion, Throughput};
use proptest::strategy::{Just, Strategy as _};
use retrial_engines::model::Model;
use retrial_scenarios::session_ingest::{Message, Parent, Persistence, SCENARIO, Status, Workload};
use retrial_sim::explore::{self, Plan, Report};
use retrial_sim::fault::Rung;
use retrial_sim::scenario::Scenario;
use retrial_sim::scheduler::Policy;
use retrial_sim::seed::Seed;
use retrial_sim::trial::{Ending, Setup, TestBed};

/// Schedules a workload meets, and how often a trial is held twice, as from the command line.
const SCHEDULES: u64 = 12;
const AUDIT_EVERY: u64 = 32;

/// Seeds over which the trials until the first lost write are counted.
const SEEDS: u64 = 100;

/// A seed whose trials have shown nothing by then counts as so many.
const MOST_BATCHES: u64 = 200;

const LOST_WRITE: &str = "no_lost_write_on_retry";

/// As the command line has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut criterion = Criterion::default().with_measurement(OnProcessor).configure_from_args();
    let arguments: Vec<String> = std::env::args().collect();
    let given = |argument: &str| arguments.iter().any(|given| given == argument);
    // Whoever profiles the trials does not want the counts in the picture.
    if !given("--profile-time") {
        let seeds = if given("--bench") && !given("--test") { SEEDS } else { 2 };
        until_lost(&SCENARIO, "the scenario's own workloads", seeds);
        until_lost(&fixed(true), "the fixed workload", seeds);
    }
    let mut group = criterion.benchmark_group("session_ingest/split_statements/crash");
    group.throughput(Throughput::Elements(SCHEDULES));
    for (name, is_judged) in [("explored", true), ("explored_unjudged", false)] {
        let (fixed, mut bed, mut number) = (fixed(is_judged), bed(), 0);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                number += 1;
                batch(&fixed, &mut bed, Seed(1), number)
            });
        });
    }
    let (mut bed, mut number) = (bed(), 0);
    group.bench_function("own_workloads", |bencher| {
        bencher.iter(|| {
            number += 1;
            batch(&SCENARIO, &mut bed, Seed(1), number)
        });
    });
    group.throughput(Throughput::Elements(1));
    held(&mut group);
    group.finish();
    criterion.final_summary();
}

/// Trials that nobody looks at, one policy after the other, as a batch has them.
fn held(group: &mut BenchmarkGroup<'_, OnProcessor>) {
    let (scenario, mut bed, mut number) = (&SCENARIO, bed(), 0);
    let (strategy, rung, workload) = (strategy(), rung(), Rc::new(workload()));
    let candidate = scenario.strategies[strategy].it;
    let opening = Rc::new((scenario.opening)(candidate, &workload));
    let setup = Setup {
        rung,
        cost: scenario.cost,
        limits: (scenario.limits)(&workload),
        opening: Some(&opening),
        tables: scenario.tables,
    };
    let mut schedulers = Policy::PORTFOLIO.map(Policy::scheduler);
    group.bench_function("held", |bencher| {
        bencher.iter(|| {
            number += 1;
            let scheduler = &mut *schedulers[number % Policy::PORTFOLIO.len()];
            let seed = Seed(1).nth(number as u64);
            let stage = |world: &_| (scenario.stage)(world, candidate, rung, &workload);
            let run = bed.hold(scheduler, seed, seed.named("ambient"), &setup, stage);
            let run = run.expect("nothing is refused");
            assert_eq!(run.ending, Ending::Quiescent, "the trial comes to rest");
            bed.recycle(run);
        });
    });
}

/// Prints after how many trials the lost write was first seen, from one seed after another.
fn until_lost(scenario: &Sessions, workloads: &str, seeds: u64) {
    let invariant = scenario.invariants.iter().position(|item| item.name == LOST_WRITE);
    let invariant = invariant.expect("the invariant is on the shelf");
    let mut bed = bed();
    let mut counts: Vec<u64> = (1..=seeds)
        .map(|seed| {
            let mut report = Report::default();
            for number in 0..MOST_BATCHES {
                report.absorb(batch(scenario, &mut bed, Seed(seed), number));
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

fn batch(scenario: &Sessions, bed: &mut TestBed, seed: Seed, number: u64) -> Report {
    let policies = Policy::PORTFOLIO.to_vec();
    let plan = Plan { seed, schedules: SCHEDULES, policies, audit_every: AUDIT_EVERY, engine: "model" };
    let report = explore::batch(scenario, bed, strategy(), rung(), &plan, number);
    let told = report.refused.as_ref().or(report.disagreement.as_ref());
    assert_eq!((told, report.trials), (None, SCHEDULES), "nothing is refused, and every trial repeats");
    assert_eq!(report.tallies.last().map(|tally| tally.violations), Some(0), "nobody panics");
    report
}

fn bed() -> TestBed {
    TestBed::new(Box::new(Model::new()))
}

fn strategy() -> usize {
    let strategy = SCENARIO.strategies.iter().position(|candidate| candidate.name == "split_statements");
    strategy.expect("the strategy is on the shelf")
}

fn rung() -> &'static Rung {
    SCENARIO.ladder.iter().find(|rung| rung.name == "crash").expect("the rung is on the ladder")
}

/// The time that this thread has spent on a processor.
struct OnProcessor;

impl Measurement for OnProcessor {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the pointer is to a live `timespec`, which is all that the call writes to.
        let told = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
        assert_eq!(told, 0, "every system that this runs on has the clock");
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    }

    fn end(&self, started: Duration) -> Duration {
        self.start() - started
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

/// Two sessions with three messages each: of the six, two have a title, two a branch, two a parent, four a status,
/// which is about what the scenario's own workloads have. Nobody else writes, all can be read, and a batch holds three.
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
    Workload { clients: [one, other], edits: Vec::new(), consumers: 2, batch: 3 }
}

/// What the scenario is.
type Sessions = Scenario<Workload, dyn Persistence>;

/// The scenario with that one workload, and with or without its invariants.
fn fixed(is_judged: bool) -> Sessions {
    let invariants = if is_judged { SCENARIO.invariants } else { &[] };
    Scenario { workloads: |_| Just(workload()).boxed(), invariants, ..SCENARIO }
}
