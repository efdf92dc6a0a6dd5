//! Columns, subqueries, aggregates and set-returning functions in places where the server does not allow them. Codes
//! and messages are those of a version 15 server.

use retrial_pgmodel::{Database, Failure, Step};

const TABLES: &str = "CREATE TABLE u (x int); CREATE TABLE t (a int, b int, c bool)";

const COLUMN: &str = "0A000 cannot use column reference in DEFAULT expression";

/// Statements and the server's error for each.
const REFUSED: &[(&str, &str)] = &[
    ("CREATE TABLE n (a int, b int DEFAULT a)", COLUMN),
    ("CREATE TABLE n (a int, b int DEFAULT n.a)", COLUMN),
    ("CREATE TABLE n (a int, b int DEFAULT nosuch)", COLUMN),
    ("CREATE TABLE n (a int DEFAULT sum(b))", COLUMN),
    ("CREATE TABLE n (a int DEFAULT 1 + abs(a))", COLUMN),
    ("ALTER TABLE t ADD COLUMN z int DEFAULT a", COLUMN),
    ("ALTER TABLE t ALTER COLUMN a SET DEFAULT b", COLUMN),
    (
        "ALTER TABLE t ALTER COLUMN nosuch SET DEFAULT b",
        "42703 column \"nosuch\" of relation \"t\" does not exist",
    ),
    ("CREATE TABLE n (a int, a int DEFAULT a)", "42701 column \"a\" specified more than once"),
    ("CREATE TABLE n (a int DEFAULT b, a int)", "42701 column \"a\" specified more than once"),
    ("CREATE TABLE t (a int, b int DEFAULT a)", "42P07 relation \"t\" already exists"),
    ("CREATE TABLE n (a int DEFAULT (SELECT 1))", "0A000 cannot use subquery in DEFAULT expression"),
    ("CREATE TABLE n (a bool DEFAULT EXISTS (SELECT 1))", "0A000 cannot use subquery in DEFAULT expression"),
    (
        "ALTER TABLE t ALTER COLUMN a SET DEFAULT (SELECT 1)",
        "0A000 cannot use subquery in DEFAULT expression",
    ),
    (
        "CREATE TABLE n (a int DEFAULT sum(1))",
        "42803 aggregate functions are not allowed in DEFAULT expressions",
    ),
    (
        "CREATE TABLE n (a int DEFAULT count(*))",
        "42803 aggregate functions are not allowed in DEFAULT expressions",
    ),
    (
        "CREATE TABLE n (a int DEFAULT generate_series(1, 2))",
        "0A000 set-returning functions are not allowed in DEFAULT expressions",
    ),
    (
        "CREATE TABLE n (a int DEFAULT true)",
        "42804 column \"a\" is of type integer but default expression is of type boolean",
    ),
    (
        "CREATE TABLE n (a bool DEFAULT 1)",
        "42804 column \"a\" is of type boolean but default expression is of type integer",
    ),
    ("CREATE TABLE n (a int CHECK ((SELECT true)))", "0A000 cannot use subquery in check constraint"),
    ("CREATE TABLE n (a int CHECK (a IN (SELECT 1)))", "0A000 cannot use subquery in check constraint"),
    ("ALTER TABLE t ADD CHECK ((SELECT true))", "0A000 cannot use subquery in check constraint"),
    (
        "CREATE TABLE n (a int CHECK (sum(a) > 1))",
        "42803 aggregate functions are not allowed in check constraints",
    ),
    (
        "CREATE TABLE n (a int CHECK (generate_series(1, 2) > 1))",
        "0A000 set-returning functions are not allowed in check constraints",
    ),
    ("CREATE TABLE n (a int CHECK (b > 1))", "42703 column \"b\" does not exist"),
    ("CREATE TABLE n (a int CHECK (u.x > 1))", "42P01 missing FROM-clause entry for table \"u\""),
    ("CREATE TABLE n (a int CHECK (a))", "42804 argument of CHECK must be type boolean, not type integer"),
    ("CREATE INDEX ON t (sum(a))", "42803 aggregate functions are not allowed in index expressions"),
    (
        "CREATE INDEX ON t (generate_series(1, a))",
        "0A000 set-returning functions are not allowed in index expressions",
    ),
    ("CREATE INDEX ON t (a) WHERE (SELECT true)", "0A000 cannot use subquery in index predicate"),
    (
        "CREATE INDEX ON t (a) WHERE sum(a) > 1",
        "42803 aggregate functions are not allowed in index predicates",
    ),
    (
        "CREATE INDEX ON t (a) WHERE generate_series(1, 2) > 1",
        "0A000 set-returning functions are not allowed in index predicates",
    ),
    ("CREATE INDEX ON t (a) WHERE a", "42804 argument of WHERE must be type boolean, not type integer"),
    ("SELECT * FROM t LIMIT a", "42P10 argument of LIMIT must not contain variables"),
    ("SELECT * FROM t OFFSET a + 1", "42P10 argument of OFFSET must not contain variables"),
    ("SELECT * FROM t LIMIT (SELECT a)", "42P10 argument of LIMIT must not contain variables"),
    ("SELECT * FROM t LIMIT sum(1)", "42803 aggregate functions are not allowed in LIMIT"),
    ("VALUES (1) LIMIT a", "42703 column \"a\" does not exist"),
    ("SELECT 1 UNION SELECT 2 LIMIT a", "42703 column \"a\" does not exist"),
    ("INSERT INTO t VALUES (a)", "42703 column \"a\" does not exist"),
    ("INSERT INTO t SELECT a", "42703 column \"a\" does not exist"),
    ("INSERT INTO t VALUES (1, sum(2))", "42803 aggregate functions are not allowed in VALUES"),
    (
        "INSERT INTO t VALUES (1) ON CONFLICT (sum(a)) DO NOTHING",
        "42803 aggregate functions are not allowed in index expressions",
    ),
    (
        "INSERT INTO t VALUES (1) ON CONFLICT (a) WHERE (SELECT true) DO NOTHING",
        "0A000 cannot use subquery in index predicate",
    ),
    (
        "INSERT INTO t VALUES (1) ON CONFLICT (a) WHERE sum(a) > 1 DO NOTHING",
        "42803 aggregate functions are not allowed in index predicates",
    ),
    (
        "INSERT INTO t VALUES (1) RETURNING excluded.a",
        "42P01 missing FROM-clause entry for table \"excluded\"",
    ),
    ("INSERT INTO t VALUES (1) RETURNING sum(a)", "42803 aggregate functions are not allowed in RETURNING"),
    ("INSERT INTO t SELECT 1 RETURNING column1", "42703 column \"column1\" does not exist"),
    ("INSERT INTO t (a) SELECT x FROM u RETURNING u.x", "42P01 missing FROM-clause entry for table \"u\""),
    ("UPDATE t SET a = excluded.a", "42P01 missing FROM-clause entry for table \"excluded\""),
    ("UPDATE t SET a = sum(b)", "42803 aggregate functions are not allowed in UPDATE"),
    ("DELETE FROM t USING u WHERE sum(a) > 1", "42803 aggregate functions are not allowed in WHERE"),
    ("SELECT * FROM t JOIN u ON sum(a) > 1", "42803 aggregate functions are not allowed in JOIN conditions"),
    ("SELECT * FROM generate_series(1, a), t", "42703 column \"a\" does not exist"),
    ("SELECT * FROM t GROUP BY sum(a)", "42803 aggregate functions are not allowed in GROUP BY"),
];

/// Statements that the server accepts.
const TAKEN: &[&str] = &[
    "CREATE TABLE n (a int CHECK (n.a > b), b int)",
    "CREATE TABLE n (a int DEFAULT 1 + abs(-2), b text DEFAULT 1)",
    "ALTER TABLE t ALTER COLUMN a SET DEFAULT 7; INSERT INTO t DEFAULT VALUES",
    "SELECT * FROM t LIMIT (SELECT t.a FROM t LIMIT 1)",
    "SELECT (SELECT 1 LIMIT t.a) FROM t",
    "UPDATE t SET a = x FROM u RETURNING u.x",
];

fn run(sql: &str) -> Result<(), String> {
    let database = Database::new();
    let session = database.connect();
    let mut last = Ok(());
    for text in [TABLES, sql] {
        let step = database.send(session, text).map_err(|refusal| refusal.to_string())?;
        let Step::Done(finished) = step else { return Err("it waits".to_owned()) };
        last = finished.results.into_iter().try_for_each(|result| match result {
            Ok(_) => Ok(()),
            Err(Failure::Sql(error)) => Err(format!("{} {}", error.code, error.message)),
            Err(refusal) => Err(refusal.to_string()),
        });
    }
    last
}

#[test]
fn what_stands_where_it_may_not_is_refused_in_the_servers_words() {
    let wrong: Vec<_> = REFUSED
        .iter()
        .map(|(sql, expected)| (*sql, run(sql), *expected))
        .filter(|(_, found, expected)| found.as_ref().err().is_none_or(|found| found != expected))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_the_server_takes_is_taken() {
    for sql in TAKEN {
        assert_eq!(run(sql), Ok(()), "{sql}");
    }
}
