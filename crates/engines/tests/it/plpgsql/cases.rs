//! The scripts of the certification. What is written down beside each was seen on the server.

/// A script, statement by statement, and what it comes to.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) statements: &'static [&'static str],
    pub(super) error: Option<&'static str>,
    pub(super) rows: &'static str,
}

const fn case(
    name: &'static str,
    statements: &'static [&'static str],
    error: Option<&'static str>,
    rows: &'static str,
) -> Case {
    Case { name, statements, error, rows }
}

pub(super) const CASES: &[Case] = &[
    case(
        "commit per chunk",
        &[
            "CREATE OR REPLACE PROCEDURE pg_temp.fill() LANGUAGE plpgsql AS $$
             DECLARE affected integer;
             BEGIN
               LOOP
                 UPDATE t SET v = id * 10 WHERE id IN (SELECT id FROM t WHERE v IS NULL ORDER BY id LIMIT 2);
                 GET DIAGNOSTICS affected = ROW_COUNT;
                 EXIT WHEN affected = 0;
                 COMMIT;
               END LOOP;
             END $$",
            "CALL pg_temp.fill()",
            "DROP PROCEDURE pg_temp.fill()",
        ],
        None,
        "",
    ),
    case(
        "chunks that were committed stand when a later one fails",
        &["DO $$
           DECLARE last bigint := 0; top bigint;
           BEGIN
             LOOP
               SELECT max(id) INTO top FROM (SELECT id FROM t WHERE id > last ORDER BY id LIMIT 2) page;
               EXIT WHEN top IS NULL;
               UPDATE t SET v = 100 / (5 - id) WHERE id > last AND id <= top;
               COMMIT;
               last := top;
             END LOOP;
           END $$"],
        Some("22012"),
        "",
    ),
    case(
        "a DO that fails half-way leaves nothing",
        &["UPDATE t SET s = 'before'", "DO $$ BEGIN UPDATE t SET v = 1; UPDATE t SET v = 1 / 0; END $$", "DELETE FROM t"],
        Some("22012"),
        "",
    ),
    case(
        "CALL in a transaction block may not commit",
        &[
            "CREATE OR REPLACE PROCEDURE p() AS $$ BEGIN UPDATE t SET v = 5; COMMIT; END $$ LANGUAGE plpgsql",
            "BEGIN",
            "UPDATE t SET s = 'in a block'",
            "CALL p()",
            "COMMIT",
        ],
        Some("2D000"),
        "",
    ),
    case(
        "DO in a transaction block may not roll back",
        &["START TRANSACTION", "DO $$ BEGIN DELETE FROM t; ROLLBACK; END $$", "COMMIT"],
        Some("2D000"),
        "",
    ),
    case(
        "DO in a transaction block is part of it",
        &["BEGIN", "DO $$ BEGIN UPDATE t SET v = 8; END $$", "ROLLBACK", "DO $$ BEGIN UPDATE t SET s = 'x'; END $$"],
        None,
        "",
    ),
    case(
        "the first COMMIT ends nothing, and the last transaction commits by itself",
        &["DO LANGUAGE plpgsql $$ BEGIN COMMIT; UPDATE t SET v = 1 WHERE id = 1; COMMIT; COMMIT; DELETE FROM t WHERE id > 2; END $$"],
        None,
        "",
    ),
    case(
        "nested IF",
        &["DO $body$
           DECLARE n int := 3; told text DEFAULT 'none';
           BEGIN
             FOR i IN 1..7 LOOP
               IF i > n THEN
                 IF i = 5 THEN told := 'five'; ELSIF i = 6 THEN told := 'six'; ELSE told := 'more'; END IF;
               ELSEIF i = 2 THEN told := 'two';
               ELSE told := 'it''s low';
               END IF;
               UPDATE t SET s = told WHERE id = i;
             END LOOP;
           END $body$"],
        None,
        "",
    ),
    case(
        "FOR has its bounds from the start, and its own counter",
        &["DO $$
           DECLARE top int := 3; i int := 40;
           BEGIN
             FOR i IN top - 1 .. top LOOP
               top := 100;
               UPDATE t SET v = i WHERE id = i;
               i := 50;
             END LOOP;
             UPDATE t SET v = i, s = CASE WHEN FOUND THEN 'ran' ELSE 'never' END WHERE id = 7;
             FOR k IN 5..4 LOOP NULL; END LOOP;
             IF NOT FOUND THEN UPDATE t SET s = 'empty' WHERE id = 6; END IF;
           END $$"],
        None,
        "",
    ),
    case("a NULL bound", &["DO $$ DECLARE n int; BEGIN FOR i IN 1..n LOOP NULL; END LOOP; END $$"], Some("22004"), ""),
    case(
        "WHILE with CONTINUE and EXIT",
        &["DO $$
           DECLARE n bigint := 0;
           BEGIN
             WHILE n < 100 LOOP
               n := n + 1;
               CONTINUE WHEN n = 2;
               IF n = 4 THEN CONTINUE; END IF;
               EXIT WHEN n > 5;
               UPDATE t SET v = -n WHERE id = n;
             END LOOP;
             UPDATE t SET v = n WHERE id = 7;
           END $$"],
        None,
        "",
    ),
    case(
        "EXIT leaves the innermost loop",
        &["DO $$
           DECLARE n int := 0;
           BEGIN
             FOR i IN 1..3 LOOP
               LOOP
                 n := n + i;
                 EXIT;
               END LOOP;
               UPDATE t SET v = n WHERE id = i;
             END LOOP;
             RETURN;
             DELETE FROM t;
           END $$"],
        None,
        "",
    ),
    case(
        "SELECT INTO takes the first row, and NULL where there is none",
        &["DO $$
           DECLARE a bigint := 1; b text := 'kept'; n int;
           BEGIN
             SELECT id, s INTO a, b FROM t ORDER BY id DESC;
             GET DIAGNOSTICS n = ROW_COUNT;
             INSERT INTO t VALUES (10, a, b), (11, n, FOUND::text);
             SELECT id, s INTO a, b FROM t WHERE id > 1000;
             GET DIAGNOSTICS n := ROW_COUNT;
             INSERT INTO t VALUES (12, a, b), (13, n, FOUND::text);
           END $$"],
        None,
        "",
    ),
    case(
        "RETURNING INTO",
        &["DO $$
           DECLARE a bigint; b text; n int;
           BEGIN
             INSERT INTO t VALUES (20, 5, 'new') RETURNING id + v, s INTO a, b;
             UPDATE t SET v = a, s = b WHERE id = 1 RETURNING v INTO n;
             DELETE FROM t WHERE id = 999 RETURNING id INTO a;
             IF a IS NULL AND NOT FOUND THEN UPDATE t SET v = n WHERE id = 2; END IF;
           END $$"],
        None,
        "",
    ),
    case(
        "RETURNING INTO of several rows",
        &["DO $$ DECLARE a bigint; BEGIN UPDATE t SET v = 1 WHERE id < 3 RETURNING id INTO a; END $$"],
        Some("P0003"),
        "",
    ),
    case(
        "ROLLBACK in a body",
        &["DO $$
           BEGIN
             FOR i IN 1..4 LOOP
               UPDATE t SET v = 1000 + i WHERE id = i;
               IF i = 2 OR i = 4 THEN ROLLBACK; ELSE COMMIT; END IF;
             END LOOP;
           END $$"],
        None,
        "",
    ),
    case(
        "variables outlive a transaction",
        &["DO $$
           DECLARE n int;
           BEGIN
             UPDATE t SET v = 0 WHERE id < 4;
             GET DIAGNOSTICS n = ROW_COUNT;
             ROLLBACK;
             UPDATE t SET v = n WHERE id = 7;
           END $$"],
        None,
        "",
    ),
    case(
        "paging by key",
        &[
            "CREATE OR REPLACE PROCEDURE page() LANGUAGE plpgsql AS $$
             DECLARE cursor_id bigint := 0; batch_max bigint; touched int; total int := 0;
             BEGIN
               LOOP
                 SELECT max(id) INTO batch_max
                   FROM (SELECT id FROM t WHERE id > cursor_id ORDER BY id LIMIT 3) AS batch;
                 EXIT WHEN batch_max IS NULL;
                 UPDATE t SET v = coalesce(v, 0) + 1 WHERE id > cursor_id AND id <= batch_max AND s <> 'row 4';
                 GET DIAGNOSTICS touched = ROW_COUNT;
                 total := total + touched;
                 cursor_id := batch_max;
                 COMMIT;
               END LOOP;
               INSERT INTO t (id, v, s) VALUES (100, total, 'total');
             END $$",
            "CALL page()",
            "CALL page()",
        ],
        Some("23505"),
        "",
    ),
    case(
        "RAISE EXCEPTION takes what was not committed with it",
        &["DO $$
           DECLARE n int := 3; missing text;
           BEGIN
             UPDATE t SET v = 1; COMMIT; UPDATE t SET v = 2;
             RAISE NOTICE 'so far % and %', n, (SELECT count(*) FROM t);
             RAISE EXCEPTION '% rows, %, % and 100%%', n, missing, n > 2;
           END $$"],
        Some("P0001"),
        "",
    ),
    case(
        "RAISE alone is an exception",
        &["BEGIN", "UPDATE t SET v = 3", "DO $$ BEGIN RAISE 'no'; END $$", "COMMIT"],
        Some("P0001"),
        "",
    ),
    case(
        "FOUND and ROW_COUNT after each kind of statement",
        &["DO $$
           DECLARE n bigint; m bigint;
           BEGIN
             INSERT INTO t VALUES (30, 0, FOUND::text);
             GET DIAGNOSTICS n = ROW_COUNT;
             INSERT INTO t VALUES (31, n, FOUND::text);
             PERFORM id FROM t WHERE id < 5;
             GET DIAGNOSTICS n = ROW_COUNT;
             INSERT INTO t VALUES (32, n, FOUND::text);
             DELETE FROM t WHERE id < 0;
             GET DIAGNOSTICS n = ROW_COUNT;
             INSERT INTO t VALUES (33, n, FOUND::text);
             UPDATE t SET v = 1 WHERE id < 3;
             m := (SELECT sum(id) FROM t WHERE id < 4);
             GET DIAGNOSTICS n = ROW_COUNT;
             INSERT INTO t VALUES (34, n, m::text);
             UPDATE t SET v = 1 WHERE id < 3;
             m := length('four') + m;
             GET DIAGNOSTICS n = ROW_COUNT;
             INSERT INTO t VALUES (35, n, m::text);
             UPDATE t SET v = 1 WHERE id < 3;
             m := count(*) FROM t WHERE id < 7;
             GET DIAGNOSTICS n = ROW_COUNT;
             INSERT INTO t VALUES (36, n, m::text);
             DELETE FROM t WHERE id < 0;
             COMMIT;
             GET DIAGNOSTICS n = ROW_COUNT;
             INSERT INTO t VALUES (37, n, FOUND::text);
           END $$"],
        None,
        "",
    ),
    case(
        "three values of logic",
        &["DO $$
           DECLARE a int; b boolean; n int := 0;
           BEGIN
             IF a = 1 THEN n := n + 1; END IF;
             IF NOT (a = 1) THEN n := n + 2; END IF;
             IF a = 1 OR TRUE THEN n := n + 4; END IF;
             IF a = 1 AND FALSE IS NOT NULL THEN n := n + 8; END IF;
             IF (a = 1 AND FALSE) IS NULL THEN n := n + 16; END IF;
             IF a = 1 IS NULL THEN n := n + 32; END IF;
             b := NULL;
             IF NOT b THEN n := n + 64; ELSE n := n + 128; END IF;
             b := n <> 3 AND n >= 4 AND NOT n < 0;
             WHILE a < 3 LOOP n := n + 256; END LOOP;
             UPDATE t SET v = n, s = b::text WHERE id = 1;
           END $$"],
        None,
        "",
    ),
    case(
        "a condition that looks into the table",
        &["DO $$
           BEGIN
             WHILE EXISTS (SELECT 1 FROM t WHERE v IS NULL) LOOP
               UPDATE t SET v = 0 WHERE id = (SELECT min(id) FROM t WHERE v IS NULL);
               COMMIT;
             END LOOP;
           END $$"],
        None,
        "",
    ),
    case(
        "an integer that overflows",
        &["DO $$ DECLARE n int := 2147483647; BEGIN UPDATE t SET v = 1; n := n + 1; END $$"],
        Some("22003"),
        "",
    ),
    case(
        "a bigint that no integer holds",
        &["DO $$ DECLARE n int; m bigint := 2147483647; BEGIN m := m + 1; UPDATE t SET v = m; COMMIT; n := m; END $$"],
        Some("22003"),
        "",
    ),
    case("a bigint that overflows", &["DO $$ DECLARE n bigint := 9223372036854775807; BEGIN n := n + 1; END $$"], Some("22003"), ""),
    case(
        "text into a number",
        &["DO $$ DECLARE n int; BEGIN n := '12'; UPDATE t SET v = n; COMMIT; SELECT s INTO n FROM t WHERE id = 1; END $$"],
        Some("22P02"),
        "",
    ),
    case(
        "numbers and truths into text",
        &["DO $$
           DECLARE a text; b text; ok boolean;
           BEGIN
             a := 5 - 7;
             b := 1 < 2;
             ok := 1;
             UPDATE t SET s = a || b || ok::text WHERE id = 1;
             ok := 2;
           END $$"],
        Some("22P02"),
        "",
    ),
    case(
        "a parameter has its variable's type",
        &["DO $$
           DECLARE wide bigint := 3000000000; none bigint; n int := 7;
           BEGIN
             UPDATE t SET s = 'null' WHERE none IS NULL AND id = 1;
             UPDATE t SET v = n / 2 WHERE id = 2;
             UPDATE t SET v = wide + n WHERE id = 3;
             DELETE FROM t WHERE id IN (SELECT x.id FROM t x WHERE x.id > n - 3 ORDER BY x.id LIMIT n - 5);
           END $$"],
        None,
        "",
    ),
    case(
        "ON CONFLICT, WITH, and names that are no variables",
        &["DO $$
           DECLARE id_max bigint; s2 text := 'new'; bonus bigint := 5;
           BEGIN
             INSERT INTO t (id, v) VALUES (1, bonus) ON CONFLICT (id) DO UPDATE SET v = excluded.v + bonus, s = s2;
             WITH low AS (SELECT id AS bonus FROM t WHERE id < 3)
               UPDATE t SET v = bonus WHERE id IN (SELECT low.bonus FROM low) AND id = 2;
             WITH all_rows AS (SELECT id FROM t) SELECT max(id) INTO id_max FROM all_rows;
             UPDATE t SET (v, s) = (id_max, s2) WHERE id = 3;
           END $$"],
        None,
        "",
    ),
    case(
        "a value of a condition that is no truth",
        &["DO $$ DECLARE n int := 2; BEGIN IF n THEN NULL; END IF; END $$"],
        Some("22P02"),
        "",
    ),
    case(
        "too many rows for a value",
        &["DO $$ DECLARE n int; BEGIN UPDATE t SET v = 4; COMMIT; n := (SELECT id FROM t); END $$"],
        Some("21000"),
        "",
    ),
    case(
        "a column that is missing, and one too many",
        &["DO $$ DECLARE a bigint := 1; b bigint := 2; BEGIN SELECT 8, 9 INTO a; SELECT 7 INTO b; UPDATE t SET v = a + b; END $$"],
        None,
        "",
    ),
    case(
        "DDL and settings in a body",
        &["DO $$
           BEGIN
             SET LOCAL lock_timeout = '5s';
             ALTER TABLE t ADD COLUMN note text;
             UPDATE t SET note = 'n' WHERE id = 1;
             COMMIT;
             ALTER TABLE t DROP COLUMN v;
             ROLLBACK;
           END $$"],
        None,
        "",
    ),
    case(
        "a procedure that is replaced",
        &[
            "CREATE OR REPLACE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN UPDATE t SET v = 1; END $$",
            "CREATE OR REPLACE PROCEDURE public.p() LANGUAGE plpgsql AS $$ BEGIN UPDATE t SET s = 'second'; END $$",
            "CALL p()",
            "DROP PROCEDURE IF EXISTS p()",
            "DROP PROCEDURE IF EXISTS p()",
        ],
        None,
        "",
    ),
];
