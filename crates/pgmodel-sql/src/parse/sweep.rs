//! Statements from the server's own isolation tests. Each is parsed or refused by name; none is reported as a syntax
//! error. What the statements do is not tested here.

use super::parse;
use crate::error::Failure;

/// Statements that are parsed.
const READ: &[&str] = &[
    // eval-plan-qual
    "CREATE TABLE accounts (accountid text PRIMARY KEY, balance numeric not null)",
    "INSERT INTO accounts VALUES ('checking', 600), ('savings', 600)",
    "CREATE TABLE p (a int, b int, c int)",
    "INSERT INTO p SELECT 0, a, 0 FROM generate_series(0, 3) a(a)",
    "CREATE TABLE table_a (id integer, value text)",
    "BEGIN ISOLATION LEVEL READ COMMITTED",
    "UPDATE accounts SET balance = balance - 200 WHERE accountid = 'checking'",
    "UPDATE accounts SET balance = balance + 450 WHERE accountid = 'savings' RETURNING accountid, balance",
    "DELETE FROM accounts WHERE balance < 600 RETURNING *",
    "SELECT * FROM accounts ORDER BY accountid",
    "WITH doup AS (UPDATE accounts SET balance = balance + 1100 WHERE accountid = 'checking' RETURNING *) \
     INSERT INTO accounts_ext SELECT * FROM doup RETURNING *",
    "WITH x AS (SELECT * FROM accounts WHERE accountid = 'checking' FOR UPDATE) \
     UPDATE accounts a SET balance = x.balance + 1000 FROM x WHERE x.accountid = a.accountid RETURNING a.*",
    "SELECT * FROM p WHERE b IN (0, 1) AND c = 0 FOR UPDATE",
    "UPDATE p SET b = b + 1 WHERE a = 0 AND c IS NOT DISTINCT FROM NULL",
    "SELECT a.accountid, b.balance FROM accounts a JOIN accounts b ON a.accountid = b.accountid \
     WHERE a.accountid = 'checking' FOR UPDATE OF a",
    "SELECT * FROM table_a a WHERE EXISTS (SELECT 1 FROM table_b b WHERE a.id = b.id) FOR NO KEY UPDATE",
    "SELECT * FROM (SELECT * FROM accounts) ss LEFT JOIN LATERAL (SELECT ss.balance AS b) q ON true",
    "UPDATE table_a SET value = 'tableAValue2' WHERE id = 1",
    "SELECT accountid, balance * 2 AS doubled FROM accounts FOR SHARE",
    "DELETE FROM a USING b WHERE a.id = b.id AND NOT EXISTS (SELECT FROM c)",
    "UPDATE accounts SET balance = (SELECT max(balance) FROM accounts) WHERE accountid = 'x'",
    // nowait, skip-locked
    "CREATE TABLE foo (id int PRIMARY KEY, data text NOT NULL)",
    "SELECT * FROM foo FOR UPDATE NOWAIT",
    "SELECT * FROM foo WHERE pg_advisory_lock(0) IS NOT NULL FOR UPDATE NOWAIT",
    "SELECT pg_advisory_unlock(0), pg_advisory_xact_lock(1, 2)",
    "CREATE TABLE queue (id int PRIMARY KEY, data text NOT NULL, status text NOT NULL)",
    "INSERT INTO queue VALUES (1, 'foo', 'NEW'), (2, 'bar', 'NEW')",
    "SELECT * FROM queue ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1",
    "SELECT * FROM queue WHERE status = 'NEW' ORDER BY id LIMIT 1 FOR SHARE SKIP LOCKED",
    // deadlock, lock-nowait, timeouts
    "LOCK TABLE a1",
    "LOCK TABLE a1 IN ACCESS EXCLUSIVE MODE NOWAIT",
    "LOCK a1, ONLY a2 IN ROW SHARE MODE",
    "SET deadlock_timeout = '100s'",
    "SET LOCAL deadlock_timeout TO '10ms'",
    "BEGIN; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SET statement_timeout = '10ms'; SET lock_timeout = 10",
    "RESET lock_timeout",
    // fk-*
    "CREATE TABLE parent (parent_key int PRIMARY KEY, aux text NOT NULL)",
    "CREATE TABLE child (child_key int PRIMARY KEY, parent_key int NOT NULL REFERENCES parent)",
    "CREATE TABLE b (aid int REFERENCES a ON DELETE CASCADE ON UPDATE NO ACTION, c text)",
    "ALTER TABLE child ADD CONSTRAINT k FOREIGN KEY (a, b) REFERENCES parent (a, b) ON DELETE RESTRICT",
    "INSERT INTO child (child_key, parent_key) VALUES (1, 1)",
    "UPDATE parent SET aux = 'baz' WHERE parent_key = 1",
    "SELECT * FROM parent WHERE parent_key = 1 FOR KEY SHARE",
    "DELETE FROM parent WHERE parent_key = 1",
    // insert-conflict-*
    "CREATE TABLE ints (key int primary key, val text)",
    "CREATE UNIQUE INDEX ON upsert (lower(key))",
    "CREATE UNIQUE INDEX upsert_idx ON upsert (key) WHERE is_active",
    "INSERT INTO ints(key, val) VALUES(1, 'donothing1') ON CONFLICT DO NOTHING",
    "INSERT INTO upsert(key, val) VALUES(1, 'insert1') ON CONFLICT (key) \
     DO UPDATE set val = upsert.val || ' updated by insert1'",
    "INSERT INTO upsert(key, payload) VALUES('FooFoo', 'insert1') ON CONFLICT (lower(key)) \
     DO UPDATE set key = EXCLUDED.key, payload = upsert.payload || ' updated by insert1'",
    "WITH foo AS (INSERT INTO upsert VALUES (1, 'x') ON CONFLICT (key) DO NOTHING RETURNING *) \
     SELECT count(*) FROM foo",
    "INSERT INTO colors(key, color, is_active) VALUES (2, 'Black', true) ON CONFLICT (key) WHERE is_active \
     DO UPDATE SET color = EXCLUDED.color WHERE colors.color <> EXCLUDED.color",
    "INSERT INTO t SELECT i, 'x' FROM generate_series(1, 3) i ON CONFLICT ON CONSTRAINT t_pkey DO NOTHING",
    "INSERT INTO ints AS i VALUES (1) ON CONFLICT (key) DO UPDATE SET (val, n) = (EXCLUDED.val, i.n + 1)",
    // multixact, tuplelock-*, lock-update-*, delete-abort-savept, update-locked-tuple
    "CREATE TABLE spgist_point_tbl (id serial, p text)",
    "SELECT * FROM justthis FOR KEY SHARE; SAVEPOINT f; SELECT * FROM justthis FOR NO KEY UPDATE",
    "ROLLBACK TO f; RELEASE SAVEPOINT f; ABORT",
    "ROLLBACK WORK TO SAVEPOINT f",
    "TRUNCATE TABLE justthis",
    "UPDATE multixact_conflict SET b = b + 1 WHERE a = 1 RETURNING a, b",
    "SELECT * FROM foo, bar WHERE foo.a = bar.a FOR UPDATE OF foo FOR KEY SHARE OF bar NOWAIT",
    "SELECT * FROM lcu_table WHERE id = 1 FOR UPDATE; COMMIT; END TRANSACTION",
    "UPDATE users SET name = 'x' WHERE id = 1; UPDATE orders SET user_id = 1",
    "START TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE",
    "SELECT * FROM test WHERE i > 0 AND i % 3 = 0 ORDER BY i",
    "SELECT CASE WHEN sum(v) >= 1 THEN 'a' ELSE 'b' END FROM t GROUP BY k HAVING count(*) > 1",
    // alter-table-*, create index concurrently, vacuum
    "ALTER TABLE a DROP CONSTRAINT b_a_fk",
    "ALTER TABLE t ADD COLUMN c int NOT NULL DEFAULT 0, ADD CONSTRAINT pos CHECK (c >= 0)",
    "ALTER TABLE t ALTER COLUMN c DROP NOT NULL, ALTER c SET DEFAULT nextval('s')",
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS x ON cic_tab (a DESC NULLS LAST, (b + 1))",
    "DROP INDEX CONCURRENTLY test_dc_data",
    "VACUUM; VACUUM ANALYZE test_dc; ANALYZE test_dc (id); VACUUM (FREEZE, VERBOSE) a, b",
    "CREATE TABLE t2 AS SELECT * FROM t WHERE i < 10",
    "CREATE SEQUENCE IF NOT EXISTS s START WITH 5 INCREMENT BY 2 NO CYCLE; SELECT nextval('s')",
    "DROP TABLE IF EXISTS a, b CASCADE; DROP SEQUENCE s",
    "CREATE TABLE fill (a int) WITH (fillfactor = 10, autovacuum_enabled = off)",
    // read-only-anomaly, two-ids, simple-write-skew, temporal-range and other serializable tests
    "SELECT sum(balance) FROM bank_account WHERE id IN ('X', 'Y')",
    "UPDATE test SET color = 'white' WHERE color = 'black'",
    "SELECT COUNT(*) FROM calls WHERE (status BETWEEN 1 AND 3) OR NOT (a AND b)",
    "INSERT INTO booking (room, d) SELECT 'a', now() WHERE NOT EXISTS (SELECT 1 FROM booking)",
    "SELECT max(i), min(i) FROM (VALUES (1), (2)) v(i)",
    "SELECT id FROM a UNION ALL SELECT id FROM b ORDER BY id",
    "SELECT * FROM a WHERE (x, y) = (1, 2) AND z = ANY (ARRAY[1, 2]) OFFSET 1",
    "SHOW transaction_isolation",
    "SELECT current_setting('transaction_isolation'), txid_current(), pg_sleep(0.1)",
    "ALTER TABLE a ADD CONSTRAINT k FOREIGN KEY (x) REFERENCES b NOT VALID",
    "ALTER TABLE a VALIDATE CONSTRAINT k",
    // functions and triggers
    "CREATE FUNCTION update_checking(int) RETURNS bool LANGUAGE sql AS $$ SELECT true $$",
    "CREATE TRIGGER t AFTER UPDATE ON a EXECUTE PROCEDURE f()",
    "ALTER TABLE a DISABLE TRIGGER t",
    "DO $$ BEGIN NULL; END $$",
    "DROP FUNCTION f(text, anynonarray)",
    "DROP TRIGGER IF EXISTS t ON a CASCADE",
];

/// Statements that are refused, with the name of the unsupported construct.
const REFUSED: &[(&str, &str)] = &[
    ("CREATE TABLE c1 () INHERITS (p)", "INHERITS"),
    ("CREATE TABLE parttbl (a int) PARTITION BY LIST (a)", "PARTITION BY"),
    ("CREATE TABLE part1 PARTITION OF parttbl FOR VALUES IN (1)", "PARTITION OF"),
    (
        "CREATE FUNCTION f(OUT a int) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$",
        "OUT parameters of a function",
    ),
    ("CREATE TABLE c (a int REFERENCES p DEFERRABLE INITIALLY DEFERRED)", "DEFERRABLE"),
    ("SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS"),
    ("ALTER TABLE p DETACH PARTITION c CONCURRENTLY", "ALTER TABLE DETACH PARTITION"),
    ("ALTER TABLE a DISABLE TRIGGER ALL", "ENABLE or DISABLE TRIGGER ALL"),
    ("CREATE TABLE e (r text, EXCLUDE USING gist (r WITH =))", "EXCLUDE"),
    ("MERGE INTO target t USING (SELECT 1) s ON s.a = t.a WHEN MATCHED THEN DELETE", "MERGE"),
    ("PREPARE TRANSACTION 's1'", "PREPARE TRANSACTION"),
    ("COMMIT PREPARED 's1'", "COMMIT PREPARED"),
    ("SELECT * FROM pg_locks", "system catalog pg_locks"),
    ("SELECT 1 FROM pg_catalog.pg_class", "schema pg_catalog"),
    ("REINDEX TABLE CONCURRENTLY t", "REINDEX"),
    ("EXPLAIN (COSTS OFF) SELECT 1", "EXPLAIN"),
    ("VACUUM FULL t", "VACUUM FULL"),
    ("CLUSTER t USING i", "CLUSTER"),
    ("DECLARE c CURSOR FOR SELECT * FROM t", "DECLARE CURSOR"),
    ("FETCH NEXT FROM c", "FETCH"),
    ("PREPARE q AS SELECT 1", "PREPARE"),
    ("EXECUTE q", "EXECUTE"),
    ("DO LANGUAGE plperl $$ 1; $$", "LANGUAGE plperl"),
    ("CREATE INDEX ON t USING hash (a)", "hash index"),
    ("CREATE SCHEMA s", "CREATE SCHEMA"),
    ("DROP FUNCTION f() CASCADE", "DROP FUNCTION CASCADE"),
];

#[test]
fn the_servers_own_isolation_statements_are_read_or_refused() {
    for sql in READ {
        if let Err(failure) = parse(sql) {
            panic!("{sql}: {failure}");
        }
    }
    for (sql, name) in REFUSED {
        assert_eq!(parse(sql).err(), Some(Failure::not_modelled(*name)), "{sql}");
    }
}
