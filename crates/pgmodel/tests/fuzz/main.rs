//! Fuzzing with broken SQL: statements of the specs and scenarios with tokens removed, repeated, swapped, nested and
//! replaced. No text may panic or run for long.
#![expect(
    clippy::disallowed_methods,
    reason = "a text must not take long, and a run ends after so many seconds"
)]
#![expect(clippy::print_stderr, reason = "whoever fuzzes wants to know the seed and the slowest text")]

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use retrial_pgmodel::{Database, Step};

mod odd;

use odd::ODD;

/// The number of texts that `cargo test` tries.
const CASES: u32 = 1500;

/// The maximum duration of one text, without optimization and on a busy machine.
const LONGEST: Duration = Duration::from_secs(30);

/// Statements run before every broken text, so that its names may exist.
const BEFORE: &str = "CREATE TABLE t (a int PRIMARY KEY, b text, c numeric, d jsonb, e int[], f timestamptz);
    CREATE TABLE u (a int REFERENCES t ON DELETE CASCADE, b interval DEFAULT '1 day');
    CREATE SEQUENCE s;
    INSERT INTO t VALUES (1, 'x', 1.5, '{\"a\": [1, 2]}', '{1,2}', '2025-01-01'), (2, '', -0.1, '[]', '{}', NULL);
    INSERT INTO u VALUES (1), (NULL)";

/// Additional seed texts, one per line, for what the specs do not contain.
const SEEDS: &str = include_str!("seeds.sql");

/// The tokens of every piece of SQL in the repository's specs and schemas.
fn corpus() -> Vec<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut texts: Vec<String> = SEEDS.lines().map(str::to_owned).collect();
    for file in files(&root.join("crates/pgmodel/specs"), "spec") {
        // Text between braces is SQL. Only JSON nests braces in these files, and may be cut anywhere.
        texts.extend(file.split(['{', '}']).skip(1).step_by(2).map(str::to_owned));
    }
    for file in files(&root.join("scenarios"), "sql") {
        texts.extend(file.split(';').map(str::to_owned));
    }
    texts.iter().map(|text| tokens(text)).filter(|tokens| !tokens.is_empty()).collect()
}

/// The contents of the files in a folder tree, sorted by path.
fn files(folder: &Path, kind: &str) -> Vec<String> {
    let mut paths: Vec<_> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            found.extend(files(&path, kind));
        } else if path.extension().is_some_and(|extension| extension == kind) {
            found.extend(fs::read_to_string(&path).ok());
        }
    }
    found
}

/// Splits a text into words, numbers, strings and symbols.
fn tokens(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut quoted = false;
    let mut word = false;
    for c in text.chars() {
        let in_word = c.is_alphanumeric() || c == '_' || c == '.';
        if quoted {
            if let Some(last) = found.last_mut() {
                last.push(c);
            }
            quoted = c != '\'';
            word = false;
        } else if c.is_whitespace() {
            word = false;
        } else if in_word && word {
            if let Some(last) = found.last_mut() {
                last.push(c);
            }
        } else {
            found.push(c.to_string());
            quoted = c == '\'';
            word = in_word;
        }
    }
    found
}

/// A mutation of a text.
#[derive(Clone, Debug)]
enum Change {
    Remove(usize),
    Double(usize, usize),
    Swap(usize, usize),
    Replace(usize, usize),
    Insert(usize, usize),
    /// Puts brackets or a subquery around a piece, several times.
    Nest(usize, usize, usize, usize),
    /// Inserts a piece of another text.
    Splice(usize, usize, usize, usize),
    Cut(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = || 0..10_000_usize;
    prop_oneof![
        1 => at().prop_map(Change::Remove),
        1 => (at(), 1..40_usize).prop_map(|(a, b)| Change::Double(a, b)),
        1 => (at(), at()).prop_map(|(a, b)| Change::Swap(a, b)),
        4 => (at(), at()).prop_map(|(a, b)| Change::Replace(a, b)),
        3 => (at(), at()).prop_map(|(a, b)| Change::Insert(a, b)),
        1 => (at(), 1..12_usize, 0..5_usize, prop_oneof![8 => 1..6_usize, 1 => 100..3000_usize])
            .prop_map(|(a, b, c, d)| Change::Nest(a, b, c, d)),
        2 => (at(), at(), at(), 1..15_usize).prop_map(|(a, b, c, d)| Change::Splice(a, b, c, d)),
        1 => at().prop_map(Change::Cut),
    ]
}

fn apply(tokens: &mut Vec<String>, change: &Change, corpus: &[Vec<String>]) {
    let length = tokens.len().max(1);
    let place = |at: usize| at % length;
    let odd = |which: usize| ODD[which % ODD.len()].to_owned();
    match *change {
        _ if tokens.is_empty() => tokens.push("SELECT".to_owned()),
        Change::Remove(at) => drop(tokens.remove(place(at))),
        Change::Double(at, times) => {
            let token = tokens[place(at)].clone();
            tokens.splice(place(at)..place(at), std::iter::repeat_n(token, times));
        }
        Change::Swap(a, b) => tokens.swap(place(a), place(b)),
        Change::Replace(at, which) => tokens[place(at)] = odd(which),
        Change::Insert(at, which) => tokens.insert(place(at), odd(which)),
        Change::Nest(at, width, how, times) => {
            let (open, close) =
                [("(", ")"), ("(SELECT", ")"), ("CASE WHEN true THEN", "END"), ("NOT", ""), ("abs(", ")")]
                    [how % 5];
            let (from, to) = (place(at), (place(at) + width).min(tokens.len()));
            tokens.splice(to..to, std::iter::repeat_n(close.to_owned(), times));
            tokens.splice(from..from, std::iter::repeat_n(open.to_owned(), times));
        }
        Change::Splice(at, which, from, width) => {
            let other = &corpus[which % corpus.len()];
            let from = from % other.len();
            let piece = other[from..(from + width).min(other.len())].to_vec();
            tokens.splice(place(at)..place(at), piece);
        }
        Change::Cut(at) => tokens.truncate(place(at) + 1),
    }
}

/// Sends a text twice and lets time pass; returns the duration.
fn send(sql: &str) -> Duration {
    let start = Instant::now();
    let database = Database::new();
    let session = database.connect();
    for text in [BEFORE, sql, sql] {
        if let Ok(Step::Waiting(_)) = database.send(session, text) {
            while let Some(due) = database.alarm() {
                database.advance(due);
                for ready in database.take_ready() {
                    let _ = database.resume(ready);
                }
            }
        }
    }
    database.close(session);
    start.elapsed()
}

/// Tries broken texts until there have been `cases` or the time is over. The seed determines the run.
fn try_texts(seed: u64, cases: u32, until: Option<Instant>) {
    let corpus = corpus();
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let strategy = (0..corpus.len(), prop::collection::vec(change(), 1..8));
    let slowest = RefCell::new((Duration::ZERO, String::new()));
    let result = runner.run(&strategy, |(which, changes)| {
        if until.is_some_and(|until| Instant::now() > until) {
            return Ok(());
        }
        let mut tokens = corpus[which].clone();
        changes.iter().for_each(|change| apply(&mut tokens, change, &corpus));
        let sql = tokens.join(" ");
        let took = std::panic::catch_unwind(|| send(&sql))
            .map_err(|_| TestCaseError::fail(format!("a panic: {sql}")))?;
        if took > slowest.borrow().0 {
            *slowest.borrow_mut() = (took, sql.chars().take(2000).collect());
        }
        prop_assert!(took < LONGEST, "it takes {took:?}: {sql}");
        Ok(())
    });
    let slowest = slowest.into_inner();
    eprintln!("the slowest took {:?}: {}", slowest.0, slowest.1);
    if let Err(found) = result {
        panic!("{found}");
    }
}

/// Same as [`try_texts`], on a thread with a usual stack.
fn on_a_thread(seed: u64, cases: u32, until: Option<Instant>) {
    let thread = thread::Builder::new().stack_size(2 << 20);
    let found = thread.spawn(move || try_texts(seed, cases, until)).expect("a thread starts").join();
    assert!(found.is_ok(), "a broken text was found with seed {seed}");
}

#[test]
fn no_broken_text_panics_or_goes_on_for_long() {
    on_a_thread(1, CASES, None);
}

/// Runs for `RETRIAL_FUZZ_SECONDS` (60 by default). Seeds start at the current time, so each run tries new texts.
#[test]
#[ignore = "takes a minute"]
fn fuzz_sql_text() {
    let seconds = std::env::var("RETRIAL_FUZZ_SECONDS").ok().and_then(|it| it.parse().ok()).unwrap_or(60);
    let until = Instant::now() + Duration::from_secs(seconds);
    let first =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |it| it.as_secs());
    let mut seed = first;
    while Instant::now() < until {
        eprintln!("seed {seed}");
        on_a_thread(seed, 5000, Some(until));
        seed += 1;
    }
}
