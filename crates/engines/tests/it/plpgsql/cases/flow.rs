//! Transactions, control flow, and the targets of rows.

use super::{Case, case};

pub(in super::super) const CASES: &[Case] = &[
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
        "1 10 r1, 2 20 r2, 4 40 r4, 5 50 r5, 7 70 r7",
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
        "1 25 r1, 2 33 r2, 3 50 r3, 4 100 r4",
    ),
    case(
        "a DO that fails half-way leaves nothing",
        &[
            "UPDATE t SET s = 'before' WHERE id = 1",
            "DO $$ BEGIN UPDATE t SET v = 1; UPDATE t SET v = 1 / 0; END $$",
            "DELETE FROM t",
        ],
        Some("22012"),
        "1 NULL before",
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
        &[
            "BEGIN",
            "DO $$ BEGIN UPDATE t SET v = 8; END $$",
            "ROLLBACK",
            "DO $$ BEGIN UPDATE t SET s = 'x'; END $$",
        ],
        None,
        "1 NULL x, 2 NULL x, 3 3 x, 4 NULL x, 5 NULL x, 6 6 x, 7 NULL x",
    ),
    case(
        "the first COMMIT ends nothing, and the last transaction commits by itself",
        &["DO LANGUAGE plpgsql $$
           BEGIN
             COMMIT;
             UPDATE t SET v = 1 WHERE id = 1;
             COMMIT;
             COMMIT;
             DELETE FROM t WHERE id > 2;
           END $$"],
        None,
        "1 1 r1, -3, -4, -5, -6, -7",
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
        "1 NULL it's low, 2 NULL two, 3 3 it's low, 4 NULL more, 5 NULL five, 6 6 six, 7 NULL more",
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
        "2 2 r2, 6 6 empty, 7 40 ran",
    ),
    case(
        "a NULL bound",
        &["DO $$ DECLARE n int; BEGIN FOR i IN 1..n LOOP NULL; END LOOP; END $$"],
        Some("22004"),
        "",
    ),
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
        "1 -1 r1, 3 -3 r3, 5 -5 r5, 7 6 r7",
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
        "1 1 r1, 2 3 r2, 3 6 r3",
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
        "10 7 r7, 11 1 true, 12 NULL NULL, 13 0 false",
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
        "1 25 new, 2 25 r2, 20 5 new",
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
        "1 1001 r1, 3 1003 r3",
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
        "7 3 r7",
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
                 UPDATE t SET v = coalesce(v, 0) + 1 WHERE id > cursor_id AND id <= batch_max AND s <> 'r4';
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
        "1 2 r1, 2 2 r2, 3 5 r3, 5 2 r5, 6 8 r6, 7 2 r7, 100 7 total",
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
        "1 1 r1, 2 1 r2, 3 1 r3, 4 1 r4, 5 1 r5, 6 1 r6, 7 1 r7",
    ),
    case(
        "RAISE alone is an exception",
        &["BEGIN", "UPDATE t SET v = 3", "DO $$ BEGIN RAISE 'no'; END $$", "COMMIT"],
        Some("P0001"),
        "",
    ),
];
