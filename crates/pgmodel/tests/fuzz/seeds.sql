SELECT a, sum(c) FROM t WHERE b LIKE '%x' AND c BETWEEN 0 AND 2 GROUP BY a HAVING count(*) > 0 ORDER BY 2 LIMIT 3 OFFSET 0
SELECT t.a, u.b FROM t LEFT JOIN u ON t.a = u.a WHERE t.d -> 'a' IS NOT NULL AND t.e @> ARRAY[1] FOR UPDATE OF t
WITH x AS (UPDATE t SET c = c + 1 RETURNING a, c) SELECT * FROM x JOIN u USING (a)
SELECT CASE WHEN a > 1 THEN 'x' ELSE b END, coalesce(b, 'y'), nullif(a, 1), greatest(a, 2), b || 'z' FROM t
SELECT substring(b, 1, 2), lpad(b, 5, 'xy'), repeat(b, 3), split_part(b, ',', 1), left(b, -1), right(b, 2) FROM t
SELECT f + interval '1 month', date_trunc('day', f), extract(year FROM f), f - now(), interval '1 day' * 3 FROM t
SELECT c / 3, round(c, 1), trunc(c), c % 2, abs(a), -a, a::smallint, c::int, c::numeric(5, 2) FROM t
SELECT d ->> 'a', d #> '{a,0}', d @> '[]', d || '[1]', d - 'a', jsonb_set(d, '{a}', '1'), jsonb_build_object('a', a) FROM t
SELECT e || 3, array_length(e, 1), array_position(e, 2), array_to_string(e, ','), a = ANY (e), cardinality(e) FROM t
INSERT INTO t (a, b) SELECT g, g::text FROM generate_series(1, 5, 2) g ON CONFLICT (a) DO UPDATE SET b = excluded.b RETURNING *
DELETE FROM t USING u WHERE t.a = u.a AND EXISTS (SELECT 1 FROM u WHERE u.a = t.a) RETURNING t.*, u.b
SELECT a FROM t UNION ALL SELECT a FROM u INTERSECT VALUES (1), (2) ORDER BY 1 DESC NULLS LAST
SELECT * FROM (SELECT a, (SELECT max(u.a) FROM u WHERE u.a <= t.a) m FROM t) q, LATERAL (SELECT q.a + 1 AS n) l WHERE n IN (1, 2, 3)
CREATE TABLE n (a int PRIMARY KEY DEFAULT 1, b text CHECK (length(b) < 5), c bigint REFERENCES t (a) ON UPDATE CASCADE, UNIQUE (a, b))
ALTER TABLE t ADD COLUMN z int NOT NULL DEFAULT 7, ADD CONSTRAINT k CHECK (a < 100), ALTER COLUMN b SET DEFAULT 'q'
CREATE UNIQUE INDEX i ON t (lower(b), (a + 1)) WHERE c > 0; DROP INDEX i; TRUNCATE t, u RESTART IDENTITY CASCADE
BEGIN ISOLATION LEVEL REPEATABLE READ; SAVEPOINT s; UPDATE t SET a = a + 10; ROLLBACK TO s; COMMIT
SET lock_timeout = '10s'; SHOW lock_timeout; SELECT set_config('a.b', 'c', true), current_setting('a.b', true), pg_backend_pid()
CREATE SEQUENCE q START 5 INCREMENT BY -2; SELECT nextval('q'), currval('q'), lastval(), setval('q', -3, false)
