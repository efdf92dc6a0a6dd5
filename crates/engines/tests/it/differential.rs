//! The differential test that certifies the model: random tables, rows and statements of three sessions run in lock
//! step on the model and on a live server, and after each statement both must have said the same, and the same
//! sessions must wait. It must never pass in silence without a server, nor without having met waits, deadlocks and
//! the errors that matter.
//!
//! Every session of the live server has its planner's index scans, hash joins and merge joins turned off, so that
//! rows are met, and locked, in the order of the heap, as on the model. Kept cases lie in `tests/differential` and
//! are run first.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use retrial_engines::postgres::Server;
use retrial_sim::seed::Seed;

use self::live::Live;
use self::lockstep::{Ended, run};
use self::schedule::Schedule;
use self::tally::Tally;

mod analysis;
mod compare;
mod concurrent_index;
mod ddl;
mod family;
mod generate;
mod kind;
mod lateral;
mod live;
mod lockstep;
mod names;
mod pair;
mod schedule;
mod serializable;
mod shrink;
mod statement;
mod statements;
mod tally;
mod texts;
mod trigger;
mod volatile;

/// How many threads drive the server, each with a database of its own.
const WORKERS: u64 = 2;
/// How often a difference must be there again.
const REPEATS: u32 = 6;
/// A run ends after so many differences: they tend to have one cause.
const DIFFERENCES_MAX: u64 = 12;
/// Where all schedules' seeds come from.
const SEED: Seed = Seed(0x5eed);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential")
}

#[expect(clippy::disallowed_methods, reason = "a longer run is asked for by the environment")]
fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn kept_cases_agree() {
    let Some(server) = super::postgres::server() else { return };
    let mut live = Live::new(&server);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder())
        .map(|found| found.filter_map(|entry| Some(entry.ok()?.path())).collect())
        .unwrap_or_default();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    let mut differences = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a kept case can be read");
        // The server's waits are timed, and on a busy machine one may be seen too early: what lasts is a difference.
        let differs = |live: &mut Live| match run(&Schedule::read(&text), live).0 {
            Ended::Differs(account) => Some(account),
            _ => None,
        };
        let account = differs(&mut live).and_then(|_| differs(&mut live)).and_then(|_| differs(&mut live));
        differences.extend(account.map(|account| format!("{}:\n{account}", path.display())));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn the_model_and_the_server_agree() {
    let Some(server) = super::postgres::server() else { return };
    certify(&server, asked("RETRIAL_DIFFERENTIAL").unwrap_or(2000));
}

#[test]
#[ignore = "an hour's work, to be asked for"]
fn the_model_and_the_server_agree_at_length() {
    let Some(server) = super::postgres::server() else { return };
    certify(&server, 100_000);
}

#[expect(clippy::print_stderr, reason = "a run says in one line what it has met")]
fn certify(server: &Arc<Server>, schedules: u64) {
    let first = asked("RETRIAL_DIFFERENTIAL_FROM").unwrap_or(0);
    let next = AtomicU64::new(first);
    let found = AtomicU64::new(0);
    let work = || {
        let mut live = Live::new(server);
        let mut tally = Tally::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= first + schedules || found.load(Ordering::Relaxed) >= DIFFERENCES_MAX {
                return tally;
            }
            let schedule = generate::schedule(SEED.nth(number));
            found.fetch_add(u64::from(one(&schedule, number, &mut live, &mut tally)), Ordering::Relaxed);
        }
    };
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            tally.add(&worker.join().expect("a worker ends well"));
        }
    });
    eprintln!("differential: {tally}");
    assert_eq!(found.into_inner(), 0, "differences, kept in {}", folder().display());
    tally.demand();
}

/// Says in which schedule a panic was.
struct ToldInPanic<'a>(u64, &'a Schedule);

impl Drop for ToldInPanic<'_> {
    #[expect(clippy::print_stderr, reason = "nobody else can say it")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the model or the harness panics in schedule {}:\n{}", self.0, self.1);
        }
    }
}

/// Runs a schedule, known by that number; true where the sides differ, which is then shrunk and kept.
fn one(schedule: &Schedule, number: u64, live: &mut Live, tally: &mut Tally) -> bool {
    let (ended, met) = {
        let _told = ToldInPanic(number, schedule);
        run(schedule, live)
    };
    tally.add(&met);
    let Ended::Differs(_) = ended else { return false };
    let Some(account) = repeated(schedule, live) else {
        tally.unrepeated += 1;
        return false;
    };
    let (shorter, account) = shrink::shrink(schedule, account, live);
    if repeated(&shorter, live).is_none() {
        tally.unrepeated += 1;
        return false;
    }
    let schema: String = shorter.schema.iter().map(|sql| format!("schema: {sql}\n")).collect::<String>()
        + &shorter.rows.iter().map(|sql| format!("row: {sql}\n")).collect::<String>();
    let body: String = account.lines().skip(1).map(|line| format!("  {line}\n")).collect();
    let text = format!("Schedule {number}.\n{schema}{body}\nAs it is to be run:\n{}", steps(&shorter));
    let _ = std::fs::create_dir_all(folder());
    std::fs::write(folder().join(format!("found-{number}.txt")), text).expect("a difference can be kept");
    true
}

/// The account of a difference that is there every time. One that is not is a race that the model cannot foresee: where
/// a waiter gives its place in a row's queue up before it follows the row's update, the next one may overtake it.
fn repeated(schedule: &Schedule, live: &mut Live) -> Option<String> {
    let mut last = None;
    for _ in 0..REPEATS {
        let (Ended::Differs(account), _) = run(schedule, live) else { return None };
        last = Some(account);
    }
    last
}

fn steps(schedule: &Schedule) -> String {
    schedule.steps.iter().map(|step| format!("{step}\n")).collect()
}
