-- case: refused: triggers in a statement with a WITH that writes
CREATE FUNCTION h26() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '% % %', TG_WHEN, TG_LEVEL, TG_OP; RETURN NULL; END $$

CREATE TRIGGER a AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION h26()

CREATE TRIGGER b AFTER INSERT OR UPDATE ON t EXECUTE FUNCTION h26()

WITH moved AS (UPDATE t SET v = 0 WHERE id = 1 RETURNING *) INSERT INTO t SELECT id + 10, v, s FROM moved

-- case: refused: the VOLATILE function i1 in a condition over several tables
CREATE FUNCTION i1(a int) RETURNS bool LANGUAGE sql AS 'SELECT a > 1'

SELECT * FROM t, log WHERE i1(t.id)

-- case: refused: the IMMUTABLE function i2 of constants in a query over a table
CREATE FUNCTION i2(a int) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT a > 1'

SELECT * FROM t WHERE i2(1)

-- case: refused: a VOLATILE function in a list that is grouped, distinct or sorted by
CREATE FUNCTION i3(a int) RETURNS int LANGUAGE sql AS 'SELECT a'

SELECT DISTINCT i3(v) FROM t

-- case: refused: INSERT of several rows whose values are calls
CREATE FUNCTION i4(a int) RETURNS int LANGUAGE sql AS 'SELECT a'

INSERT INTO t SELECT i4(id) + 10 FROM t

-- case: refused: the function i5 in a default, a CHECK, an index or a trigger's condition
CREATE FUNCTION i5(a int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT a'

CREATE INDEX ON t (i5(v))

-- case: refused: a function called lower, as one of the server's own
CREATE FUNCTION lower(a int) RETURNS int LANGUAGE sql AS 'SELECT a'

-- case: refused: RETURNS SETOF
CREATE FUNCTION i6() RETURNS SETOF int LANGUAGE sql AS 'SELECT 1'

-- case: refused: RETURNS TABLE
CREATE FUNCTION i7() RETURNS TABLE (a int) LANGUAGE sql AS 'SELECT 1'

-- case: refused: COMMIT and ROLLBACK in a body
DO $$ BEGIN COMMIT; END $$

-- case: refused: a statement that runs more than 1000000 statements of PL/pgSQL
DO $$ BEGIN LOOP NULL; END LOOP; END $$

-- case: refused: calls of functions nested deeper than 64 levels
CREATE FUNCTION i8(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN i8(n + 1); END $$

SELECT i8(1)

-- case: refused: a foreign key's action on a table with BEFORE or statement triggers
CREATE TABLE child (id int PRIMARY KEY, t_id int REFERENCES t ON DELETE CASCADE)

CREATE FUNCTION i9() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$

CREATE TRIGGER a BEFORE DELETE ON child FOR EACH ROW EXECUTE FUNCTION i9()

DELETE FROM t

-- case: refused: CREATE CONSTRAINT TRIGGER
CREATE CONSTRAINT TRIGGER a AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION nothing()

-- case: refused: transition tables of a trigger
CREATE TRIGGER a AFTER INSERT ON t REFERENCING NEW TABLE AS n EXECUTE FUNCTION nothing()

-- case: refused: a whole row in an expression: new
CREATE FUNCTION i10() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '%', NEW IS NULL; RETURN NEW; END $$

CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION i10()

UPDATE t SET v = 1
