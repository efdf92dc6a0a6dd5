//! What the story's operator would have experienced: 71,000 transmissions and 1.5 million observations on a real disk,
//! in real time, under the story's strategies, with a reader and an ingest running beside them.
//!
//! No SQL is written here. Each text is taken by its label from the trace of a small trial of the strategy's own file,
//! and sent to the real database in the same order, with the story's batch size and pause. Only the loop around the
//! texts is in this file.
//!
//! It must not run on an in-memory file system, and asserts nothing about time.
//!
//! `cargo bench -p retrial-benches --bench headline` takes a few minutes; with `-- --test` it has 700 rows.

#![expect(clippy::disallowed_methods, reason = "measures real time on real threads, and takes `--test`")]
#![expect(clippy::print_stdout, reason = "prints the table that it is for")]

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use retrial_sim::seed::Seed;
use rusqlite::Connection;

use self::drive::{Held, Migration, Texts};
use self::sample::Sample;
use self::traffic::{Reads, Times};

mod drive;
mod sample;
mod traffic;

/// The journal modes, by SQLite's names for them.
const JOURNALS: [&str; 2] = ["wal", "delete"];

/// How long a statement waits for a lock: the story's `busy_timeout`.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// The file that is prepared once, and the copy that a strategy runs on.
const PREPARED: &str = "prepared.db";
const STORY: &str = "story.db";

/// The time of the first observation; each one comes a second after the last.
const EARLIEST: i64 = 1_735_689_600;

/// The sizes of a run.
struct Size {
    transmissions: i64,
    observations: i64,
    batch: i64,
    idle: Duration,
}

const REAL: Size =
    Size { transmissions: 71_000, observations: 1_500_000, batch: 5_000, idle: Duration::from_secs(5) };
const TINY: Size =
    Size { transmissions: 700, observations: 14_800, batch: 50, idle: Duration::from_millis(100) };

/// One transmission in this many has no observation.
const BARREN: i64 = 50;

/// A line of the table.
struct Line {
    journal: &'static str,
    what: &'static str,
    held: Held,
    total: Duration,
    reads: Reads,
    waits: Times,
}

/// The same allocator as the command-line program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    // `cargo test --benches` passes no `--bench`, and only checks that the program runs.
    let arguments: Vec<String> = std::env::args().collect();
    let given = |argument: &str| arguments.iter().any(|given| given == argument);
    let size = if given("--bench") && !given("--test") { REAL } else { TINY };
    let folder = tempfile::Builder::new().prefix("retrial-headline-").tempdir().expect("a folder");
    let prepared = folder.path().join(PREPARED);
    fill(&prepared, &size);
    let bytes = fs::metadata(&prepared).expect("the file is there").len();
    println!(
        "{} transmissions, {} observations, {} MB at {} ({})\n",
        size.transmissions,
        size.observations,
        bytes / 1_000_000,
        folder.path().display(),
        file_system(folder.path()),
    );
    let lines: Vec<Line> =
        JOURNALS.into_iter().flat_map(|journal| lines(folder.path(), journal, &size)).collect();
    print(&lines);
}

/// Everything that is measured with one journal mode.
fn lines(folder: &Path, journal: &'static str, size: &Size) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut idle = Bench::new(folder, journal, size, "single_update");
    lines.push(idle.measure("(no migration)", |_| thread::sleep(size.idle)));
    let mut single = Bench::new(folder, journal, size, "single_update");
    lines.push(single.measure("single_update", |migration| migration.single_update()));
    single.is_filled();
    let mut loops = Bench::new(folder, journal, size, "limit_loop");
    let left = Observer::new(folder, journal);
    lines.push(loops.measure("limit_loop", |migration| migration.limit_loop(|| left.count())));
    loops.is_filled();
    let mut indexed = Bench::new(folder, journal, size, "keyset_cursor_one_transaction");
    lines.push(indexed.measure("keyset_cursor_one_transaction, its index", |migration| migration.index()));
    lines.push(
        indexed.measure("keyset_cursor_one_transaction, its loop", |migration| migration.keyset_cursor()),
    );
    indexed.is_filled();
    let mut monotonic = Bench::new(folder, journal, size, "keyset_cursor_monotonic");
    lines.push(monotonic.measure("keyset_cursor_monotonic", |migration| migration.keyset_cursor()));
    monotonic.is_filled();
    let mut filter = Bench::new(folder, journal, size, "exists_filter_with_progress");
    lines.push(filter.measure("exists_filter_with_progress", |migration| migration.exists_filter()));
    filter.is_filled();
    let mut raised = Bench::new(folder, journal, size, "keyset_raise_to_latest");
    lines.push(raised.measure("keyset_raise_to_latest", |migration| migration.raised_pages()));
    raised.is_filled();
    lines
}

/// A fresh copy of the database, and the texts of one strategy.
struct Bench<'a> {
    writer: Mutex<Connection>,
    reader: Connection,
    texts: Texts,
    journal: &'static str,
    size: &'a Size,
    folder: &'a Path,
}

impl Bench<'_> {
    fn new<'a>(folder: &'a Path, journal: &'static str, size: &'a Size, strategy: &str) -> Bench<'a> {
        for beside in [STORY.to_owned(), format!("{STORY}-wal"), format!("{STORY}-shm")] {
            // The last two do not exist with a rollback journal, and none exists at first.
            let _ = fs::remove_file(folder.join(beside));
        }
        let path = folder.join(STORY);
        fs::copy(folder.join(PREPARED), &path).expect("the database is copied");
        // Unwritten data of the copy must not count as the strategy's.
        fs::File::open(&path).and_then(|file| file.sync_all()).expect("the copy reaches the disk");
        let texts = Texts::of(strategy);
        let writer = open(&path, journal);
        writer.execute(texts.one("register"), [&texts.name]).expect("the migration is registered");
        let reader = open(&path, journal);
        Bench { writer: Mutex::new(writer), reader, texts, journal, size, folder }
    }

    /// Measures a run with the traffic beside it.
    fn measure(&mut self, what: &'static str, run: impl FnOnce(&mut Migration<'_>)) -> Line {
        let (reader, writer, texts, rows) =
            (&mut self.reader, &self.writer, &self.texts, self.size.transmissions);
        let stop = &AtomicBool::new(false);
        let mut migration = Migration::new(writer, texts, self.size.batch);
        thread::scope(|scope| {
            // Stops the traffic even if this thread panics; otherwise the scope would wait for ever.
            let stopped = Stopper(stop);
            let reads =
                scope.spawn(move || traffic::read(reader, &[texts.one("stats"), texts.one("packets")], stop));
            let waits = scope.spawn(move || traffic::ingest(writer, texts.one("bump"), rows, stop));
            let began = Instant::now();
            run(&mut migration);
            let total = began.elapsed() - migration.held.aside;
            drop(stopped);
            let reads = reads.join().expect("the reader comes back");
            let waits = waits.join().expect("the ingest comes back");
            Line { journal: self.journal, what, held: migration.held, total, reads, waits }
        })
    }

    /// Asserts that the migration has left no row behind; otherwise its time would be meaningless.
    fn is_filled(&self) {
        assert_eq!(Observer::new(self.folder, self.journal).count(), 0, "rows are left to fill");
    }
}

/// Counts the rows that are left to fill, on its own connection.
struct Observer {
    connection: Connection,
    sql: String,
}

impl Observer {
    fn new(folder: &Path, journal: &'static str) -> Observer {
        // The only strategy whose total counts exactly the rows that have an observation.
        let sql = Texts::of("exists_filter").one("lookup-total").to_owned();
        Observer { connection: open(&folder.join(STORY), journal), sql }
    }

    fn count(&self) -> i64 {
        let count = self.connection.query_row(&self.sql, [i64::MAX], |row| row.get(0));
        count.expect("the rows are counted")
    }
}

struct Stopper<'a>(&'a AtomicBool);

impl Drop for Stopper<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn open(path: &Path, journal: &str) -> Connection {
    let prepare = || -> rusqlite::Result<Connection> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(LOCK_TIMEOUT)?;
        connection.pragma_update(None, "journal_mode", journal)?;
        connection.pragma_update(None, "synchronous", "normal")?;
        Ok(connection)
    };
    prepare().expect("the database opens")
}

/// Creates the database of which every run starts from a copy. Each observation is of a random transmission, so that
/// the observations of one are scattered over the table, as when they are stored in order of arrival.
fn fill(path: &Path, size: &Size) {
    let fill = || -> rusqlite::Result<()> {
        let mut connection = Connection::open(path)?;
        connection.execute_batch(&Sample::new("single_update", "calm").initial_state.schema)?;
        let filling = connection.transaction()?;
        let mut insert = filling.prepare("INSERT INTO transmissions VALUES (?1, ?2, 0)")?;
        for id in 1..=size.transmissions {
            insert.execute([id, EARLIEST + id])?;
        }
        drop(insert);
        let mut insert =
            filling.prepare("INSERT INTO observations (transmission_id, timestamp) VALUES (?1, ?2)")?;
        let mut rng = Seed(1_724).rng();
        for nth in 0..size.observations {
            let mut id = 0;
            while id % BARREN == 0 {
                id = 1 + rng.below(size.transmissions as u64) as i64;
            }
            insert.execute([id, EARLIEST + nth])?;
        }
        drop(insert);
        filling.commit()
    };
    fill().expect("the database is filled");
}

fn print(lines: &[Line]) {
    println!(
        "| journal | strategy | batches | longest writer hold | total | reader p95 | reader max | reader errors \
         | ingest wait p95 | ingest wait max |\n|---|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    );
    for Line { journal, what, held, total, reads, waits } in lines {
        let (longest, total) = (milliseconds(held.longest), milliseconds(*total));
        let (read, read_max) = (milliseconds(reads.times.p95()), milliseconds(reads.times.max()));
        let (wait, wait_max) = (milliseconds(waits.p95()), milliseconds(waits.max()));
        println!(
            "| {journal} | {what} | {} | {longest} | {total} | {read} | {read_max} | {} of {} | {wait} | {wait_max} |",
            held.batches,
            reads.busy,
            reads.times.len(),
        );
    }
    println!("\nSteps of SQLite's virtual machine in the statements that fill rows:\n");
    for Line { journal, what, held, .. } in lines.iter().filter(|line| line.held.steps > 0) {
        let each = held.stepping.as_nanos() / u128::from(held.steps);
        println!("- {journal}, {what}: {} steps, {each} ns a step", held.steps);
    }
}

fn milliseconds(time: Duration) -> String {
    let tenths = time.as_micros() / 100;
    format!("{}.{} ms", tenths / 10, tenths % 10)
}

/// The file system of a folder: the one with the longest mount point that is a prefix of the folder's path.
fn file_system(folder: &Path) -> String {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mounts = mounts.lines().filter_map(|line| {
        let [device, point, kind, ..] = line.split(' ').collect::<Vec<_>>()[..] else { return None };
        folder.starts_with(point).then(|| (point.len(), format!("{kind} of {device}")))
    });
    mounts.max().map_or("file system unknown".to_owned(), |(_, name)| name)
}
