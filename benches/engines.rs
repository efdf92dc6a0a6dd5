//! The overhead of the kernel over SQLite: a whole trial of `last_seen_backfill` in its environment `crash`, against a
//! bare loop that sends the same statements with the same parameters over connections of the same kind. Both restore
//! the initial rows first. The project's target is that a trial takes at most 1.5 times as long.
//!
//! The trial is replayed from its tape and reads the final tables at its end; no invariant is checked. The bare loop
//! sends statements outside a transaction as they are, without the BEGIN and COMMIT that the engine puts around them.
//! Since a harness has to read the final tables to check anything, the loop is also measured with that.
//!
//! The bare loop must do as much to the database as the trial did: its final rows are compared once, before anything is
//! measured.
//!
//! `cargo bench -p retrial-benches --bench engines`; with `-- --test` each is run once.

#![expect(clippy::disallowed_methods, reason = "measures real time, and takes `--bench` and `--test`")]
#![expect(clippy::print_stdout, reason = "prints the ratios that it is for")]

use std::time::{Duration, Instant};

use criterion::Criterion;
use retrial_engines::sqlite::Sqlite;
use retrial_sim::choice::{Pace, RecordedTape};
use retrial_sim::scheduler::{Random, Replay};
use retrial_sim::seed::Seed;
use retrial_sim::trial::{Ending, TrialHost};

use self::bare::{Bare, Sent};
use self::sample::Sample;

mod bare;
mod sample;

const STRATEGIES: [&str; 3] = ["keyset_cursor", "keyset_cursor_monotonic", "limit_loop"];

/// Number of turns of each side in the comparison, and number of trials per turn.
const TURNS: usize = 60;
const TRIALS: u32 = 20;

/// The same allocator as the command-line program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut duels: Vec<Duel> = STRATEGIES.into_iter().map(Duel::new).collect();
    for duel in &mut duels {
        let mut group = criterion.benchmark_group(format!("last_seen_backfill/{}", duel.strategy));
        group.bench_function("kernel", |bencher| bencher.iter(|| duel.kernel()));
        group.bench_function("bare_loop", |bencher| bencher.iter(|| duel.bare(false)));
        group.bench_function("bare_loop_and_final_rows", |bencher| bencher.iter(|| duel.bare(true)));
        group.finish();
    }
    criterion.final_summary();
    let arguments: Vec<String> = std::env::args().collect();
    let given = |argument: &str| arguments.iter().any(|given| given == argument);
    let turns = if given("--bench") && !given("--test") { TURNS } else { 1 };
    // A profile of one side must not include the other.
    if !given("--profile-time") {
        duels.iter_mut().for_each(|duel| duel.compare(turns));
    }
}

/// One trial, both ways.
struct Duel {
    strategy: &'static str,
    sample: Sample,
    host: TrialHost,
    tape: RecordedTape,
    sent: Vec<Sent>,
    bare: Bare,
    /// A description of the trial, printed with the ratio.
    story: String,
}

impl Duel {
    fn new(strategy: &'static str) -> Duel {
        let sample = Sample::new(strategy, "crash");
        let mut host = TrialHost::new(Box::new(Sqlite::new().expect("an engine")));
        let mut scheduler = Random::new(Pace::Free);
        // The first seed whose trial has a fault, finishes, and leaves the same rows as its statements alone: a crash
        // before one of the engine's own commits would undo what the bare loop keeps.
        for seed in (0..1_000).map(Seed) {
            let run = sample.run_trial(&mut host, &mut scheduler, seed, seed);
            if run.injected.is_empty() || run.ending != Ending::Quiescent {
                continue;
            }
            let sent = bare::statements(&run.trace);
            let mut bare = Bare::new(&sample.initial_state);
            bare.run_trial(&sent);
            if bare.tables(run.tables.iter().map(|(table, _)| table.name.as_str())) != run.tables {
                continue;
            }
            let story = format!(
                "{seed:?}, {} statements, {} steps, {} crashes",
                sent.len(),
                run.steps,
                run.injected.len()
            );
            let tape = run.tape.recorded();
            return Duel { strategy, sample, host, tape, sent, bare, story };
        }
        panic!("no seed gives a trial to compare");
    }

    fn kernel(&mut self) {
        let ambient = self.tape.ambient;
        let run =
            self.sample.run_trial(&mut self.host, &mut Replay::new(self.tape.clone()), Seed(0), ambient);
        self.host.recycle(run);
    }

    fn bare(&mut self, final_rows: bool) {
        self.bare.run_trial(&self.sent);
        if final_rows {
            self.bare.read_tables();
        }
    }

    /// Alternates between the sides, so that other load on the machine affects both, and compares the medians.
    fn compare(&mut self, turns: usize) {
        let mut times = [const { Vec::new() }; 3];
        for _ in 0..turns {
            times[0].push(turn(|| self.kernel()));
            times[1].push(turn(|| self.bare(false)));
            times[2].push(turn(|| self.bare(true)));
        }
        let [kernel, bare, with_rows] = times.map(|mut times| {
            times.sort_unstable();
            (times[times.len() / 2] / TRIALS).as_micros()
        });
        println!(
            "{}: kernel {kernel} us, bare loop {bare} us (ratio {}), and its final rows {with_rows} us (ratio {}); {}",
            self.strategy,
            ratio(kernel, bare),
            ratio(kernel, with_rows),
            self.story,
        );
    }
}

fn turn(mut run_trial: impl FnMut()) -> Duration {
    let began = Instant::now();
    for _ in 0..TRIALS {
        run_trial();
    }
    began.elapsed()
}

fn ratio(one: u128, other: u128) -> String {
    let hundredths = one * 100 / other.max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
