//! Tests of how many rows a page (ORDER BY with LIMIT) visits, and that an index changes nothing else.

use std::rc::Rc;

use retrial_pgmodel::{Database, Step, Value, prepare};

/// Two tables with the same hundred rows, one with indexes and one without: `k` has four values, `v` is NULL in every
/// third row. Row 20 is deleted, row 30 becomes 300, and row 50 is updated.
const TABLES: &str = "
    CREATE TABLE t (id bigint PRIMARY KEY, k int NOT NULL, v int);
    CREATE TABLE bare (id bigint NOT NULL, k int NOT NULL, v int);
    CREATE INDEX t_k ON t (k, id);
    CREATE INDEX t_v ON t (v);
    CREATE INDEX t_part ON t (k) WHERE v IS NULL;
    INSERT INTO t SELECT g, g % 4, CASE WHEN g % 3 > 0 THEN g % 7 END FROM generate_series(1, 100) AS g;
    INSERT INTO bare SELECT id, k, v FROM t;
    DELETE FROM t WHERE id = 20; DELETE FROM bare WHERE id = 20;
    UPDATE t SET id = 300 WHERE id = 30; UPDATE bare SET id = 300 WHERE id = 30;
    UPDATE t SET v = 5 WHERE id = 50; UPDATE bare SET v = 5 WHERE id = 50;";

fn database() -> Database {
    let database = Database::new();
    let session = database.connect();
    for statement in TABLES.split(';').map(str::trim).filter(|text| !text.is_empty()) {
        match database.send(session, statement).expect("it parses") {
            Step::Done(finished) => assert!(finished.results.iter().all(Result::is_ok), "{finished:?}"),
            Step::Waiting(_) => panic!("there is no other session to wait for"),
        }
    }
    database
}

/// The rows of a query with `$1` as text, and how many rows were visited.
fn run(database: &Database, sql: &str, param: i64) -> (String, u64) {
    let session = database.connect();
    let prepared = prepare(sql).expect("it parses");
    let params: Rc<[Value]> = if sql.contains("$1") { [Value::Int(param)].into() } else { [].into() };
    let Step::Done(mut finished) = database.start(session, prepared, params) else { panic!("{sql} waits") };
    let outcome =
        finished.results.pop().expect("it has a result").unwrap_or_else(|error| panic!("{sql}: {error}"));
    let told = outcome.rows.iter().map(|row| format!("{row:?}")).collect::<Vec<_>>().join(" ");
    database.close(session);
    (told, finished.work.rows)
}

/// Checks that both tables give the same result, and how many rows each visits: with indexes, without. `$1` is 10.
fn check(sql: &str, expected: (u64, u64)) {
    let database = database();
    let (with, looked_at) = run(&database, sql, 10);
    let (without, scanned) = run(&database, &sql.replace("FROM t ", "FROM bare "), 10);
    assert_eq!(with, without, "{sql}");
    assert_eq!((looked_at, scanned), expected, "{sql}");
}

#[test]
fn a_page_by_key_is_as_many_rows_as_it_has() {
    check("SELECT id FROM t WHERE id > $1 ORDER BY id LIMIT 3", (3, 99));
    check("SELECT id FROM t WHERE id > $1::bigint ORDER BY id LIMIT 3", (3, 99));
    check("SELECT id FROM t WHERE id > $1 ORDER BY id LIMIT $1", (10, 99));
    check("SELECT id FROM t ORDER BY id LIMIT 3", (3, 99));
    check("SELECT id FROM t WHERE id > $1 ORDER BY id LIMIT 3 OFFSET 15", (18, 99));
    check("SELECT max(id) FROM (SELECT id FROM t WHERE id > $1 ORDER BY id LIMIT 3) AS page", (3, 99));
    check("SELECT k FROM t WHERE id IN (SELECT id FROM t WHERE id > $1 ORDER BY id LIMIT 3)", (6, 198));
    check("SELECT id FROM t WHERE id > $1 ORDER BY id LIMIT 0", (0, 0));
    check("SELECT id FROM t WHERE id > 97 ORDER BY id LIMIT 9", (4, 99));
    check("SELECT id FROM t WHERE id >= 28 AND id < 33 ORDER BY 1 LIMIT 4", (4, 99));
}

#[test]
fn rows_that_a_page_leaves_out_are_looked_at_as_well() {
    check("SELECT id FROM t WHERE id > $1 AND v IS NULL ORDER BY id LIMIT 3", (8, 99));
    check("SELECT id FROM t WHERE id > $1 ORDER BY id LIMIT 3 FOR UPDATE", (3, 99));
    check("SELECT id FROM t WHERE v IS NULL AND id > 300 ORDER BY id LIMIT 3", (0, 99));
}

#[test]
fn rows_of_one_value_are_sorted_by_the_other_keys() {
    check("SELECT id FROM t WHERE k > 0 ORDER BY k, id DESC LIMIT 2", (25, 99));
    check("SELECT id, v FROM t WHERE k >= 0 ORDER BY k, v LIMIT 30", (49, 99));
    check("SELECT id FROM t WHERE k = 2 ORDER BY id LIMIT 2", (2, 99));
    check("SELECT id FROM t WHERE v > 2 ORDER BY v LIMIT 12", (19, 99));
    check("SELECT id FROM t WHERE v IS NULL ORDER BY k LIMIT 3", (27, 99));
}

#[test]
fn what_no_index_has_in_order_is_looked_at_whole() {
    check("SELECT id FROM t ORDER BY id DESC LIMIT 2", (99, 99));
    check("SELECT id FROM t ORDER BY v LIMIT 2", (99, 99));
    check("SELECT id FROM t ORDER BY v NULLS FIRST LIMIT 2", (99, 99));
    check("SELECT id FROM t ORDER BY -id LIMIT 2", (99, 99));
    check("SELECT DISTINCT k FROM t ORDER BY k LIMIT 2", (99, 99));
    check("SELECT k, count(*) FROM t GROUP BY k ORDER BY k LIMIT 2", (99, 99));
    check("SELECT id FROM t WHERE id > $1 ORDER BY id", (89, 99));
}
