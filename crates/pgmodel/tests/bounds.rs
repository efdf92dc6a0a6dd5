//! Statements that would need unbounded memory or time. Each is soon refused by the name of the limit.

use retrial_pgmodel::{Database, Step};

/// Texts sent one after another, and a part of the last result.
const REFUSED: &[(&[&str], &str)] = &[
    (&["SELECT count(*) FROM generate_series(1, 1000000000)"], "MB of rows"),
    (&["SELECT * FROM generate_series(1, 9223372036854775807)"], "MB of rows"),
    (&["SELECT count(*) FROM generate_series(9223372036854775807, -9223372036854775808, -1)"], "MB of rows"),
    (&["SELECT array_agg(a) FROM generate_series(1, 1500000) a"], "array of more than"),
    (
        &[
            "SELECT string_agg('0123456789012345678901234567890123456789', '') FROM generate_series(1, 500000)",
        ],
        "16 MB",
    ),
    (&["SELECT repeat('a', 2147483647)"], "16 MB"),
    (&["SELECT lpad('a', 2147483647)"], "16 MB"),
    (&["SELECT rpad('a', 2147483647, 'xyz')"], "16 MB"),
    (&["SELECT concat(repeat('a', 16000000), repeat('b', 16000000))"], "16 MB"),
    (&["SELECT replace(repeat('a', 16000000), 'a', 'bb')"], "16 MB"),
    (&["SELECT repeat('a', 16000000 - g) FROM generate_series(1, 100) g"], "MB of values"),
    (&["SELECT max(repeat('a', 16000000 - g)) FROM generate_series(1, 100) g"], "MB of values"),
    (
        &["SELECT g, x FROM generate_series(1, 100) g, LATERAL (SELECT repeat('a', 16000000 - g) x) t"],
        "MB of values",
    ),
    (&["SELECT string_to_array(repeat('a', 16000000), NULL)"], "array of more than"),
    (&["SELECT string_to_array(repeat('a,', 8000000), ',')"], "array of more than"),
    (&["SELECT repeat('a', 16000000) LIKE '%' || repeat('a', 16000000) || 'b'"], "comparisons"),
    (
        &["SELECT count(*) FROM generate_series(1, 10000) a, generate_series(1, 10000) b"],
        "looks at rows more than",
    ),
    (&["SELECT * FROM generate_series(1, 10000) a, generate_series(1, 10000) b"], "MB of rows"),
    (
        &["SELECT count(*) FROM generate_series(1, 10000) a FULL JOIN generate_series(1, 10000) b ON a <> b"],
        "MB of rows",
    ),
    (
        &["SELECT count(*) FROM generate_series(1, 10000) a LEFT JOIN generate_series(1, 10000) b ON a < 0"],
        "looks at rows more than",
    ),
    (
        &[
            "SELECT (SELECT count(*) FROM generate_series(1, 10000) b WHERE b < a) FROM generate_series(1, 10000) a",
        ],
        "looks at rows more than",
    ),
    (&["CREATE TABLE t (a int); INSERT INTO t VALUES (1)", DOUBLED], "row versions"),
    (&["CREATE TABLE t (a text)", LONG], "MB of long values"),
    (&["CREATE TABLE t (a text); INSERT INTO t VALUES ('x')", LONGER], "MB of long values"),
    (&["CREATE TABLE t (a int[]); INSERT INTO t VALUES ('{1}')", GROWING_ARRAY], "array of more than"),
    (&["CREATE TABLE t (a jsonb); INSERT INTO t VALUES ('[]')", NESTING], "jsonb nested deeper"),
    (&["CREATE TABLE t (a text); INSERT INTO t VALUES ('x')", GROWING_TEXT], "16 MB"),
    (&[MANY_RESULTS], "MB of rows"),
    (&["SELECT pg_advisory_lock(a) FROM generate_series(1, 100000) a"], "locks held"),
    (&["SELECT set_config('a.b' || a, 'x', false) FROM generate_series(1, 100000) a"], "parameters"),
    (&["BEGIN; SELECT set_config('a.b', a::text, false) FROM generate_series(1, 100000) a"], "settings"),
    (&["SELECT nullif(1, $1000000)"], "42P02"),
];

const DOUBLED: &str = "INSERT INTO t SELECT * FROM t;";
const LONG: &str = "INSERT INTO t SELECT repeat('a', 1000000);";
const LONGER: &str = "UPDATE t SET a = repeat('a', 1000000 + length(a));";
const GROWING_ARRAY: &str = "UPDATE t SET a = a || a;";
const GROWING_TEXT: &str = "UPDATE t SET a = a || a;";
const NESTING: &str = "UPDATE t SET a = jsonb_build_array(a);";
const MANY_RESULTS: &str = "SELECT * FROM generate_series(1, 100000);";

/// The texts that are repeated 400 times.
const REPEATED: &[&str] = &[DOUBLED, LONG, LONGER, GROWING_ARRAY, GROWING_TEXT, NESTING, MANY_RESULTS];

#[test]
fn what_has_no_bound_is_refused_by_the_limit_it_meets() {
    let mut wrong = Vec::new();
    for (texts, expected) in REFUSED {
        let found = last(texts);
        if !found.contains(expected) {
            wrong.push(format!("{texts:?}: {found}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The last result of the last text.
fn last(texts: &[&str]) -> String {
    let database = Database::new();
    let session = database.connect();
    let mut last = String::new();
    for text in texts {
        let text = if REPEATED.contains(text) { text.repeat(400) } else { (*text).to_owned() };
        last = match database.send(session, &text) {
            Ok(Step::Done(finished)) => {
                finished.results.last().map_or(String::new(), |result| match result {
                    Ok(outcome) => format!("{} rows", outcome.rows.len()),
                    Err(failure) => failure.to_string(),
                })
            }
            Ok(Step::Waiting(_)) => "waits".to_owned(),
            Err(failure) => failure.to_string(),
        };
    }
    last
}
