//! SQL that reaches beyond a database, and SQL that does not.

use super::reaches;

#[test]
fn what_stays_in_its_database_passes() {
    for sql in [
        "",
        "SELECT 1; COMMIT",
        "COPY t FROM STDIN",
        "COPY t (a, b) TO STDOUT WITH (FORMAT csv)",
        "COPY (SELECT a FROM t) TO STDOUT",
        "CREATE TABLE copy_to_program (database int, \"role\" text); DROP TABLE copy_to_program",
        "CREATE INDEX CONCURRENTLY i ON t (a)",
        "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DO $$BEGIN RAISE NOTICE 'drop'; END$$",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RETURN new; END $f$; \
         CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        "PREPARE q AS SELECT 1; EXECUTE q",
        "INSERT INTO t VALUES ('COPY t TO PROGRAM ''sh''; DROP DATABASE x')",
        "-- DROP DATABASE x\nSELECT /* COPY t TO PROGRAM 'sh' /* nested */ */ 1",
        "GRANT SELECT ON t TO PUBLIC",
        "COMMENT ON TABLE t IS 'x'",
        "SELECT load, checkpoint FROM t",
        "SET LOCAL lock_timeout = '1s'",
        "SELEC 1 $%& database",
        "INSERT INTO t VALUES (E'a\\nb')",
    ] {
        assert_eq!(reaches(sql), None, "{sql}");
    }
}

#[test]
fn what_reaches_beyond_it_is_named() {
    for (sql, expected) in [
        ("SELECT 1; copy t TO\n PROGRAM 'sh'", "COPY .. TO PROGRAM"),
        ("COPY t FROM PROGRAM 'sh'", "COPY .. FROM PROGRAM"),
        ("COPY (SELECT a FROM b) TO '/tmp/x'", "COPY .. TO a file of the server"),
        ("COPY t FROM E'/tmp/x'", "COPY .. FROM a file of the server"),
        ("DROP DATABASE x", "DROP DATABASE"),
        ("/* a */ CREATE /* b */ DATABASE x", "CREATE DATABASE"),
        ("ALTER SYSTEM SET a = 1", "ALTER SYSTEM"),
        ("ALTER ROLE r SUPERUSER", "ALTER ROLE"),
        ("CREATE USER u", "CREATE USER"),
        ("DROP OWNED BY r", "DROP OWNED"),
        ("CREATE TABLESPACE s LOCATION '/x'", "CREATE TABLESPACE"),
        ("CREATE OR REPLACE TRUSTED LANGUAGE l", "CREATE LANGUAGE"),
        ("CREATE FOREIGN DATA WRAPPER w", "CREATE FOREIGN"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'a', 'b'", "code in language `c`"),
        ("DO LANGUAGE plpython3u 'import os'", "code in language `plpython3u`"),
        ("DO $$BEGIN COPY t TO PROGRAM 'sh'; END$$", "COPY .. TO PROGRAM"),
        ("DO $$BEGIN IF true THEN DROP DATABASE x; END IF; END$$", "DROP DATABASE"),
        ("DO $a$BEGIN EXECUTE 'a' || 'b'; END$a$", "EXECUTE of dynamic SQL"),
        ("SELECT pg_read_file('x')", "`pg_read_file`"),
        ("SELECT \"lo_import\"('x')", "`lo_import`"),
        ("SELECT pg_catalog.PG_LS_DIR('.')", "`pg_ls_dir`"),
        ("SELECT query_to_xml('SELECT pg_read_file(''x'')', true, true, '')", "`pg_read_file`"),
        ("SELECT U&\"\\0070g_read_file\"('x'), pg_read_file('y')", "`pg_read_file`"),
        ("SELECT pg_terminate_backend(1)", "`pg_terminate_backend`"),
        ("SET standard_conforming_strings = off", "`standard_conforming_strings`"),
        ("GRANT r TO s", "GRANT of a role"),
        ("REVOKE CONNECT ON DATABASE d FROM PUBLIC", "REVOKE ON DATABASE"),
        ("LOAD 'x'", "LOAD"),
        ("PREPARE TRANSACTION 'x'", "PREPARE TRANSACTION"),
        ("UPDATE pg_authid SET rolsuper = true", "`pg_authid`"),
        ("SELECT 'open; COPY t TO PROGRAM sh", "COPY .. TO PROGRAM"),
        ("SELECT 1 /* open; DROP DATABASE x", "DROP DATABASE"),
        ("DO E'BEGIN \\x43OPY t TO PROGRAM ''sh''; END'", "code in a string with escapes"),
    ] {
        assert_eq!(reaches(sql).as_deref(), Some(expected), "{sql}");
    }
}

#[test]
fn text_quoted_without_end_is_not_followed() {
    let deep: String = (0..5_000).map(|level| format!("$a{level}$ ")).collect();
    let closed: String = (0..5_000).rev().map(|level| format!("$a{level}$ ")).collect();
    assert_eq!(
        reaches(&format!("SELECT {deep}{closed}")).as_deref(),
        Some("text quoted too deeply to analyse")
    );
}
