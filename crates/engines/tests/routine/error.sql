-- case: unique_violation is swallowed
DO $$ BEGIN
  INSERT INTO t VALUES (9, 9, 'nine');
  BEGIN INSERT INTO t VALUES (8, 8, 'eight'); INSERT INTO t VALUES (1, 1, 'again');
  EXCEPTION WHEN unique_violation THEN RAISE NOTICE 'caught % %', SQLSTATE, SQLERRM; END;
  INSERT INTO t VALUES (7, 7, 'seven');
END $$

-- case: OTHERS
DO $$ BEGIN PERFORM 1 / 0; EXCEPTION WHEN OTHERS THEN RAISE NOTICE '% %', SQLSTATE, SQLERRM; END $$

-- case: the first handler that fits
DO $$ BEGIN PERFORM 1 / 0;
EXCEPTION WHEN unique_violation OR check_violation THEN RAISE NOTICE 'a';
  WHEN SQLSTATE '22012' THEN RAISE NOTICE 'b'; WHEN OTHERS THEN RAISE NOTICE 'c'; END $$

-- case: a class of conditions
DO $$ BEGIN PERFORM 1 / 0; EXCEPTION WHEN data_exception THEN RAISE NOTICE 'data'; END $$

-- case: none that fits
DO $$ BEGIN UPDATE t SET v = 0; PERFORM 1 / 0; EXCEPTION WHEN unique_violation THEN RAISE NOTICE 'a'; END $$

-- case: variables keep what they had
DO $$ DECLARE n int := 1; BEGIN
  BEGIN n := 2; UPDATE t SET v = 0; n := 1 / 0; EXCEPTION WHEN division_by_zero THEN NULL; END;
  RAISE NOTICE '%', n;
END $$

-- case: an error in a handler
DO $$ BEGIN
  BEGIN PERFORM 1 / 0; EXCEPTION WHEN OTHERS THEN UPDATE t SET v = 5; RAISE EXCEPTION 'second'; END;
EXCEPTION WHEN OTHERS THEN RAISE NOTICE 'outer: %', SQLERRM; END $$

-- case: RAISE again
DO $$ BEGIN
  BEGIN PERFORM 1 / 0; EXCEPTION WHEN OTHERS THEN RAISE NOTICE 'once'; RAISE; END;
EXCEPTION WHEN division_by_zero THEN RAISE NOTICE 'twice %', SQLERRM; END $$

-- case: RAISE EXCEPTION
DO $$ BEGIN UPDATE t SET v = 0; RAISE EXCEPTION 'no % and %', 1, 'x'; END $$

-- case: RAISE with a code
DO $$ BEGIN RAISE EXCEPTION 'mine' USING ERRCODE = 'AB123'; END $$

-- case: RAISE of a condition
DO $$ BEGIN RAISE unique_violation; END $$

-- case: RAISE with a message and a condition's name
DO $$ BEGIN RAISE unique_violation USING MESSAGE = 'twice', DETAIL = 'really'; END $$

-- case: RAISE of a SQLSTATE
DO $$ BEGIN RAISE SQLSTATE '22012'; END $$

-- case: RAISE USING alone
DO $$ BEGIN RAISE EXCEPTION USING MESSAGE = 'm', ERRCODE = 'check_violation'; END $$

-- case: the levels of RAISE
DO $$ BEGIN RAISE DEBUG 'd'; RAISE LOG 'l'; RAISE INFO 'i'; RAISE NOTICE 'n'; RAISE WARNING 'w'; END $$

-- case: the values of a RAISE that nobody hears
DO $$ BEGIN RAISE DEBUG '%', 1 / 0; END $$

-- case: what RAISE EXCEPTION raised is caught
DO $$ BEGIN RAISE EXCEPTION 'own' USING ERRCODE = 'AB123';
EXCEPTION WHEN SQLSTATE 'AB123' THEN RAISE NOTICE 'caught %', SQLERRM; END $$

-- case: GET STACKED DIAGNOSTICS
DO $$ DECLARE a text; b text; BEGIN PERFORM 1 / 0;
EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS a = RETURNED_SQLSTATE, b = MESSAGE_TEXT; RAISE NOTICE '% %', a, b; END $$

-- case: blocks in a loop
DO $$ BEGIN FOR i IN 1..3 LOOP
  BEGIN INSERT INTO t VALUES (i + 2, i, 'loop'); EXCEPTION WHEN unique_violation THEN RAISE NOTICE 'there: %', i + 2; END;
END LOOP; END $$

-- case: EXIT out of a block that may fail
DO $$ BEGIN FOR i IN 1..3 LOOP
  BEGIN INSERT INTO t VALUES (i + 10, i, 'kept'); EXIT WHEN i = 2; EXCEPTION WHEN OTHERS THEN NULL; END;
END LOOP; END $$

-- case: a table that is undone
DO $$ BEGIN CREATE TABLE gone (a int); PERFORM 1 / 0; EXCEPTION WHEN OTHERS THEN NULL; END $$

SELECT * FROM gone

-- case: a failed transaction after an error that nobody caught
BEGIN

DO $$ BEGIN BEGIN UPDATE t SET v = 0; PERFORM 1 / 0; EXCEPTION WHEN unique_violation THEN NULL; END; END $$

SELECT 1

ROLLBACK

-- case: a savepoint outlives a function's error
BEGIN

SAVEPOINT s

DO $$ BEGIN BEGIN UPDATE t SET v = 0; PERFORM 1 / 0; EXCEPTION WHEN unique_violation THEN NULL; END; END $$

ROLLBACK TO s

UPDATE t SET v = v + 1

COMMIT
