//! Measures how many trials a second a scenario is explored with; a module of the benches for which a target is stated.
//!
//! A trial is the same as in `retrial run`: batches of twelve schedules from the default portfolio, fault draws, trace,
//! behaviours and all invariants; one trial in 32 is re-run, and each counterexample is replayed. The re-runs and
//! replays take time but do not count as trials. The same batches without invariants, and trials that are only run, are
//! measured for comparison.
//!
//! Time is the thread's processor time, so other work on the machine does not count. It still shares the caches, so if
//! possible, a bench should have the machine to itself.
//!
//! Trials that went wrong are not counted: a panicking actor or a refusal fails the bench.

use std::rc::Rc;
use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BenchmarkGroup, Criterion, Throughput};
use retrial_engines::model::Model;
use retrial_sim::explore::{self, Plan, Report};
use retrial_sim::scenario::{Conditions, Scenario, Workload};
use retrial_sim::scheduler::Policy;
use retrial_sim::seed::Seed;
use retrial_sim::trial::{Ending, Setup, TrialHost};

/// Schedules per workload, and how often a trial is re-run, as on the command line.
const SCHEDULES: u64 = 12;
const AUDIT_EVERY: u64 = 32;

/// A strategy of a scenario in an environment.
pub(crate) struct Place<W: 'static, S: ?Sized + 'static, E: 'static> {
    /// The scenario as it is.
    pub(crate) own: Scenario<W, S, E>,
    /// The scenario with a single workload, which is also its smallest.
    pub(crate) fixed: Scenario<W, S, E>,
    pub(crate) strategy: &'static str,
    pub(crate) environment: &'static str,
}

impl<W: Workload, S: ?Sized, E: Conditions> Place<W, S, E> {
    /// Measures all variants.
    pub(crate) fn measure(&self) {
        let mut criterion = Criterion::default().with_measurement(OnProcessor).configure_from_args();
        let name = format!("{}/{}/{}", self.own.name, self.strategy, self.environment);
        self.length();
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(SCHEDULES));
        let unjudged = Scenario { invariants: &[], ..self.fixed };
        for (name, scenario) in
            [("explored", &self.fixed), ("explored_unjudged", &unjudged), ("own_workloads", &self.own)]
        {
            let (mut host, mut number) = (self.host(), 0);
            group.bench_function(name, |bencher| {
                bencher.iter(|| {
                    number += 1;
                    self.batch(scenario, &mut host, Seed(1), number)
                });
            });
        }
        group.throughput(Throughput::Elements(1));
        self.only_run(&mut group);
        group.finish();
        criterion.final_summary();
    }

    /// Prints the average length of a trial of the fixed workload, to put its rate into perspective.
    fn length(&self) {
        let (mut host, mut report) = (self.host(), Report::default());
        (1..=20).for_each(|number| report.absorb(self.batch(&self.fixed, &mut host, Seed(1), number)));
        let each = |all: u64| format!("{}.{}", all / report.trials, all * 10 / report.trials % 10);
        // Statements are counted in the timed trials, which are a quarter of all.
        println!("a trial: {} steps, {} statements", each(report.steps), each(4 * report.costs.statements));
    }

    /// Runs a batch of a variant of the scenario.
    pub(crate) fn batch(
        &self,
        scenario: &Scenario<W, S, E>,
        host: &mut TrialHost,
        seed: Seed,
        number: u64,
    ) -> Report {
        let policies = Policy::PORTFOLIO.to_vec();
        let plan =
            Plan { seed, schedules: SCHEDULES, policies, audit_every: AUDIT_EVERY, engine: self.engine() };
        let report = explore::batch(scenario, host, self.strategy(), self.environment(), &plan, number);
        let failed = report.failure.as_ref().map(|failure| failure.error.to_string());
        let told = failed.or(report.disagreement.clone());
        assert_eq!((told, report.trials), (None, SCHEDULES), "nothing is refused, and every trial repeats");
        assert_eq!(report.tallies.last().map(|tally| tally.violations), Some(0), "no actor panics");
        report
    }

    /// Measures trials that are only run, alternating between the policies as a batch does.
    fn only_run(&self, group: &mut BenchmarkGroup<'_, OnProcessor>) {
        let (scenario, mut host, mut number) = (&self.fixed, self.host(), 0);
        let environment = self.environment();
        let workload = Rc::new((scenario.smallest.expect("each has one"))(environment));
        let candidate = scenario.strategies[self.strategy()].it;
        let initial_state = Rc::new((scenario.initial_state)(candidate, &workload));
        let setup = Setup {
            environment: environment.as_ref(),
            cost: scenario.cost,
            limits: (scenario.limits)(&workload),
            initial_state: Some(&initial_state),
            tables: scenario.tables,
        };
        let mut schedulers = Policy::PORTFOLIO.map(Policy::scheduler);
        group.bench_function("only_run", |bencher| {
            bencher.iter(|| {
                number += 1;
                let scheduler = &mut *schedulers[number % Policy::PORTFOLIO.len()];
                let seed = Seed(1).nth(number as u64);
                let stage = |world: &_| (scenario.stage)(world, candidate, environment, &workload);
                let run = host.run(scheduler, seed, seed.named("ambient"), &setup, stage);
                let run = run.expect("nothing is refused");
                assert_eq!(run.ending, Ending::Quiescent, "the trial finishes");
                host.recycle(run);
            });
        });
    }

    /// A host with the scenario's engine.
    pub(crate) fn host(&self) -> TrialHost {
        match self.engine() {
            "model" => TrialHost::new(Box::new(Model::new())),
            "none" => TrialHost::without_engine(),
            other => panic!("no rate is stated on the engine {other}"),
        }
    }

    /// The scenario's first engine, as on the command line.
    fn engine(&self) -> &'static str {
        self.own.engines[0]
    }

    fn strategy(&self) -> usize {
        let strategy = self.own.strategies.iter().position(|candidate| candidate.name == self.strategy);
        strategy.expect("the strategy is in the registry")
    }

    fn environment(&self) -> &'static E {
        self.own.environment(self.environment).expect("the environment is there")
    }
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
