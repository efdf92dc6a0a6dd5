-- case: DO assigns and updates
DO $$ DECLARE n int := 3; BEGIN UPDATE t SET v = v + n; END $$

-- case: IF, ELSIF and ELSE
DO $$ DECLARE r record; BEGIN
  FOR r IN SELECT id FROM t ORDER BY id LOOP
    IF r.id = 1 THEN RAISE NOTICE 'one';
    ELSIF r.id = 2 THEN RAISE NOTICE 'two';
    ELSE RAISE NOTICE 'other %', r.id;
    END IF;
  END LOOP;
END $$

-- case: NULL is not true
DO $$ DECLARE b bool; BEGIN
  IF b THEN RAISE NOTICE 'true'; ELSE RAISE NOTICE 'not true: %', b; END IF;
  IF NOT b THEN RAISE NOTICE 'false'; END IF;
END $$

-- case: CASE with an operand
DO $$ DECLARE n int; BEGIN
  FOR n IN 1..4 LOOP
    CASE n WHEN 1, 2 THEN RAISE NOTICE 'low %', n; WHEN 3 THEN RAISE NOTICE 'three'; ELSE NULL; END CASE;
  END LOOP;
END $$

-- case: CASE that finds nothing
DO $$ BEGIN CASE WHEN false THEN NULL; WHEN 1 = 2 THEN NULL; END CASE; END $$

-- case: CASE of a text
DO $$ DECLARE s text := 'b'; BEGIN CASE s WHEN 'a' THEN RAISE NOTICE 'a'; WHEN 'b' THEN RAISE NOTICE 'is b'; END CASE; END $$

-- case: WHILE, CONTINUE and EXIT
DO $$ DECLARE n int := 0; BEGIN
  WHILE n < 10 LOOP
    n := n + 1;
    CONTINUE WHEN n % 2 = 0;
    EXIT WHEN n > 7;
    RAISE NOTICE 'n is %', n;
  END LOOP;
  RAISE NOTICE 'at the end %', n;
END $$

-- case: labels
DO $$ BEGIN
  <<outer>> FOR i IN 1..3 LOOP
    <<inner>> FOR j IN 1..3 LOOP
      CONTINUE outer WHEN j = 2 AND i = 1;
      EXIT outer WHEN i = 2;
      RAISE NOTICE '% %', i, j;
    END LOOP inner;
  END LOOP outer;
  <<b>> BEGIN EXIT b; RAISE NOTICE 'never'; END b;
  RAISE NOTICE 'done';
END $$

-- case: FOR backwards and by two
DO $$ BEGIN
  FOR i IN REVERSE 5..1 BY 2 LOOP RAISE NOTICE '%', i; END LOOP;
  FOR i IN 3..1 LOOP RAISE NOTICE 'never'; END LOOP;
  RAISE NOTICE 'found %', FOUND;
  FOR i IN 1..1 LOOP NULL; END LOOP;
  RAISE NOTICE 'found %', FOUND;
END $$

-- case: FOR to NULL
DO $$ DECLARE n int; BEGIN FOR i IN 1..n LOOP NULL; END LOOP; END $$

-- case: FOR by nothing
DO $$ BEGIN FOR i IN 1..2 BY 0 LOOP NULL; END LOOP; END $$

-- case: FOR from NULL
DO $$ DECLARE n int; BEGIN FOR i IN n..2 LOOP NULL; END LOOP; END $$

-- case: what the body does to the variable of FOR
DO $$ BEGIN FOR i IN 1..3 LOOP i := i * 10; RAISE NOTICE '%', i; END LOOP; END $$

-- case: a variable of the loop hides the other
DO $$ DECLARE i int := 7; BEGIN FOR i IN 1..2 LOOP NULL; END LOOP; RAISE NOTICE '%', i; END $$

-- case: FOR over rows into several variables
DO $$ DECLARE a int; b text; BEGIN
  FOR a, b IN SELECT v, s FROM t ORDER BY id LOOP RAISE NOTICE '% %', a, b; END LOOP;
  RAISE NOTICE 'last % %', a, b;
  FOR a, b IN SELECT v, s FROM t WHERE id > 9 LOOP NULL; END LOOP;
  RAISE NOTICE 'none % % %', a, b, FOUND;
END $$

-- case: FOR over rows while they change
DO $$ DECLARE r record; BEGIN
  FOR r IN SELECT * FROM t ORDER BY id LOOP
    UPDATE t SET v = v + 1;
    RAISE NOTICE '% %', r.id, r.v;
  END LOOP;
END $$

-- case: FOR over what UPDATE returns
DO $$ DECLARE r record; BEGIN
  FOR r IN UPDATE t SET v = v + 1 WHERE id < 3 RETURNING id, v LOOP RAISE NOTICE '% %', r.id, r.v; END LOOP;
END $$

-- case: RETURN ends a DO
DO $$ BEGIN RAISE NOTICE 'a'; RETURN; RAISE NOTICE 'b'; END $$

-- case: nested blocks and their labels
DO $$ <<o>> DECLARE x int := 1; BEGIN
  DECLARE x int := 2; BEGIN RAISE NOTICE '% %', x, o.x; o.x := 5; END;
  RAISE NOTICE '%', x;
END $$

-- case: a block begins anew each time
DO $$ BEGIN FOR i IN 1..2 LOOP
  DECLARE n int := 0; m int; BEGIN n := n + i; RAISE NOTICE '% %', n, m; m := 3; END;
END LOOP; END $$

-- case: a DO in a transaction block is rolled back with it
BEGIN

DO $$ BEGIN DELETE FROM t; END $$

ROLLBACK

-- case: a DO that fails leaves nothing
DO $$ BEGIN UPDATE t SET v = 1; UPDATE t SET v = 1 / 0; END $$
