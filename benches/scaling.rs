//! Measures whether more trials take more memory, and whether two jobs take half the time of one. A plain program,
//! because criterion measures neither memory nor threads.
//!
//! Memory is the peak of the process (`VmHWM`), so each figure comes from a separate process, in which this program
//! runs again. The trials with SQLite go through the same list of batches as a run from the command line, reports
//! included.
//!
//! Two sizes are never measured in one process, and only times that were taken alternately are compared.
//!
//! `cargo bench -p retrial-benches --bench scaling`; with `-- --test` the counts are tiny.

#![expect(
    clippy::disallowed_methods,
    reason = "measures real time, and starts itself with arguments of its own"
)]
#![expect(clippy::print_stdout, reason = "prints the tables that it is for")]

use std::process::Command;
use std::time::{Duration, Instant};

use retrial::catalogue;
use retrial::jobs::{self, Part, Sum, Unit};
use retrial::plan::Cell;
use retrial_sim::choice::Pace;
use retrial_sim::engine::Cost;
use retrial_sim::explore::Plan;
use retrial_sim::fault::Environment;
use retrial_sim::scheduler::{Policy, Random};
use retrial_sim::seed::Seed;
use retrial_sim::trial::{Limits, Setup, TrialHost};

/// The argument that makes this program run trials and print their peak memory.
const MEMORY_OF: &str = "--memory-of";

/// The worlds whose memory is measured.
const KERNEL: &str = "kernel";
const SQLITE: &str = "last_seen_backfill/keyset_cursor";

/// Schedules per workload, as on the command line.
const SCHEDULES: u64 = 12;

const REPETITIONS: usize = 3;

/// Linux counts processor time for user space in hundredths of a second, on every architecture that matters here.
const MILLISECONDS_A_TICK: u64 = 10;

/// The same allocator as the command-line program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|given| given == MEMORY_OF) {
        let [world, trials] = &arguments[at + 1..] else { panic!("a world and a number of trials") };
        let trials = trials.parse().expect("a number of trials");
        if world == KERNEL {
            run_in_kernel(trials)
        } else {
            run_on_sqlite(world, trials)
        }
        println!("{}", peak_in_kilobytes());
        return;
    }
    // `cargo test --benches` passes no `--bench`, and only checks that the program runs.
    let given = |argument: &str| arguments.iter().any(|given| given == argument);
    let real = given("--bench") && !given("--test");
    memory(real);
    time(if real { 12 } else { 1 });
}

fn memory(real: bool) {
    println!("| world | trials | peak memory | ratio |\n|---|---:|---:|---:|");
    for (world, trials) in [(KERNEL, 10_000), (SQLITE, 2_000)] {
        let trials = if real { trials } else { SCHEDULES };
        let mut first = None;
        for trials in [trials, trials * 10] {
            let executable = std::env::current_exe().expect("this program has a path");
            let trials = trials.to_string();
            let output = Command::new(executable).args([MEMORY_OF, world, &trials]).output();
            let output = output.expect("this program starts again");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let peak: u64 = String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number");
            let first = *first.get_or_insert(peak);
            println!("| {world} | {trials} | {peak} kB | {} |", ratio(u128::from(peak), u128::from(first)));
        }
    }
}

fn peak_in_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux says");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line of it");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Two actors that only step, six times each.
fn run_in_kernel(trials: u64) {
    const CALM: Environment =
        Environment { name: "calm", about: "nothing fails", fault_rules: &[], budget: 0 };
    let setup = Setup {
        environment: &CALM,
        cost: Cost::FREE,
        limits: Limits { safety_steps: 1_000, fair_steps: 1_000, progress: &[] },
        initial_state: None,
        tables: &[],
    };
    let mut host = TrialHost::without_engine();
    let mut scheduler = Random::new(Pace::Free);
    for seed in (0..trials).map(|number| Seed(1).nth(number)) {
        let run = host.run(&mut scheduler, seed, seed, &setup, |world| {
            for actor in ["one", "other"] {
                world.actor(actor, move |actor| async move {
                    for _ in 0..6 {
                        actor.step("step").await;
                    }
                });
            }
        });
        host.recycle(run.expect("nothing is refused where no engine takes part"));
    }
}

/// Runs the strategy in its environment `crash`, with one job.
fn run_on_sqlite(target: &str, trials: u64) {
    let is_crash = |cell: &Cell| cell.entry.info().environments[cell.environment].name == "crash";
    let cells: Vec<Cell> = cells(target).into_iter().filter(is_crash).collect();
    run_trial(&cells, trials.div_ceil(SCHEDULES), 1);
}

/// Times the same batches of every strategy in every environment, with one job and with two.
fn time(batches: u64) {
    let cells = cells("last_seen_backfill");
    let mut times = [Vec::new(), Vec::new()];
    println!("\n| jobs | trials | time | processor time |\n|---:|---:|---:|---:|");
    for _ in 0..REPETITIONS {
        for (index, times) in times.iter_mut().enumerate() {
            let (began, before) = (Instant::now(), processor_time());
            let trials = run_trial(&cells, batches, index + 1);
            let (time, spent) = (began.elapsed(), processor_time() - before);
            println!("| {} | {trials} | {} ms | {} ms |", index + 1, time.as_millis(), spent.as_millis());
            times.push(time);
        }
    }
    let [one, two] = times.map(|mut times| {
        times.sort_unstable();
        times[REPETITIONS / 2].as_nanos()
    });
    println!("\nTwo jobs are {} times as fast as one, by their medians.", ratio(one, two));
}

/// The processor time of all threads of this process. On a shared machine it shows whether two jobs slowed each other
/// down, which increases it, or merely had no second core.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux says");
    // The program's name is in brackets and may contain anything; utime and stime are fields 14 and 15 (proc(5)).
    let (_, fields) = stat.rsplit_once(") ").expect("a name in brackets");
    let ticks: u64 =
        fields.split(' ').skip(11).take(2).map(|field| field.parse::<u64>().expect("a number")).sum();
    Duration::from_millis(ticks * MILLISECONDS_A_TICK)
}

/// All environments of the target's strategies.
fn cells(target: &str) -> Vec<Cell> {
    let plan = Plan {
        seed: Seed(1),
        schedules: SCHEDULES,
        policies: Policy::PORTFOLIO.to_vec(),
        audit_every: 32,
        engine: "sqlite",
    };
    let selected = catalogue::select(&[target.to_owned()]).expect("the target is there").remove(0);
    let cell = |strategy, environment| Cell {
        selection: 0,
        entry: selected.entry,
        strategy,
        environment,
        plan: plan.clone(),
        trials: u64::MAX,
        search: None,
    };
    let environments = 0..selected.info.environments.len();
    selected
        .strategies
        .iter()
        .flat_map(|strategy| environments.clone().map(|environment| cell(*strategy, environment)))
        .collect()
}

/// Runs `batches` batches of each cell; returns the number of trials.
fn run_trial(cells: &[Cell], batches: u64, jobs: usize) -> u64 {
    let trials = SCHEDULES;
    let units: Vec<Unit> = (0..batches)
        .flat_map(|batch| {
            (0..cells.len()).map(move |cell| Unit { cell, part: Part::Batch { number: batch, trials } })
        })
        .collect();
    let mut sums = vec![Sum::default(); cells.len()];
    jobs::run(cells, &units, jobs, &mut sums, &|_| {}).expect("the engine starts");
    assert!(sums.iter().all(|sum| sum.report.failure.is_none()), "nothing is refused");
    sums.iter().map(|sum| sum.report.trials).sum()
}

fn ratio(one: u128, other: u128) -> String {
    let hundredths = one * 100 / other.max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
