//! Variables, expressions, parameters and the status of results.

use super::{Case, case};

pub(in super::super) const CASES: &[Case] = &[
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
        "1 1 r1, 2 1 r2, 30 0 false, 31 1 true, 32 4 true, 33 0 false, 34 1 6, 35 2 10, 36 1 6, 37 0 false",
    ),
    case(
        "statements about no rows leave FOUND as it was",
        &["DO $$
           DECLARE n bigint; m bigint;
           BEGIN
             UPDATE t SET v = 1 WHERE id = 1;
             SET LOCAL lock_timeout = '5s';
             GET DIAGNOSTICS n = ROW_COUNT;
             INSERT INTO t VALUES (40, n, FOUND::text);
             DELETE FROM t WHERE id < 0;
             CREATE INDEX t_v ON t (v);
             GET DIAGNOSTICS n = ROW_COUNT;
             INSERT INTO t VALUES (41, n, FOUND::text);
           END $$"],
        None,
        "1 1 r1, 40 0 true, 41 0 false",
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
        "1 164 true",
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
        "1 0 r1, 2 0 r2, 4 0 r4, 5 0 r5, 7 0 r7",
    ),
    case(
        "an integer that overflows",
        &["DO $$ DECLARE n int := 2147483647; BEGIN UPDATE t SET v = 1; n := n + 1; END $$"],
        Some("22003"),
        "",
    ),
    case(
        "a bigint that no integer holds",
        &["DO $$
           DECLARE n int; m bigint := 2147483647;
           BEGIN
             m := m + 1;
             UPDATE t SET v = m WHERE id < 3;
             COMMIT;
             n := m;
           END $$"],
        Some("22003"),
        "1 2147483648 r1, 2 2147483648 r2",
    ),
    case(
        "a bigint that overflows",
        &["DO $$ DECLARE n bigint := 9223372036854775807; BEGIN n := n + 1; END $$"],
        Some("22003"),
        "",
    ),
    case(
        "text into a number",
        &["DO $$
           DECLARE n int;
           BEGIN
             n := '12';
             UPDATE t SET v = n WHERE id < 3;
             COMMIT;
             SELECT s INTO n FROM t WHERE id = 1;
           END $$"],
        Some("22P02"),
        "1 12 r1, 2 12 r2",
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
        "1 NULL null, 2 3 r2, 3 3000000007 r3, -5, -6",
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
        "1 10 new, 2 5 r2, 3 7 new",
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
        "1 4 r1, 2 4 r2, 3 4 r3, 4 4 r4, 5 4 r5, 6 4 r6, 7 4 r7",
    ),
    case(
        "a column that is missing, and one too many",
        &["DO $$
           DECLARE a bigint := 1; b bigint := 2; c text := 'kept';
           BEGIN
             SELECT 8, 9 INTO a;
             SELECT 7 INTO b, c;
             UPDATE t SET v = a + b, s = coalesce(c, 'none') WHERE id = 1;
           END $$"],
        None,
        "1 15 none",
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
        "1 NULL r1 n, 2 NULL r2 NULL, 3 3 r3 NULL, 4 NULL r4 NULL, 5 NULL r5 NULL, 6 6 r6 NULL, 7 NULL r7 NULL",
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
        "1 NULL second, 2 NULL second, 3 3 second, 4 NULL second, 5 NULL second, 6 6 second, 7 NULL second",
    ),
];
