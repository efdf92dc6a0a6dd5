//! Tests of reading files: what is accepted, what is sent for it, and with which text something is refused.

use crate::Script;
use crate::expression::Expression;
use crate::file::Step;
use crate::op::Op;

/// Checks a file's steps, and the texts that its bodies send.
fn check(text: &str, expected: &[&str]) {
    let script = Script::read(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut told = Vec::new();
    for step in &script.steps {
        match step {
            Step::Plain { label, text } => told.push(format!("{label}: {text}")),
            Step::Begin(text) => told.push(format!("begin: {text}")),
            Step::Commit => told.push("commit".to_owned()),
            Step::Rollback => told.push("rollback".to_owned()),
            Step::Run(body) => told.extend(body.ops.iter().map(tell)),
        }
    }
    assert_eq!(told, expected, "{text}");
}

fn tell(op: &Op) -> String {
    let value = |expression: &Expression| match expression {
        Expression::Local(local) => format!("{local:?}"),
        Expression::Sent { sql, .. } => format!("{}: {} {:?}", sql.label, sql.text, sql.params),
    };
    match op {
        Op::Send(send) => {
            format!("{}: {} {:?} {:?}", send.sql.label, send.sql.text, send.sql.params, send.into)
        }
        Op::Assign { slot, value: it } => format!("{slot} := {}", value(it)),
        Op::RowCount(slot) => format!("{slot} := ROW_COUNT"),
        Op::Unless { condition, to } => format!("unless {} to {}", value(condition), target(*to)),
        Op::Jump(to) => format!("to {}", target(*to)),
        Op::For { .. } => "for".to_owned(),
        Op::Iterate { to, .. } => format!("iterate or to {}", target(*to)),
        Op::EndFor(_) => "end for".to_owned(),
        Op::Commit => "commit".to_owned(),
        Op::Rollback => "rollback".to_owned(),
        Op::Notice(values) => format!("notice of {}", values.len()),
        Op::Raise { pieces, .. } => format!("raise {pieces:?}"),
    }
}

fn target(to: usize) -> String {
    if to == usize::MAX { "the end".to_owned() } else { to.to_string() }
}

/// The same for a file that is one DO block.
fn body(declares: &str, statements: &str, expected: &[&str]) {
    check(&format!("DO $$ DECLARE {declares} BEGIN {statements} END $$;"), expected);
}

fn refuses(text: &str, expected: &str) {
    match Script::read(text) {
        Ok(script) => panic!("{text} was read: {script:?}"),
        Err(error) => assert_eq!(error.to_string(), expected, "{text}"),
    }
}

fn body_refuses(statements: &str, expected: &str) {
    refuses(
        &format!("DO $$ DECLARE n int; b text; BEGIN {statements} END $$;"),
        &format!("line 1: {expected}"),
    );
}

#[test]
fn statements_end_at_semicolons_and_are_sent_as_they_are() {
    check(
        "-- a; comment\nSET lock_timeout = '3s';\n\
         UPDATE t SET s = 'a;b' /* ; /* ; */ */ || \"c;d\"\n  || $x$;$$;$x$ ; ; SELECT E'\\';'",
        &[
            "set: SET lock_timeout = '3s'",
            "update: UPDATE t SET s = 'a;b' /* ; /* ; */ */ || \"c;d\"\n  || $x$;$$;$x$",
            "select: SELECT E'\\';'",
        ],
    );
    check(
        "begin isolation level repeatable read; SAVEPOINT a; ROLLBACK TO a; COMMIT WORK; START TRANSACTION; ABORT",
        &[
            "begin: begin isolation level repeatable read",
            "savepoint: SAVEPOINT a",
            "rollback-to: ROLLBACK TO a",
            "commit",
            "begin: START TRANSACTION",
            "rollback",
        ],
    );
}

#[test]
fn labels_are_the_first_words() {
    for (text, label) in [
        ("CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)", "create-index"),
        ("create index i on t (a)", "create-index"),
        ("CREATE TABLE t ()", "create-table"),
        ("DROP INDEX i", "drop-index"),
        ("ALTER TABLE t ADD COLUMN a int", "alter"),
        ("WITH a AS (SELECT 1), b AS (DELETE FROM t) UPDATE t SET v = 1", "update"),
        ("GRANT SELECT ON t TO x", "statement"),
    ] {
        check(text, &[&*format!("{label}: {text}")]);
    }
}

#[test]
fn variables_become_parameters_of_their_type() {
    body(
        "n bigint; s text;",
        "UPDATE t SET n = n + 1, s = lower(s) WHERE t.n = n AND s IS NOT NULL AND n(1) > 0;",
        &["update: UPDATE t SET n = $1::bigint + 1, s = lower($2::text) WHERE t.n = $1::bigint \
           AND $2::text IS NOT NULL AND n(1) > 0 [1, 2] []"],
    );
    body(
        "n bigint;",
        "INSERT INTO t AS n (n, m) SELECT n AS n FROM u ON CONFLICT (n) DO UPDATE \
         SET (n, m) = (n, 2), m = n RETURNING n INTO n;",
        &["insert: INSERT INTO t AS n (n, m) SELECT $1::bigint AS n FROM u ON CONFLICT (n) DO UPDATE \
           SET (n, m) = ($1::bigint, 2), m = $1::bigint RETURNING $1::bigint [1] [1]"],
    );
    body("n int;", "ALTER TABLE t ADD COLUMN n int;", &["alter: ALTER TABLE t ADD COLUMN n int [] []"]);
    body(
        "n int;",
        "PERFORM 'n' || $x$n$x$, \"n\" -- n\n FROM t WHERE FOUND;",
        &["perform: SELECT 'n' || $x$n$x$, $1::integer FROM t WHERE $2::boolean [1, 0] []"],
    );
}

#[test]
fn control_flow_becomes_jumps() {
    body(
        "n int := 0;",
        "LOOP IF n > 2 THEN EXIT; ELSE CONTINUE; END IF; n := n + 1; END LOOP; RETURN;",
        &[
            "1 := Integer(0)",
            "unless Compare { operator: Greater, left: Variable(1), right: Integer(2) } to 4",
            "to 7",
            "to 5",
            "to 1",
            "1 := Sum { left: Variable(1), right: Integer(1), minus: false, ty: Integer }",
            "to 1",
            "to the end",
        ],
    );
    body(
        "",
        "FOR i IN 1..3 LOOP CONTINUE WHEN i = 2; COMMIT; END LOOP; ROLLBACK;",
        &[
            "for",
            "iterate or to 6",
            "unless Compare { operator: Equal, left: Variable(4), right: Integer(2) } to 4",
            "to 1",
            "commit",
            "to 1",
            "end for",
            "rollback",
        ],
    );
}

#[test]
fn what_is_not_about_numbers_and_truths_is_sent() {
    body("a text;", "a := a || 'x';", &["1 := evaluate: SELECT $1::text || 'x' [1]"]);
    body("a text;", "a := 'it''s';", &["1 := Text(\"it's\")"]);
    body("a text;", "IF a = 'x' THEN NULL; END IF;", &["unless evaluate: SELECT $1::text = 'x' [1] to 1"]);
    body("a int;", "a = 2 * a;", &["1 := evaluate: SELECT 2 * $1::integer [1]"]);
    body("a int DEFAULT NULL;", "NULL;", &["1 := Null"]);
    body(
        "a int;",
        "RAISE NOTICE '100%% of %', a; RAISE '% of %', a, 1 + 1;",
        &["notice of 1", "raise [\"\", \" of \", \"\"]"],
    );
}

#[test]
fn procedures_are_kept_and_not_sent() {
    check(
        "CREATE OR REPLACE PROCEDURE p() AS $$ BEGIN DELETE FROM t; END; $$ LANGUAGE 'plpgsql';
         CREATE PROCEDURE pg_temp.p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;
         CALL public.p(); CALL pg_temp.p(); DROP PROCEDURE p; DROP PROCEDURE IF EXISTS p();",
        &["delete: DELETE FROM t [] []", "commit"],
    );
}

#[test]
fn files_that_are_not_stepped_are_refused_by_name() {
    let create = "CREATE OR REPLACE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;";
    for (text, expected) in [
        (
            "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN NULL; END $$",
            "line 1: not stepped: CREATE PROCEDURE without OR REPLACE, which a second run of the file would find",
        ),
        (
            "\nCREATE OR REPLACE PROCEDURE p(a int) LANGUAGE plpgsql AS $$ $$",
            "line 2: not stepped: a procedure with parameters",
        ),
        (
            "CREATE OR REPLACE PROCEDURE p() LANGUAGE sql AS $$ SELECT 1 $$",
            "line 1: not stepped: LANGUAGE sql",
        ),
        (
            "CREATE OR REPLACE PROCEDURE p() LANGUAGE plpgsql SECURITY DEFINER AS $$ $$",
            "line 1: not stepped: a clause of CREATE PROCEDURE other than LANGUAGE and AS",
        ),
        (
            "CREATE OR REPLACE PROCEDURE x.p() LANGUAGE plpgsql AS $$ $$",
            "line 1: not stepped: a procedure in the schema x",
        ),
        ("DO 'BEGIN END'", "line 1: not stepped: a body in single quotes"),
        ("DO $$ BEGIN END", "line 1: a string between dollars that does not end"),
        ("CALL p()", "line 1: not stepped: CALL of p, which the file has not created before"),
        (
            "DROP PROCEDURE p()",
            "line 1: not stepped: DROP PROCEDURE of one that the file has not created before",
        ),
        ("COMMIT AND CHAIN", "line 1: not stepped: COMMIT with anything behind it"),
        ("ROLLBACK PREPARED 'x'", "line 1: not stepped: ROLLBACK with anything behind it"),
        ("\\set a 1", "line 1: not stepped: a command of psql"),
        (
            "SELECT 1;\n-- migrate:down\nSELECT 2",
            "line 2: not stepped: a file of two directions; give the part that is run",
        ),
        (
            "SET statement_timeout = '5s'; DO $$ BEGIN NULL; END $$",
            "line 1: not stepped: a timeout that the server counts over a whole DO or CALL",
        ),
    ] {
        refuses(text, expected);
    }
    refuses(
        &format!("BEGIN; {create} ROLLBACK"),
        "line 1: not stepped: ROLLBACK of a block that created or dropped a procedure",
    );
    refuses(
        &format!("{create} DROP PROCEDURE p(); CALL p()"),
        "line 1: not stepped: CALL of p, which the file has not created before",
    );
    refuses(&format!("{create} CALL p(1)"), "line 1: not stepped: a procedure with parameters");
    check(
        "SET statement_timeout = '5s'; SELECT 1",
        &["set: SET statement_timeout = '5s'", "select: SELECT 1"],
    );
    check("SET statement_timeout = 0; DO $$ BEGIN NULL; END $$", &["set: SET statement_timeout = 0"]);
}

#[test]
fn bodies_that_are_not_stepped_are_refused_by_name() {
    for (statements, what) in [
        ("BEGIN NULL; END;", "a block in a block"),
        ("<<l>> LOOP END LOOP;", "a label"),
        ("LOOP EXIT l; END LOOP;", "EXIT with a label"),
        ("NULL; EXCEPTION WHEN others THEN NULL;", "an EXCEPTION section"),
        ("EXECUTE 'SELECT 1';", "EXECUTE"),
        ("OPEN c;", "a cursor (OPEN)"),
        ("FOREACH n IN ARRAY a LOOP END LOOP;", "FOREACH"),
        ("FOR n IN SELECT id FROM t LOOP END LOOP;", "FOR over anything but integers"),
        ("FOR n IN REVERSE 3..1 LOOP END LOOP;", "FOR .. IN REVERSE"),
        ("FOR n IN 1..9 BY 2 LOOP END LOOP;", "FOR .. BY"),
        ("CASE n WHEN 1 THEN NULL; END CASE;", "a CASE statement"),
        ("CALL p();", "CALL in a body"),
        ("SELECT id FROM t;", "a SELECT without INTO (PERFORM throws rows away)"),
        ("SELECT id INTO STRICT n FROM t;", "INTO STRICT"),
        ("SELECT id INTO other FROM t;", "INTO other, which is no variable"),
        ("DELETE FROM t RETURNING id;", "RETURNING without INTO"),
        ("GET STACKED DIAGNOSTICS b = MESSAGE_TEXT;", "GET STACKED DIAGNOSTICS"),
        ("GET DIAGNOSTICS b = PG_CONTEXT;", "GET DIAGNOSTICS of anything but ROW_COUNT"),
        ("RETURN n;", "RETURN of a value"),
        ("RAISE division_by_zero;", "RAISE without a text"),
        ("RAISE EXCEPTION 'x' USING ERRCODE = 'P0002';", "RAISE .. USING"),
        ("COMMIT AND CHAIN;", "COMMIT or ROLLBACK with anything behind it"),
        ("ROLLBACK TO a;", "COMMIT or ROLLBACK with anything behind it"),
        ("SAVEPOINT a;", "SAVEPOINT in a body"),
        ("n[1] := 2;", "an assignment to a part of a variable"),
        ("UPDATE t SET v = $1;", "the parameter $1"),
        ("SET LOCAL statement_timeout = '1s';", "a timeout that the server counts over the whole body"),
    ] {
        body_refuses(statements, &format!("not stepped: {what}"));
    }
    for (declares, what) in [
        ("a t.id%TYPE;", "a variable of the type t"),
        ("a numeric;", "a variable of the type numeric"),
        ("a int[];", "a variable of the type int"),
        ("a CONSTANT int := 1;", "CONSTANT in DECLARE"),
        ("a int NOT NULL := 1;", "NOT in DECLARE"),
        ("c CURSOR FOR SELECT 1;", "CURSOR in DECLARE"),
    ] {
        refuses(
            &format!("DO $$ DECLARE {declares} BEGIN NULL; END $$"),
            &format!("line 1: not stepped: {what}"),
        );
    }
}

#[test]
fn what_the_server_would_not_read_is_an_error() {
    for (statements, what) in [
        ("IF n > 1 THEN NULL;", "expected END IF behind IF, found END"),
        ("m := 1;", "m is no variable"),
        ("n := ;", "expected an expression, found ;"),
        ("EXIT;", "expected a loop around EXIT, found ;"),
        ("RAISE NOTICE '%';", "RAISE has not one value for each %"),
        ("SELECT 1 INTO n INTO b;", "two INTO in one statement"),
        ("LOOP NULL;", "expected END LOOP behind LOOP, found END"),
        ("UPDATE t SET v = 1", "expected `;` behind a statement, found UPDATE"),
    ] {
        body_refuses(statements, what);
    }
}
