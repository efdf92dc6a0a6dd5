//! Large numbers of joins, constraints, tables, rows and sessions. Quadratic or worse running times show as minutes.
#![expect(clippy::disallowed_methods, reason = "how long a statement takes is what is tested here")]

use std::time::{Duration, Instant};

use retrial_pgmodel::{Database, Step};

/// The maximum duration of a test, without optimization and on a busy machine.
const LONGEST: Duration = Duration::from_secs(60);

/// The result of the last statement of a text.
fn run(database: &Database, sql: &str) -> String {
    let session = database.connect();
    let last = match database.send(session, sql) {
        Ok(Step::Done(finished)) => match finished.results.last() {
            Some(Ok(outcome)) => format!("{} rows, {} affected", outcome.rows.len(), outcome.affected),
            Some(Err(failure)) => failure.to_string(),
            None => String::new(),
        },
        Ok(Step::Waiting(_)) => "waits".to_owned(),
        Err(failure) => failure.to_string(),
    };
    database.close(session);
    last
}

/// Runs texts one after another and checks the last result.
fn check(texts: &[String], expected: &str) {
    let start = Instant::now();
    let database = Database::new();
    let mut found = String::new();
    for text in texts {
        found = run(&database, text);
    }
    assert!(found.contains(expected), "{found}");
    assert!(start.elapsed() < LONGEST, "it takes {:?}", start.elapsed());
}

fn each(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect()
}

#[test]
fn a_thousand_joins() {
    let tables = "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1)".to_owned();
    let joins = each(1000, |i| format!(" JOIN t t{i} ON t{i}.a = t.a"));
    check(&[tables.clone(), format!("SELECT * FROM t{joins}")], "1 rows");
    let chained = each(1000, |i| format!(" JOIN t t{} ON t{}.a = t{i}.a", i + 1, i + 1));
    check(&[tables.clone(), format!("SELECT count(*) FROM t t0{chained}")], "1 rows");
    let commas = each(1000, |i| format!(", t t{i}"));
    check(&[tables.clone(), format!("SELECT 1 FROM t{commas}")], "1 rows");
    let outer = each(1000, |i| format!(" LEFT JOIN t t{i} ON t{i}.a = t.a"));
    check(&[tables.clone(), format!("SELECT count(*) FROM t{outer}")], "1 rows");
    let using = each(1000, |i| format!(" JOIN t t{i} USING (a)"));
    check(&[tables, format!("SELECT count(*) FROM t{using}")], "1 rows");
}

#[test]
fn ten_thousand_constraints() {
    let checks = each(10_000, |i| format!(", CHECK (a > -{i})"));
    check(&[format!("CREATE TABLE t (a int{checks})"), "INSERT INTO t VALUES (1)".to_owned()], "1 affected");
    let columns = each(1000, |i| format!(", c{i} int UNIQUE"));
    check(&[format!("CREATE TABLE t (a int{columns})"), "INSERT INTO t VALUES (1)".to_owned()], "1 affected");
    let indexes = each(1000, |_| "CREATE INDEX ON t (a);".to_owned());
    check(
        &[format!("CREATE TABLE t (a int);{indexes}"), "INSERT INTO t VALUES (1)".to_owned()],
        "1 affected",
    );
}

#[test]
fn a_chain_of_foreign_keys() {
    let tables = each(5000, |i| {
        format!("CREATE TABLE t{} (a int PRIMARY KEY REFERENCES t{i} ON DELETE CASCADE);", i + 1)
    });
    let rows = each(5000, |i| format!("INSERT INTO t{} VALUES (1);", i + 1));
    let first = "CREATE TABLE t0 (a int PRIMARY KEY); INSERT INTO t0 VALUES (1);".to_owned();
    check(&[first, tables, rows, "DELETE FROM t0".to_owned()], "1 affected");
}

#[test]
fn a_hundred_thousand_rows_that_refer_to_each_other() {
    let table = "CREATE TABLE t (a int PRIMARY KEY, b int REFERENCES t ON DELETE CASCADE)".to_owned();
    let rows = "INSERT INTO t SELECT g, nullif(g - 1, 0) FROM generate_series(1, 100000) g".to_owned();
    let delete = "DELETE FROM t WHERE a = 1".to_owned();
    check(&[table.clone(), rows.clone(), delete.clone()], "looks at rows more than");
    check(&[table, rows, "CREATE INDEX ON t (b)".to_owned(), delete], "1 affected");
    let apart = "CREATE TABLE p (a int PRIMARY KEY); CREATE TABLE c (a int);
        INSERT INTO p SELECT * FROM generate_series(1, 100000); INSERT INTO c SELECT * FROM p;
        ALTER TABLE c ADD FOREIGN KEY (a) REFERENCES p; UPDATE c SET a = a"
        .to_owned();
    check(&[apart], "100000 affected");
    let sets = "SELECT * FROM generate_series(1, 100000) INTERSECT SELECT * FROM generate_series(1, 100000)";
    check(&[sets.to_owned()], "100000 rows");
}

#[test]
fn a_thousand_sessions_that_wait_for_one_row() {
    let start = Instant::now();
    let database = Database::new();
    run(&database, "CREATE TABLE t (a int PRIMARY KEY, b int); INSERT INTO t VALUES (1, 0)");
    let sessions: Vec<_> = (0..1000).map(|_| database.connect()).collect();
    for session in &sessions {
        let _ = database.send(*session, "BEGIN; UPDATE t SET b = b + 1 WHERE a = 1");
        database.check_deadlock(*session);
    }
    let mut due = database.alarm();
    for _ in 0..2000 {
        let Some(next) = due else { break };
        database.advance(next);
        due = database.alarm();
    }
    for session in &sessions {
        let _ = database.send(*session, "COMMIT");
        while database.has_ready() {
            for ready in database.take_ready() {
                let _ = database.resume(ready);
            }
        }
    }
    assert_eq!(run(&database, "SELECT 1 FROM t WHERE b = 1000"), "1 rows, 1 affected");
    assert!(start.elapsed() < LONGEST, "it takes {:?}", start.elapsed());
}

#[test]
fn sessions_that_are_gone_cost_nothing() {
    let start = Instant::now();
    let database = Database::new();
    for _ in 0..20_000 {
        let session = database.connect();
        for _ in 0..5 {
            assert_eq!(database.alarm(), None);
        }
        database.close(session);
    }
    assert!(start.elapsed() < LONGEST / 20, "it takes {:?}", start.elapsed());
}

/// Refusals are cached like other parse results, since each step of each permutation of a spec sends its text again.
#[test]
fn a_text_that_is_refused_again_and_again() {
    let text = format!("SELECT {}1{}", "(".repeat(12_000), ")".repeat(12_000));
    check(&vec![text; 1000], "nested deeper");
}
