//! How soon each scheduler finds the known failures, and how small the shrunk counterexamples are; then the cost of a
//! trial under each scheduler. For every known failure that must be observed, in the environment that it names: the
//! median over a hundred seeds. The exhaustive search has no seed, so it is run once. A seed that found nothing never
//! counts as one that did.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "measures real time, takes its arguments, and prints a table"
)]

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use retrial::catalogue;
use retrial::scenarios::SCENARIOS;
use retrial_sim::choice::Pace;
use retrial_sim::explore::shrink::Budget;
use retrial_sim::explore::{Plan, Report};
use retrial_sim::registry::{ScenarioEntry, ScenarioInfo};
use retrial_sim::scenario::KnownFailure;
use retrial_sim::scheduler::Policy;
use retrial_sim::seed::Seed;
use retrial_sim::trial::TrialHost;

/// The same allocator as the command-line program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Schedules per workload, as on the command line.
const SCHEDULES: u64 = 12;

/// Number of trials after which a seed counts as having found nothing.
const MOST: u64 = 1_200;

const SEEDS: u64 = 100;

const POLICIES: [Policy; 4] =
    [Policy::random(Pace::Free), Policy::random(Pace::Timed), Policy::pct(3), Policy::POS];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let given = |argument: &str| arguments.iter().any(|given| given == argument);
    if !given("--profile-time") {
        finding(if given("--bench") && !given("--test") { SEEDS } else { 1 });
    }
    let mut criterion = Criterion::default().configure_from_args();
    costs(&mut criterion);
    criterion.final_summary();
}

/// A known failure that must be observed, and where.
struct Wanted {
    entry: &'static dyn ScenarioEntry,
    info: ScenarioInfo,
    strategy: usize,
    environment: usize,
    owned: &'static KnownFailure,
    invariant: usize,
}

fn wanted() -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for entry in SCENARIOS {
        let info = entry.info();
        for (strategy, candidate) in info.strategies.iter().enumerate() {
            for owned in candidate.known_failures.iter().filter(|owned| owned.is_demanded()) {
                let environment =
                    info.environments.iter().position(|environment| environment.name == owned.from);
                let invariant = info.invariants.iter().position(|(name, _)| *name == owned.invariant);
                let (Some(environment), Some(invariant)) = (environment, invariant) else { continue };
                wanted.push(Wanted {
                    entry: *entry,
                    info: info.clone(),
                    strategy,
                    environment,
                    owned,
                    invariant,
                });
            }
        }
    }
    wanted
}

fn finding(seeds: u64) {
    println!("| strategy | breaks | environment | random | timed | pct:3 | pos | exhaustive | shrunk |");
    println!("|---|---|---|---:|---:|---:|---:|---:|---:|");
    for wanted in wanted() {
        let mut host = catalogue::host(wanted.info.engines[0]).expect("the engine starts");
        let cells: Vec<String> = POLICIES.map(|policy| wanted.median(&mut host, policy, seeds)).into();
        let (searched, shrunk) = (wanted.searched(&mut host), wanted.shrunk(&mut host));
        let Wanted { info, strategy, environment, .. } = &wanted;
        let (strategy, environment) = (info.strategies[*strategy].name, info.environments[*environment].name);
        let invariant = wanted.owned.invariant;
        println!(
            "| {strategy} | {invariant} | {environment} | {} | {searched} | {shrunk} |",
            cells.join(" | ")
        );
    }
}

impl Wanted {
    fn plan(&self, seed: Seed, policies: Vec<Policy>) -> Plan {
        Plan { seed, schedules: SCHEDULES, policies, audit_every: u64::MAX, engine: self.info.engines[0] }
    }

    /// The trials and the time to the first violation from one seed; `None` if there was none.
    fn first(&self, host: &mut TrialHost, policy: Policy, seed: Seed) -> Option<(u64, Duration)> {
        let (plan, began) = (self.plan(seed, vec![policy]), Instant::now());
        let mut report = Report::default();
        for number in 0..MOST / SCHEDULES {
            report.absorb(self.entry.batch(host, self.strategy, self.environment, &plan, number));
            if let Some((trial, _)) = report.tallies[self.invariant].first_violation {
                return Some((trial, began.elapsed() * trial as u32 / report.trials as u32));
            }
        }
        None
    }

    fn median(&self, host: &mut TrialHost, policy: Policy, seeds: u64) -> String {
        let mut found = Vec::new();
        let mut failed = 0;
        for seed in 1..=seeds {
            match self.first(host, policy, Seed(seed)) {
                Some(first) => found.push(first),
                None => failed += 1,
            }
            // More than half of the seeds have found nothing, so there is no median.
            if failed * 2 > seeds {
                return format!("> {MOST}");
            }
        }
        found.sort_unstable();
        let (trials, time) = found[(seeds as usize / 2).min(found.len() - 1)];
        format!("{trials}, {} ms", millis(time))
    }

    fn searched(&self, host: &mut TrialHost) -> String {
        let (plan, began) = (self.plan(Seed(1), Vec::new()), Instant::now());
        let mut most = |held| held < MOST;
        let report = self.entry.search(host, self.strategy, self.environment, &plan, None, &mut most);
        match report.tallies[self.invariant].first_violation {
            Some((trial, _)) => {
                format!("{trial}, {} ms", millis(began.elapsed() * trial as u32 / report.trials as u32))
            }
            None if report.searched.is_some_and(|searched| searched.is_complete()) => "not there".to_owned(),
            None => format!("> {}", report.trials),
        }
    }

    /// The size of a counterexample from the first seed, shrunk: faults, choices and steps.
    fn shrunk(&self, host: &mut TrialHost) -> String {
        let plan = self.plan(Seed(1), Policy::PORTFOLIO.to_vec());
        for number in 0..MOST / SCHEDULES {
            let report = self.entry.batch(host, self.strategy, self.environment, &plan, number);
            let Some(met) = report.tallies[self.invariant].counterexample() else { continue };
            let budget = Budget { trials: 1_000, steps: 1_000_000 };
            let least = self.entry.shrink(host, &met.case, None, budget).expect("a counterexample shrinks");
            let choices = least.case.tape.choices.len();
            return format!("{} / {choices} / {}", least.faults, least.steps);
        }
        "-".to_owned()
    }
}

/// Milliseconds with one decimal.
fn millis(time: Duration) -> String {
    let tenths = time.as_micros().div_ceil(100);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// The cost of trials under each scheduler, including footprints where it uses them.
fn costs(criterion: &mut Criterion) {
    let wanted = wanted();
    let wanted = wanted.iter().find(|it| it.info.strategies[it.strategy].name == "split_statements");
    let wanted = wanted.expect("the strategy is in the registry");
    let environment = wanted
        .info
        .environments
        .iter()
        .position(|environment| environment.name == "crash")
        .expect("the environment is there");
    let mut group = criterion.benchmark_group("session_ingest/split_statements/crash");
    let mut host = catalogue::host("model").expect("the engine starts");
    for policy in POLICIES {
        let (plan, mut number) = (wanted.plan(Seed(1), vec![policy]), 0);
        group.throughput(Throughput::Elements(SCHEDULES));
        group.bench_function(policy.to_string(), |bencher| {
            bencher.iter(|| {
                number += 1;
                wanted.entry.batch(&mut host, wanted.strategy, environment, &plan, number)
            });
        });
    }
    let plan = wanted.plan(Seed(1), Vec::new());
    group.throughput(Throughput::Elements(100));
    group.bench_function("exhaustive", |bencher| {
        bencher.iter(|| {
            let mut most = |held| held < 100;
            wanted.entry.search(&mut host, wanted.strategy, environment, &plan, None, &mut most)
        });
    });
    group.finish();
}
