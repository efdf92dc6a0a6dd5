//! The traffic beside a migration: one reader on its own connection, and one ingest that needs the writer connection.
//! Neither retries, because the point is to measure what the story's users experienced.

#![expect(clippy::disallowed_methods, reason = "measures real time, and pauses on real threads")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};

/// The pause between two polls of the reader, and between two requests of the ingest.
const READER_PAUSE: Duration = Duration::from_millis(10);
const INGEST_PAUSE: Duration = Duration::from_millis(20);

/// Times, the longest last once [`Times::sort`] was called.
#[derive(Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    /// The time that 95 of 100 do not exceed.
    pub(crate) fn p95(&self) -> Duration {
        let rank = (self.0.len() * 95).div_ceil(100);
        self.0.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    pub(crate) fn max(&self) -> Duration {
        self.0.last().copied().unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    fn sort(mut self) -> Times {
        self.0.sort_unstable();
        self
    }
}

/// The reader's results.
#[derive(Default)]
pub(crate) struct Reads {
    /// The duration of every query, including failed ones.
    pub(crate) times: Times,
    /// The number of queries that failed with `SQLITE_BUSY`.
    pub(crate) busy: u32,
}

/// Polls the queries in turn until `stop` is set.
pub(crate) fn read(connection: &Connection, queries: &[&str], stop: &AtomicBool) -> Reads {
    let mut reads = Reads::default();
    while !stop.load(Ordering::Relaxed) {
        for query in queries {
            let began = Instant::now();
            let result = poll(connection, query);
            reads.times.0.push(began.elapsed());
            match result {
                Ok(()) => {}
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => reads.busy += 1,
                Err(error) => panic!("a reader's query failed: {error}"),
            }
        }
        thread::sleep(READER_PAUSE);
    }
    Reads { times: reads.times.sort(), ..reads }
}

fn poll(connection: &Connection, query: &str) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(query)?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

/// Requests the writer connection repeatedly and updates one row's `last_seen` with it; returns how long each request
/// waited for the connection.
pub(crate) fn ingest(writer: &Mutex<Connection>, bump: &str, rows: i64, stop: &AtomicBool) -> Times {
    let mut waits = Times::default();
    // Later than every observation, so that each bump changes its row and has to be made durable.
    let mut timestamp = i64::from(u32::MAX);
    let mut id = 0;
    while !stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        let connection = writer.lock().expect("no thread panics with the connection");
        waits.0.push(began.elapsed());
        timestamp += 1;
        // A step that is coprime to the story's numbers of rows, so that the bumps are spread.
        id = (id + 7919) % rows;
        let mut statement = connection.prepare_cached(bump).expect("the bump is prepared");
        statement.execute([timestamp, id + 1]).expect("the bump is written");
        drop(statement);
        drop(connection);
        thread::sleep(INGEST_PAUSE);
    }
    waits.sort()
}
