//! Nested texts: deeply nested ones run or are refused by name on a usual thread stack, and never overflow it.

use std::thread;

use retrial_pgmodel::{Database, Failure, Step};

/// The usual stack size of a thread, in bytes.
const STACK: usize = 2 << 20;

/// Builds a text with that nesting.
type Shape = fn(usize) -> String;

/// Kinds of nesting, each with the nesting that must work.
const SHAPES: &[(&str, usize, Shape)] = &[
    ("AND", 3000, |n| format!("SELECT 1 WHERE true{}", " AND true".repeat(n))),
    ("OR", 3000, |n| format!("SELECT 1 WHERE true{}", " OR true".repeat(n))),
    ("plus", 3000, |n| format!("SELECT 1{}", " + 1".repeat(n))),
    ("concat", 3000, |n| format!("SELECT 'a'{}", "||'a'".repeat(n))),
    ("NOT", 3000, |n| format!("SELECT {}true", "NOT ".repeat(n))),
    ("minus", 3000, |n| format!("SELECT {}1", "- ".repeat(n))),
    ("arrows", 1000, |n| format!("SELECT '{{}}'::jsonb{}", "->'a'".repeat(n))),
    ("CASE", 500, |n| format!("SELECT {}1{}", "CASE WHEN true THEN ".repeat(n), " END".repeat(n))),
    ("brackets", 1000, |n| format!("SELECT {}1{}", "(".repeat(n), ")".repeat(n))),
    ("calls", 1000, |n| format!("SELECT {}1{}", "abs(".repeat(n), ")".repeat(n))),
    ("COALESCE", 1000, |n| format!("SELECT {}1{}", "coalesce(".repeat(n), ")".repeat(n))),
    ("NULLIF", 10, |n| format!("SELECT {}1{}", "nullif(".repeat(n), ", 2)".repeat(n))),
    ("BETWEEN", 10, |n| format!("SELECT {}true{}", "(".repeat(n), " BETWEEN false AND true)".repeat(n))),
    ("CASE of CASE", 5, |n| {
        format!("SELECT {}1{}", "CASE ".repeat(n), " WHEN 1 THEN 1 WHEN 2 THEN 2 END".repeat(n))
    }),
    ("scalar", 50, |n| format!("{}SELECT 1{}", "SELECT (".repeat(n), ")".repeat(n))),
    ("EXISTS", 50, |n| format!("{}SELECT 1{}", "SELECT EXISTS (".repeat(n), ")".repeat(n))),
    ("IN", 50, |n| format!("{}SELECT 1{}", "SELECT 1 WHERE 1 IN (".repeat(n), ")".repeat(n))),
    ("FROM", 50, |n| format!("{}SELECT 1{}", "SELECT * FROM (".repeat(n), ") t".repeat(n))),
    ("UNION", 50, |n| format!("SELECT 1{}", " UNION SELECT 1".repeat(n))),
    ("UNION ALL in brackets", 50, |n| {
        format!("{}SELECT 1{}", "(".repeat(n), " UNION ALL SELECT 1)".repeat(n))
    }),
    ("WITH", 1000, |n| {
        let more: String = (1..n).map(|i| format!(", c{i} AS (SELECT * FROM c{})", i - 1)).collect();
        format!("WITH c0 AS (SELECT 1){more} SELECT * FROM c{}", n - 1)
    }),
    ("WITH in WITH", 50, |n| format!("{}SELECT 1{}", "WITH c AS (".repeat(n), ") SELECT * FROM c".repeat(n))),
    ("EXPLAIN", 0, |n| format!("{}SELECT 1", "EXPLAIN ".repeat(n))),
    ("casts", 1000, |n| format!("SELECT 1{}", "::int".repeat(n))),
    ("IS NULL", 0, |n| format!("SELECT 1{}", " IS NULL".repeat(n))),
    ("ISNULL", 0, |n| format!("SELECT 1{}", " ISNULL".repeat(n))),
    ("dots", 0, |n| format!("SELECT a{}", ".a".repeat(n))),
    ("subscripts", 0, |n| format!("SELECT a{}", "[1]".repeat(n))),
    ("ARRAY", 0, |n| format!("SELECT {}1{}", "ARRAY[".repeat(n), "]".repeat(n))),
    ("ROW", 0, |n| format!("SELECT {}1{}", "ROW(".repeat(n), ")".repeat(n))),
    ("COLLATE", 0, |n| format!("SELECT 'a'{}", " COLLATE \"C\"".repeat(n))),
    ("JOIN", 50, |n| {
        let more: String = (0..n).map(|i| format!(" CROSS JOIN (SELECT 1) t{i}")).collect();
        format!("SELECT 1 FROM (SELECT 1) t{more}")
    }),
    ("LEFT JOIN", 50, |n| {
        let more: String = (0..n).map(|i| format!(" LEFT JOIN (SELECT 1) t{i} ON true")).collect();
        format!("SELECT 1 FROM (SELECT 1) t{more}")
    }),
    ("JOIN to the right", 0, |n| {
        let more: String = (0..n).map(|i| format!("((SELECT 1) t{i} CROSS JOIN ")).collect();
        format!("SELECT 1 FROM {more}(SELECT 1) t{}", ")".repeat(n))
    }),
    ("FULL JOIN USING", 50, |n| {
        let more: String = (0..n).map(|i| format!(" FULL JOIN (SELECT 1 a) t{i} USING (a)")).collect();
        format!("SELECT a FROM (SELECT 1 a) t{more}")
    }),
    ("DEFAULT", 50, |n| format!("CREATE TABLE t (a int DEFAULT 1{})", " + 1".repeat(n))),
    ("CHECK", 50, |n| format!("CREATE TABLE t (a int CHECK (a > 1{}))", " + 1".repeat(n))),
    ("index", 50, |n| format!("CREATE TABLE t (a int); CREATE INDEX ON t ((a{}))", " + 1".repeat(n))),
    ("jsonb", 100, |n| format!("SELECT '{}{}'::jsonb", "[".repeat(n), "]".repeat(n))),
    ("jsonb_build_array", 100, |n| format!("SELECT {}1{}", "jsonb_build_array(".repeat(n), ")".repeat(n))),
    ("CREATE SCHEMA", 0, |n| "CREATE SCHEMA a ".repeat(n)),
    ("BEGIN ATOMIC", 0, |n| "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; ".repeat(n)),
    ("open brackets", 0, |n| "(".repeat(n)),
    ("open CASE", 0, |n| format!("SELECT {}", "CASE WHEN ".repeat(n))),
    ("commas", 0, |n| format!("SELECT {}", "NOT , ".repeat(n))),
    ("CASE and commas", 0, |n| format!("SELECT {}", "CASE WHEN 1 , ".repeat(n))),
    ("LATERAL", 0, |n| format!("SELECT * FROM {}", "LATERAL ".repeat(n))),
    ("array types", 0, |n| format!("SELECT NULL::int{}", "[]".repeat(n))),
    ("INTERVAL", 0, |n| format!("SELECT {}'1'", "INTERVAL ".repeat(n))),
    ("statements", 3000, |n| "SELECT 1;".repeat(n)),
    ("rows", 3000, |n| format!("VALUES (1){}", ",(1 + 1)".repeat(n))),
];

/// The texts that do not nest and are therefore not stopped by a limit.
const FLAT: &[&str] = &["commas", "CASE and commas", "statements", "rows", "WITH"];

/// The result of a text.
fn run(sql: &str) -> Result<(), String> {
    let database = Database::new();
    let session = database.connect();
    match database.send(session, sql) {
        Ok(Step::Done(finished)) => {
            finished.results.into_iter().try_for_each(|result| result.map(drop).map_err(|it| it.to_string()))
        }
        Ok(Step::Waiting(_)) => Err("waits".to_owned()),
        Err(failure @ Failure::NotModelled(_)) => Err(failure.to_string()),
        Err(failure) => Err(format!("an error where a result was due: {failure}")),
    }
}

/// Runs every shape on a thread of its own and checks the results.
fn check(times: impl Fn(usize) -> usize, expected: impl Fn(usize, &Result<(), String>) -> bool) {
    let mut wrong = Vec::new();
    for (name, works, shape) in SHAPES {
        let times = times(*works);
        let sql = shape(if FLAT.contains(name) { times.min(20_000) } else { times });
        let thread = thread::Builder::new().stack_size(STACK).name((*name).to_owned());
        let found = thread.spawn(move || run(&sql)).expect("a thread starts").join().expect("no panic");
        if !expected(*works, &found) {
            wrong.push(format!("{name}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_nests_within_reason_works() {
    check(|works| works, |works, found| works == 0 || found.is_ok());
}

#[test]
fn what_nests_deep_ends_with_a_result_or_a_reason() {
    for times in [2_000, 35_000, 2_000_000] {
        check(
            |_| times,
            |_, found| found.as_ref().err().is_none_or(|why| !why.starts_with("an error where")),
        );
    }
}
