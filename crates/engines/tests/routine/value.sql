-- case: assignments cast
DO $$ DECLARE n int; s text; b bool; m numeric(6,2); BEGIN
  n := '12'; s := 5; b := 'yes'; m := 3.14159;
  RAISE NOTICE '% % % %', n, s, b, m;
  s := true; n := 2.5; m := '7';
  RAISE NOTICE '% % %', s, n, m;
END $$

-- case: a text that is no number
DO $$ DECLARE n int; BEGIN n := 'abc'; END $$

-- case: a number that is too large
DO $$ DECLARE n int; BEGIN n := 3000000000; END $$

-- case: a text that is too long
DO $$ DECLARE s varchar(3); BEGIN s := 'abcd'; END $$

-- case: NOT NULL
DO $$ DECLARE n int NOT NULL := 1; BEGIN n := NULL; END $$

-- case: CONSTANT
DO $$ DECLARE n CONSTANT int := 1; BEGIN n := 2; END $$

-- case: NULL in a text
DO $$ DECLARE n int; BEGIN RAISE NOTICE 'n is % and %%', n; END $$

-- case: SELECT INTO
DO $$ DECLARE a int; b text; BEGIN
  SELECT v, s INTO a, b FROM t WHERE id = 2;
  RAISE NOTICE '% % %', a, b, FOUND;
  SELECT v, s INTO a, b FROM t WHERE id = 9;
  RAISE NOTICE '% % %', a, b, FOUND;
  SELECT v INTO a FROM t ORDER BY id DESC;
  RAISE NOTICE '%', a;
END $$

-- case: SELECT INTO too few and too many columns
DO $$ DECLARE a int := 1; b text := 'x'; BEGIN
  SELECT id INTO a, b FROM t WHERE id = 3; RAISE NOTICE '% %', a, b;
  SELECT id, v, s INTO a, b FROM t WHERE id = 3; RAISE NOTICE '% %', a, b;
END $$

-- case: INTO STRICT without a row
DO $$ DECLARE a int; BEGIN SELECT v INTO STRICT a FROM t WHERE id = 9; END $$

-- case: INTO STRICT with two rows
DO $$ DECLARE a int; BEGIN SELECT v INTO STRICT a FROM t; END $$

-- case: INTO a record
DO $$ DECLARE r record; BEGIN
  SELECT id, s AS name INTO r FROM t WHERE id = 1; RAISE NOTICE '% % %', r.id, r.name, r;
  SELECT id, v INTO r FROM t WHERE id = 9; RAISE NOTICE '% %', r.id, r;
END $$

-- case: a record that holds nothing
DO $$ DECLARE r record; BEGIN RAISE NOTICE '%', r.x; END $$

-- case: a field that is not there
DO $$ DECLARE r record; BEGIN SELECT id INTO r FROM t WHERE id = 1; RAISE NOTICE '%', r.nothing; END $$

-- case: a row type
DO $$ DECLARE r t%ROWTYPE; x t.v%TYPE; BEGIN
  r.id := 8; r.s := 'new'; RAISE NOTICE '%', r;
  SELECT * INTO r FROM t WHERE id = 2; x := r.v + 1;
  INSERT INTO t VALUES (r.id + 100, x, r.s);
END $$

-- case: rows as texts
DO $$ DECLARE r record; x text; BEGIN
  SELECT 1 AS a, 'two words' AS b, '' AS c, NULL::int AS d, 'q"uote' AS e, 'a,b' AS f, true AS g INTO r;
  x := r; RAISE NOTICE '%', x;
END $$

-- case: RETURNING INTO
DO $$ DECLARE a int; b int; BEGIN
  INSERT INTO t VALUES (4, 40, 'd') RETURNING id, v INTO a, b; RAISE NOTICE '% %', a, b;
  UPDATE t SET v = v * 2 WHERE id = 1 RETURNING v INTO a; RAISE NOTICE '%', a;
  DELETE FROM t WHERE id = 3 RETURNING s INTO STRICT a;
END $$

-- case: UPDATE of two rows RETURNING INTO
DO $$ DECLARE a int; BEGIN UPDATE t SET v = v * 2 RETURNING v INTO a; END $$

-- case: FOUND and ROW_COUNT
DO $$ DECLARE n int; BEGIN
  UPDATE t SET v = 0 WHERE id < 3; GET DIAGNOSTICS n = ROW_COUNT; RAISE NOTICE '% %', n, FOUND;
  DELETE FROM t WHERE id = 77; GET DIAGNOSTICS n = ROW_COUNT; RAISE NOTICE '% %', n, FOUND;
  PERFORM 1 FROM t; GET DIAGNOSTICS n = ROW_COUNT; RAISE NOTICE '% %', n, FOUND;
  PERFORM 1 FROM t WHERE false; RAISE NOTICE '%', FOUND;
  n := (SELECT count(*) FROM t); GET DIAGNOSTICS n = ROW_COUNT; RAISE NOTICE '%', n;
END $$

-- case: a query whose rows go nowhere
DO $$ BEGIN SELECT 1; END $$

-- case: an expression over a table
DO $$ DECLARE n int; BEGIN n := count(*) FROM t; RAISE NOTICE '%', n; n := v FROM t WHERE id = 9; RAISE NOTICE '%', n; END $$

-- case: an expression of two rows
DO $$ DECLARE n int; BEGIN n := v FROM t; END $$

-- case: a name that is a column and a variable
DO $$ DECLARE v int := 1; BEGIN UPDATE t SET v = v + 1; END $$

-- case: a qualified name means the column
DO $$ DECLARE v int := 5; n int; BEGIN SELECT t.v INTO n FROM t WHERE t.id = 1; RAISE NOTICE '% %', v, n; END $$

-- case: EXECUTE
DO $$ DECLARE n int; m text; BEGIN
  EXECUTE 'SELECT count(*) FROM t WHERE id > $1' INTO n USING 1; RAISE NOTICE '%', n;
  EXECUTE 'UPDATE t SET v = $1 WHERE id = $2' USING 77, 2;
  GET DIAGNOSTICS n = ROW_COUNT; RAISE NOTICE '% %', n, FOUND;
  m := 't'; EXECUTE 'SELECT s FROM ' || m || ' WHERE id = 1' INTO m; RAISE NOTICE '%', m;
END $$

-- case: EXECUTE of NULL
DO $$ DECLARE s text; BEGIN EXECUTE s; END $$

-- case: a variable that is not there
DO $$ BEGIN RAISE NOTICE '%', nothing; END $$

-- case: a table made in a body
DO $$ BEGIN CREATE TABLE made (a int); INSERT INTO made VALUES (1), (2); END $$

SELECT * FROM made ORDER BY a

DROP TABLE made
