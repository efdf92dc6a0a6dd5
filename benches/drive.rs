//! Runs the story's strategies against a real database in real time: the SQL that their own files send, and the loops
//! around it. It contains no SQL of its own, because otherwise something other than the strategy would be measured.

#![expect(
    clippy::disallowed_methods,
    reason = "measures real time, and sleeps for as long as the story's loop"
)]

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use retrial_engines::sqlite::Sqlite;
use retrial_sim::choice::Pace;
use retrial_sim::engine::Value;
use retrial_sim::scheduler::Random;
use retrial_sim::seed::Seed;
use retrial_sim::trace::EventKind;
use retrial_sim::trial::TrialHost;
use rusqlite::{Connection, StatementStatus, ToSql};

use crate::sample::Sample;

/// How long the story's loop sleeps between two batches.
const YIELD: Duration = Duration::from_millis(100);

/// The SQL texts that one trial of a strategy has sent, each once, in order of first use.
pub(crate) struct Texts {
    sent: Vec<(&'static str, String)>,
    /// The migration's name in `_async_migrations`.
    pub(crate) name: String,
}

impl Texts {
    pub(crate) fn of(strategy: &str) -> Texts {
        let mut host = TrialHost::new(Box::new(Sqlite::new().expect("an engine")));
        let mut scheduler = Random::new(Pace::Timed);
        // In this environment all actors take part and nothing fails, so every text is sent.
        let run = Sample::new(strategy, "ingest").run_trial(&mut host, &mut scheduler, Seed(0), Seed(0));
        let mut texts = Texts { sent: Vec::new(), name: String::new() };
        for event in &run.trace.events {
            let EventKind::Ran(statement) = &event.kind else { continue };
            if !texts.sent.iter().any(|(_, sql)| *sql == statement.sql) {
                texts.sent.push((statement.label, statement.sql.clone().into_owned()));
            }
            if statement.label == "register" {
                texts.name = statement.params.first().and_then(Value::text).unwrap_or_default().to_owned();
            }
        }
        texts
    }

    /// The first text with that label.
    pub(crate) fn one(&self, label: &str) -> &str {
        self.all(label)[0]
    }

    /// Every text with that label.
    fn all(&self, label: &str) -> Vec<&str> {
        let found: Vec<_> = self.sent.iter().filter(|(known, _)| *known == label).collect();
        assert!(!found.is_empty(), "no statement of the trial is labelled `{label}`");
        found.into_iter().map(|(_, sql)| sql.as_str()).collect()
    }
}

/// Statistics of a migration's use of the writer connection.
#[derive(Default)]
pub(crate) struct Held {
    /// The longest time for which it held the connection without a break.
    pub(crate) longest: Duration,
    pub(crate) batches: u32,
    /// The steps of SQLite's virtual machine that the statements labelled `batch` took.
    pub(crate) steps: u64,
    /// The time that those statements took, without the commit where that is a separate statement.
    pub(crate) stepping: Duration,
    /// The time that this file spent on checking whether the loop is complete, which no strategy does; excluded from
    /// all figures.
    pub(crate) aside: Duration,
    /// The number of rows that those statements reported as changed.
    processed: i64,
}

/// A running migration.
pub(crate) struct Migration<'a> {
    writer: &'a Mutex<Connection>,
    texts: &'a Texts,
    batch: i64,
    pub(crate) held: Held,
}

impl<'a> Migration<'a> {
    pub(crate) fn new(writer: &'a Mutex<Connection>, texts: &'a Texts, batch: i64) -> Migration<'a> {
        Migration { writer, texts, batch, held: Held::default() }
    }

    pub(crate) fn single_update(&mut self) {
        self.hold(|turn| turn.batch(turn.texts.one("batch"), &[]));
    }

    /// The loop as it was to be merged, except for its end: it does not end while a row without observations is left.
    /// So it is stopped after the first batch that changed no value, which is the first before which no row was `left`.
    pub(crate) fn limit_loop(&mut self, left: impl Fn() -> i64) {
        let (texts, batch) = (self.texts, self.batch);
        let max_id = self.hold(|turn| turn.number(texts.one("lookup-max"), &[]));
        let total = self.hold(|turn| turn.number(texts.one("lookup-total"), &[&max_id]));
        let mut useful = true;
        while useful {
            let looked = Instant::now();
            useful = left() > 0;
            self.held.aside += looked.elapsed();
            self.hold(|turn| turn.batch(texts.one("batch"), &[&max_id, &batch]));
            // A separate turn, as in the loop: the connection is released in between.
            self.hold(|turn| turn.report(total));
            thread::sleep(YIELD);
        }
    }

    /// The first statement of `keyset_cursor_one_transaction`, on its own.
    pub(crate) fn index(&mut self) {
        self.hold(|turn| turn.number(turn.texts.one("prepare"), &[]));
    }

    /// The loop that `keyset_cursor_one_transaction` and `keyset_cursor_monotonic` share.
    pub(crate) fn keyset_cursor(&mut self) {
        let (texts, batch) = (self.texts, self.batch);
        let [_, open, advance] = texts.all("progress")[..] else { panic!("three texts report progress") };
        let cursors = texts.all("prepare").pop().expect("the table of cursors is made last");
        self.hold(|turn| turn.number(cursors, &[]));
        self.hold(|turn| turn.number(texts.one("lookup-cursor"), &[]));
        let max_id = self.hold(|turn| turn.number(texts.one("lookup-max"), &[]));
        let total = self.hold(|turn| turn.number(texts.one("lookup-total"), &[&max_id]));
        self.hold(|turn| {
            turn.number(texts.one("begin"), &[]);
            turn.report(total);
            turn.number(open, &[&texts.name, &max_id]);
            turn.number(texts.one("commit"), &[]);
        });
        let mut last_id = 0;
        while last_id < max_id {
            last_id = self.hold(|turn| {
                turn.number(texts.one("begin"), &[]);
                let end = turn.number(texts.one("page"), &[&last_id, &max_id, &batch]);
                turn.batch(texts.one("batch"), &[&last_id, &end]);
                turn.report(total);
                turn.number(advance, &[&end, &texts.name]);
                turn.number(texts.one("commit"), &[]);
                end
            });
            thread::sleep(YIELD);
        }
    }

    /// The loop of `exists_filter_with_progress`, without its progress reports once per second.
    pub(crate) fn exists_filter(&mut self) {
        let (texts, batch) = (self.texts, self.batch);
        let max_id = self.hold(|turn| turn.number(texts.one("lookup-max"), &[]));
        let total = self.hold(|turn| turn.number(texts.one("lookup-total"), &[&max_id]));
        let mut before = -1;
        while self.held.processed > before {
            before = self.held.processed;
            self.hold(|turn| turn.batch(texts.one("batch"), &[&max_id, &batch]));
            thread::sleep(YIELD);
        }
        self.hold(|turn| turn.report(total));
    }

    /// The loop of `keyset_raise_to_latest`, also without its progress reports.
    pub(crate) fn raised_pages(&mut self) {
        let (texts, batch) = (self.texts, self.batch);
        let max_id = self.hold(|turn| turn.number(texts.one("lookup-max"), &[]));
        // Ids have no gaps here.
        let total = max_id;
        let mut cursor = 0;
        loop {
            let end = self.hold(|turn| turn.number(texts.one("page"), &[&cursor, &max_id, &batch]));
            if end == 0 {
                break;
            }
            self.hold(|turn| turn.batch(texts.one("batch"), &[&cursor, &end]));
            cursor = end;
            thread::sleep(YIELD);
        }
        self.hold(|turn| turn.report(total));
    }

    /// Acquires the writer connection, works, and releases it; the wait for it does not count.
    fn hold<T>(&mut self, work: impl FnOnce(&mut Turn<'_>) -> T) -> T {
        let connection = self.writer.lock().expect("no thread panics with the connection");
        let began = Instant::now();
        let result = work(&mut Turn { connection: &connection, texts: self.texts, held: &mut self.held });
        self.held.longest = self.held.longest.max(began.elapsed());
        result
    }
}

/// The writer connection while the migration holds it.
struct Turn<'t> {
    connection: &'t Connection,
    texts: &'t Texts,
    held: &'t mut Held,
}

impl Turn<'_> {
    /// Sends a statement that fills rows.
    fn batch(&mut self, sql: &str, params: &[&dyn ToSql]) {
        let mut statement = self.connection.prepare_cached(sql).expect("the batch is prepared");
        let began = Instant::now();
        self.held.processed += statement.execute(params).expect("the batch runs") as i64;
        self.held.stepping += began.elapsed();
        self.held.steps += u64::try_from(statement.reset_status(StatementStatus::VmStep)).expect("a count");
        self.held.batches += 1;
    }

    /// Writes the counts, with the first of the texts that report progress.
    fn report(&mut self, total: i64) {
        let now = 1_735_689_600_i64;
        let (processed, sql) = (self.held.processed, self.texts.one("progress"));
        self.number(sql, &[&processed, &total, &now, &self.texts.name]);
    }

    /// Sends any other statement; returns the first number of its result, 0 if there is none.
    fn number(&self, sql: &str, params: &[&dyn ToSql]) -> i64 {
        let mut statement = self.connection.prepare_cached(sql).expect("the statement is prepared");
        let mut rows = statement.query(params).expect("its parameters fit");
        let mut first = None;
        while let Some(row) = rows.next().expect("the statement runs") {
            first = first.or(Some(row.get::<_, Option<i64>>(0).expect("a number").unwrap_or(0)));
        }
        first.unwrap_or(0)
    }
}
