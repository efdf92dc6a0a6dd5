//! What exploring `reserve_cap` costs: `derived_cap` on rung `busy`, a pool of four and five conversations, on the
//! model. The project's target: 30,000 trials a second on one core.
//!
//! A trial here is what it is to `retrial run`: batches of twelve schedules from the default portfolio, trace,
//! behaviours, all invariants, one trial in 32 held twice, and each witness held again. Those second holdings take
//! time and do not count as trials. Beside it stand the same batches without invariants, and trials that are only
//! held.
//!
//! Time is what the thread has spent on a processor, so that other work on the machine does not count. It still
//! shares their caches, and where it can, the bench should have the machine to itself.
//!
//! It must never count a trial that did not come to rest as it should: an actor that panics or a refusal fails the
//! bench.
//!
//! `cargo bench -p retrial-benches --bench reserve_cap`; with `-- --test` each is held once.

#![expect(
    clippy::disallowed_methods,
    reason = "reads a clock of the machine's, and takes `--bench` and `--test`"
)]
#![expect(clippy::print_stdout, reason = "prints how long a trial is")]

use std::rc::Rc;
use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BenchmarkGroup, Criterion, Throughput};
use proptest::strategy::{Just, Strategy as _};
use retrial_engines::model::Model;
use retrial_scenarios::reserve_cap::{ConversationLock, SCENARIO, Workload};
use retrial_sim::explore::{self, Plan, Report};
use retrial_sim::fault::Rung;
use retrial_sim::scenario::Scenario;
use retrial_sim::scheduler::Policy;
use retrial_sim::seed::Seed;
use retrial_sim::trial::{Ending, Setup, TestBed};

/// Schedules a workload meets, and how often a trial is held twice, as from the command line.
const SCHEDULES: u64 = 12;
const AUDIT_EVERY: u64 = 32;

/// As the command line has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut criterion = Criterion::default().with_measurement(OnProcessor).configure_from_args();
    let arguments: Vec<String> = std::env::args().collect();
    let given = |argument: &str| arguments.iter().any(|given| given == argument);
    // Whoever profiles the trials does not want the counts in the picture.
    if !given("--profile-time") {
        lengths();
    }
    let mut group = criterion.benchmark_group("reserve_cap/derived_cap/busy");
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

/// Prints how long a trial of the fixed workload is.
fn lengths() {
    let report = (1..=100).fold(Report::default(), |mut report, number| {
        report.absorb(batch(&fixed(true), &mut bed(), Seed(1), number));
        report
    });
    let each = |all: u64| format!("{}.{}", all / report.trials, all * 10 / report.trials % 10);
    // Statements are counted in the timed quarter of the trials.
    println!("a trial: {} steps, {} statements", each(report.steps), each(4 * report.costs.statements));
}

fn batch(scenario: &Locks, bed: &mut TestBed, seed: Seed, number: u64) -> Report {
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
    let strategy = SCENARIO.strategies.iter().position(|candidate| candidate.name == "derived_cap");
    strategy.expect("the strategy is on the shelf")
}

fn rung() -> &'static Rung {
    SCENARIO.ladder.iter().find(|rung| rung.name == "busy").expect("the rung is on the ladder")
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

/// Five conversations, one more than the pool has connections and two more than the cap, each with a run; an ordinary
/// query, and a look at the health page.
fn workload() -> Workload {
    Workload {
        runs: vec![1, 2, 3, 4, 5],
        pods: 1,
        pool: 4,
        runners: 5,
        queries: 1,
        probes: 1,
        environment: None,
    }
}

/// What the scenario is.
type Locks = Scenario<Workload, dyn ConversationLock>;

/// The scenario with that one workload, and with or without its invariants.
fn fixed(is_judged: bool) -> Locks {
    let invariants = if is_judged { SCENARIO.invariants } else { &[] };
    Scenario { workloads: |_| Just(workload()).boxed(), invariants, ..SCENARIO }
}
