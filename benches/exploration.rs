//! The cost of a trial of the kernel alone: two actors that only step, and no engine. The project's target is 250,000
//! trials a second on one core, for twelve steps in total.
//!
//! It sends no SQL and checks no invariant: engines.rs measures the former, scaling.rs both.
//!
//! `cargo bench -p retrial-benches --bench exploration`; with `-- --test` each is run once.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use retrial_sim::choice::Pace;
use retrial_sim::engine::Cost;
use retrial_sim::fault::Environment;
use retrial_sim::scheduler::Policy;
use retrial_sim::seed::Seed;
use retrial_sim::trial::{Limits, Setup, TrialHost};

/// The same allocator as the command-line program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("kernel");
    group.throughput(Throughput::Elements(1));
    for (name, steps) in [("two_actors_six_steps_each", 6), ("two_actors_twelve_steps_each", 12)] {
        trials(&mut group, name, Policy::random(Pace::Free), steps);
        trials(&mut group, &format!("{name}_pct:3"), Policy::pct(3), steps);
    }
    group.finish();
    criterion.final_summary();
}

/// Consecutive trials on one host with one scheduler, each with its own seed.
fn trials(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, policy: Policy, steps: u32) {
    let mut host = TrialHost::without_engine();
    let mut scheduler = policy.scheduler();
    let setup = setup();
    let mut number = 0;
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            number += 1;
            let seed = Seed(1).nth(number);
            let run = host.run(&mut *scheduler, seed, seed.named("ambient"), &setup, |world| {
                for actor in ["one", "other"] {
                    world.actor(actor, move |actor| async move {
                        for _ in 0..steps {
                            actor.step("step").await;
                        }
                    });
                }
            });
            let run = run.expect("nothing is refused where no engine takes part");
            assert_eq!(run.steps, 2 * steps, "every step was taken");
            host.recycle(run);
        });
    });
}

/// A setup in which nothing fails and nothing takes time.
fn setup() -> Setup<'static> {
    const CALM: Environment =
        Environment { name: "calm", about: "nothing fails", fault_rules: &[], budget: 0 };
    Setup {
        environment: &CALM,
        cost: Cost::FREE,
        limits: Limits { safety_steps: 1_000, fair_steps: 1_000, progress: &[] },
        initial_state: None,
        tables: &[],
    }
}
