-- case: a function in SQL
CREATE FUNCTION f1(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT a * $2'

SELECT f1(6, 7), f1(id, v) FROM t ORDER BY id

-- case: a function in SQL over a list
CREATE FUNCTION f1b(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT a * $2'

SELECT f1b(6, 7)

SELECT f1b(id, v) FROM t

-- case: a column comes before a parameter in SQL
CREATE FUNCTION f2(v int) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM t WHERE v = f2.v'

SELECT f2(10), f2(11)

-- case: a function in SQL that writes
CREATE FUNCTION f3(a int) RETURNS text LANGUAGE sql AS $$ UPDATE t SET v = v + a; SELECT s FROM t WHERE id = a $$

SELECT f3(2)

-- case: a function in SQL of no rows and of several
CREATE FUNCTION f4(a int) RETURNS int LANGUAGE sql AS 'SELECT v FROM t WHERE id >= a ORDER BY id'

SELECT f4(2), f4(9)

-- case: a function that returns nothing
CREATE FUNCTION f5() RETURNS void LANGUAGE sql AS 'DELETE FROM t WHERE id = 1'

SELECT f5()

-- case: RETURNING in a function in SQL
CREATE FUNCTION f6(a int) RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (a, a, $$new$$) RETURNING v + 1'

SELECT f6(5)

-- case: a result of another type
CREATE FUNCTION f7() RETURNS int LANGUAGE sql AS $$ SELECT 'x'::text $$

-- case: no result
CREATE FUNCTION f8() RETURNS int LANGUAGE sql AS $$ DELETE FROM t $$

-- case: two columns
CREATE FUNCTION f9() RETURNS int LANGUAGE sql AS $$ SELECT 1, 2 $$

-- case: names are looked up when a function in SQL is made
CREATE FUNCTION f10() RETURNS int LANGUAGE sql AS $$ SELECT nothing FROM t $$

-- case: names are looked up when a body is run
CREATE FUNCTION f11() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN nothing FROM t; END $$

SELECT f11()

-- case: a function in PL/pgSQL
CREATE FUNCTION g1(a int, b text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN b || a || $1; END $$

SELECT g1(1, 'x'), g1(id, s) FROM t WHERE id < 3

-- case: a function calls another, and itself
CREATE FUNCTION g2(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN IF n <= 1 THEN RETURN 1; END IF; RETURN n * g2(n - 1); END $$

SELECT g2(5), g2(0)

-- case: STRICT
CREATE FUNCTION g3(a int) RETURNS int STRICT LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'called'; RETURN 1; END $$

SELECT g3(NULL), g3(1)

-- case: a VOLATILE function sees what its caller has done
CREATE FUNCTION g4() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT sum(v) FROM t); END $$

UPDATE t SET v = g4()

-- case: a STABLE function does not
CREATE FUNCTION g5() RETURNS bigint STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT sum(v) FROM t); END $$

UPDATE t SET v = g5()

-- case: a STABLE function may not write
CREATE FUNCTION g6() RETURNS int STABLE LANGUAGE plpgsql AS $$ BEGIN DELETE FROM t; RETURN 1; END $$

SELECT g6()

-- case: a STABLE function may not lock rows
CREATE FUNCTION g6b() RETURNS int STABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM 1 FROM t FOR UPDATE; RETURN 1; END $$

SELECT g6b()

-- case: no RETURN
CREATE FUNCTION g7() RETURNS int LANGUAGE plpgsql AS $$ BEGIN NULL; END $$

SELECT g7()

-- case: RETURN of something in a void function
CREATE FUNCTION g8() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$

-- case: a void function
CREATE FUNCTION g9() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM t WHERE id = 2; END $$

SELECT g9()

SELECT 1 WHERE g9() IS NULL

-- case: a result is cast
CREATE FUNCTION g10() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN '12'; END $$

SELECT g10() + 1

-- case: a result that cannot be
CREATE FUNCTION g11() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 'x'; END $$

SELECT g11()

-- case: OR REPLACE
CREATE FUNCTION g12() RETURNS int LANGUAGE sql AS 'SELECT 1'

CREATE FUNCTION g12() RETURNS int LANGUAGE sql AS 'SELECT 2'

CREATE OR REPLACE FUNCTION g12() RETURNS int LANGUAGE sql AS 'SELECT 3'

SELECT g12()

CREATE OR REPLACE FUNCTION g12() RETURNS text LANGUAGE sql AS 'SELECT 3'

-- case: DROP FUNCTION
CREATE FUNCTION g13(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'

DROP FUNCTION g13(text)

DROP FUNCTION g13

SELECT g13(1)

DROP FUNCTION g13(int)

DROP FUNCTION IF EXISTS g13(int)

-- case: a function that is rolled back
BEGIN

CREATE FUNCTION g14() RETURNS int LANGUAGE sql AS 'SELECT 1'

SELECT g14()

ROLLBACK

SELECT g14()

-- case: a function of no such arguments
CREATE FUNCTION g15(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'

SELECT g15('x'), g15()

SELECT g15(true)

SELECT g15(1::bigint)

-- case: overloads
CREATE FUNCTION g16(a int) RETURNS text LANGUAGE sql AS $$ SELECT 'int' $$

CREATE FUNCTION g16(a text) RETURNS text LANGUAGE sql AS $$ SELECT 'text' $$

SELECT g16(1), g16('x'::text)

DROP FUNCTION g16

-- case: any element
CREATE FUNCTION g17(a anyelement, b anyelement) RETURNS anyelement LANGUAGE plpgsql AS $$ BEGIN IF a > b THEN RETURN a; END IF; RETURN b; END $$

SELECT g17(1, 2), g17('b'::text, 'a')

-- case: a function in FROM
CREATE FUNCTION g18(a int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'called'; RETURN a + 1; END $$

SELECT * FROM g18(1)

SELECT x FROM g18(2) AS x

SELECT t.id, y.z FROM t, g18(t.id) AS y(z) ORDER BY id

-- case: a function in WHERE after what is cheaper
CREATE FUNCTION g19(a int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'asked %', a; RETURN true; END $$

SELECT id FROM t WHERE g19(id) AND id > 1

-- case: what a function catches is undone alone
CREATE FUNCTION g20(a int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t VALUES (a, 0, 'f'); RETURN true; EXCEPTION WHEN unique_violation THEN RETURN false; END $$

SELECT g20(1), g20(5), g20(5)

-- case: a function in a write
CREATE FUNCTION g21(a int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log(what) VALUES ('g21 ' || a); RETURN a * 2; END $$

INSERT INTO t VALUES (g21(2), g21(3), 'w') ON CONFLICT (id) DO UPDATE SET v = g21(excluded.v)

DELETE FROM t WHERE id = g21(1) RETURNING g21(v)

-- case: a subquery and a variable
CREATE FUNCTION g22(a int) RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE n bigint; BEGIN SELECT count(*) INTO n FROM t WHERE v > (SELECT max(x.v) FROM t x WHERE x.id < a); RETURN n; END $$

SELECT g22(2), g22(1)
