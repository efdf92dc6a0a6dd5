//! The differential test that certifies the model. Random tables, rows and statements of three sessions run in lock
//! step on the model and on a live server. After each statement, both must have returned the same messages and the same
//! sessions must be waiting. Without a server the test is shown as ignored; it passes only if it has exercised waits,
//! deadlocks and the relevant errors.
//!
//! On the live server, index scans, hash joins and merge joins are turned off, so that rows are visited, and locked, in
//! heap order, as on the model. Saved cases are in `tests/differential` and are run first.

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

/// Number of threads that drive the server, each with its own database.
const WORKERS: u64 = 2;
/// How many times a difference must be reproduced.
const REPEATS: u32 = 6;
/// Number of differences after which a run ends; they tend to have a single cause.
const DIFFERENCES_MAX: u64 = 12;
/// The seed from which all schedules' seeds are derived.
const SEED: Seed = Seed(0x5eed);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential")
}

#[expect(clippy::disallowed_methods, reason = "a longer run is asked for by the environment")]
fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn kept_cases_agree() {
    let server = super::postgres::server();
    let mut live = Live::new(&server);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder())
        .map(|found| found.filter_map(|entry| Some(entry.ok()?.path())).collect())
        .unwrap_or_default();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    let mut differences = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a kept case can be read");
        // Waits on the server are detected by timing, and on a busy machine one may be detected too early. Only a
        // difference that persists counts.
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
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn the_model_and_the_server_agree() {
    let server = super::postgres::server();
    certify(&server, asked("RETRIAL_DIFFERENTIAL").unwrap_or(2000));
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
#[ignore = "an hour's work, to be asked for"]
fn the_model_and_the_server_agree_at_length() {
    let server = super::postgres::server();
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

/// Prints the schedule in which a panic occurred.
struct ToldInPanic<'a>(u64, &'a Schedule);

impl Drop for ToldInPanic<'_> {
    #[expect(clippy::print_stderr, reason = "nobody else can say it")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the model or the harness panics in schedule {}:\n{}", self.0, self.1);
        }
    }
}

/// Runs a schedule with the given number. Returns true if the sides differ; the difference is then shrunk and saved.
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

/// The report of a difference that is reproduced every time. One that is not is a race that the model cannot predict:
/// when a waiter gives up its place in a row's queue before it follows the row's update, the next one may overtake it.
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
