//! Real SQLite: its locks, errors and journals, and the log of changes.

use std::rc::Rc;

use retrial_engines::model::Model;
use retrial_engines::sqlite::Sqlite;
use retrial_sim::engine::{Engine, InitialState, Reply};
use retrial_sim::seed::Seed;

use crate::script::{initial_state, run_from};

type Settings = &'static [(&'static str, &'static str)];

const WAL: Settings = &[("journal_mode", "wal")];
const ROLLBACK: Settings = &[("journal_mode", "delete")];

/// Set in a child process that may open only a few files.
const CHILD: &str = "RETRIAL_TEST_OPENS_FEW_FILES";

/// The default initial rows with these settings.
fn with(settings: Settings) -> Rc<InitialState> {
    Rc::new((*initial_state()).clone().with(settings))
}

/// Runs the script and compares the transcript with the named golden.
fn check(golden: &str, journal: Settings, script: &str) {
    let mut engine = Sqlite::new().expect("a database can be made");
    let transcript = run_from(&mut engine, &with(journal), script);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../../snapshots/sqlite");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(golden, transcript));
}

#[test]
fn in_a_write_ahead_log_a_writer_waits_for_a_writer_and_readers_for_nobody() {
    check(
        "in_a_write_ahead_log_a_writer_waits_for_a_writer_and_readers_for_nobody",
        WAL,
        "
        a: BEGIN
        a: UPDATE t SET v = v + 1 WHERE id = 1
        r: SELECT v FROM t WHERE id = 1
        b: UPDATE t SET v = v + 5 WHERE id = 1
        a: COMMIT
        b: !settle
    ",
    );
}

#[test]
fn in_a_rollback_journal_a_commit_waits_for_the_readers() {
    check(
        "in_a_rollback_journal_a_commit_waits_for_the_readers",
        ROLLBACK,
        "
        r: BEGIN
        r: SELECT v FROM t WHERE id = 1
        a: UPDATE t SET v = 11 WHERE id = 1
        a: !settle
        s: SELECT v FROM t WHERE id = 2
        r: COMMIT
        s: !settle
    ",
    );
}

#[test]
fn a_lock_timeout_is_the_drivers_own_error() {
    check(
        "a_lock_timeout_is_the_drivers_own_error",
        WAL,
        "
        a: BEGIN IMMEDIATE
        b: BEGIN IMMEDIATE
        b: !expire
        b: SELECT v FROM t WHERE id = 1
        a: ROLLBACK
    ",
    );
}

#[test]
fn a_snapshot_too_old_to_write_from_fails_at_once() {
    check(
        "a_snapshot_too_old_to_write_from_fails_at_once",
        WAL,
        "
        a: BEGIN
        a: SELECT v FROM t WHERE id = 1
        b: UPDATE t SET v = 99 WHERE id = 2
        b: !settle
        a: UPDATE t SET v = 12 WHERE id = 1
        a: ROLLBACK
    ",
    );
}

#[test]
fn what_sqlite_refuses_the_actor_gets_in_sqlites_words() {
    check(
        "what_sqlite_refuses_the_actor_gets_in_sqlites_words",
        WAL,
        "
        a: SELEKT 1
        a: SELECT * FROM missing
        a: INSERT INTO t VALUES (1, 5)
        a: INSERT INTO t VALUES (3, 500)
        a: INSERT INTO t VALUES (3, NULL)
        a: SELECT v FROM t WHERE id = ?
        a: SELECT 1; SELECT 2
    ",
    );
}

#[test]
fn what_the_engine_cannot_account_for_it_refuses_by_name() {
    check(
        "what_the_engine_cannot_account_for_it_refuses_by_name",
        WAL,
        "
        a: SAVEPOINT s
        a: ROLLBACK TO s
        a: VACUUM
        a: ALTER TABLE t ADD COLUMN w INTEGER
        a: SELECT 1.5
    ",
    );
    check(
        "what_changed_behind_the_account_is_refused",
        WAL,
        "
        a: DELETE FROM t
        a: !settle
    ",
    );
}

#[test]
fn a_closed_session_is_rolled_back_and_its_locks_fall() {
    check(
        "a_closed_session_is_rolled_back_and_its_locks_fall",
        WAL,
        "
        a: BEGIN IMMEDIATE
        a: UPDATE t SET v = 77 WHERE id = 1
        b: INSERT INTO t VALUES (5, 50)
        a: !close
        b: !settle
    ",
    );
}

#[test]
fn the_account_follows_a_row_through_a_transaction() {
    check(
        "the_account_follows_a_row_through_a_transaction",
        WAL,
        "
        a: BEGIN
        a: UPDATE t SET v = v + 1
        a: UPDATE t SET v = v + 1 WHERE id = 2
        a: DELETE FROM t WHERE id = 1
        a: INSERT INTO t VALUES (9, 90)
        a: COMMIT
    ",
    );
}

#[test]
fn every_trial_finds_the_initial_rows() {
    let mut engine = Sqlite::new().expect("a database can be made");
    let script = "
        a: UPDATE t SET v = v + 1
        a: !settle
        a: CREATE INDEX t_v ON t (v)
        a: !settle
    ";
    let first = run_from(&mut engine, &with(WAL), script);
    for _ in 0..50 {
        assert_eq!(run_from(&mut engine, &with(WAL), script), first);
    }
}

#[test]
fn sqls_own_randomness_and_clock_follow_the_trial() {
    let draw = |seed: u64| {
        let mut engine = Sqlite::new().expect("a database can be made");
        engine.open(&with(WAL), Seed(seed)).expect("the initial_state is sound");
        let session = engine.connect().expect("a connection is there");
        let sql = "SELECT random(), hex(randomblob(8)), datetime('now')";
        let runtime = madsim::runtime::Runtime::with_seed_and_config(seed, madsim::Config::default());
        let reply = runtime.block_on(async { engine.submit(session, sql, &[]) }).expect("it runs");
        let Reply::Done(done) = reply else { panic!("a read is not blocked") };
        format!("{:?}", done.result.expect("it succeeds").rows)
    };
    assert_eq!(draw(3), draw(3));
    assert_ne!(draw(3), draw(4));
}

#[test]
fn work_does_not_depend_on_what_earlier_trials_prepared() {
    let steps = |engine: &mut Sqlite, script: &[&str]| {
        engine.open(&with(WAL), Seed(1)).expect("the initial_state is sound");
        let session = engine.connect().expect("a connection is there");
        let mut steps = Vec::new();
        for sql in script {
            let Ok(Reply::Done(done)) = engine.submit(session, sql, &[]) else {
                panic!("{sql} is not blocked")
            };
            steps.push(done.work.steps);
            if done.unsettled {
                let _ = engine.settle(session).expect("no other session is in the way");
            }
        }
        engine.close(session);
        steps
    };
    let read = "SELECT v FROM t WHERE id = 1";
    let write = "UPDATE t SET v = v + 1 WHERE id = 2";
    for change in ["CREATE INDEX t_v ON t (v)", "CREATE TABLE u (id INTEGER PRIMARY KEY)"] {
        let mut fresh = Sqlite::new().expect("a database can be made");
        let expected = steps(&mut fresh, &[change, read, write]);
        let mut used = Sqlite::new().expect("a database can be made");
        steps(&mut used, &[read, write]);
        assert_eq!(steps(&mut used, &[change, read, write]), expected, "after {change}");
        assert_eq!(steps(&mut used, &[change, read, write]), expected, "after {change}, twice");
    }
}

#[test]
fn a_machine_that_opens_no_more_files_fails_the_run_and_no_statement() {
    let test = std::env::current_exe().unwrap();
    let script = "ulimit -n 40; exec \"$0\" sqlite::as_a_child --exact --test-threads=1";
    let child =
        std::process::Command::new("sh").args(["-c", script]).arg(test).env(CHILD, "1").output().unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

/// Not a test: the child process of the test above.
#[test]
#[expect(clippy::disallowed_methods, reason = "it is told by its environment that it is the child")]
fn as_a_child() {
    if std::env::var(CHILD).is_err() {
        return;
    }
    let mut engine = Sqlite::new().expect("a database can be made");
    engine.open(&with(WAL), Seed(1)).expect("there are files enough");
    let failed = (0..100).find_map(|_| {
        let session = match engine.connect() {
            Ok(session) => session,
            Err(error) => return Some(error),
        };
        match engine.submit(session, "SELECT v FROM t", &[]) {
            Ok(Reply::Done(done)) => {
                assert!(done.result.is_ok(), "the statement is not what failed: {:?}", done.result);
                None
            }
            Ok(other) => panic!("a reader waits for no session: {other:?}"),
            Err(error) => Some(error),
        }
    });
    let error = failed.expect("there are no more files");
    assert!(error.is_machine() && error.to_string().contains("unable to open database file"), "{error}");
}

#[test]
fn a_setting_that_nobody_knows_is_refused_by_name() {
    let mut engine = Sqlite::new().expect("a database can be made");
    for (settings, why) in [
        (&[("journal_mode", "off")][..], "SQLite's journal_mode can be `wal` or `delete` here, not `off`"),
        (
            &[("jounal_mode", "wal")],
            "the engine `sqlite` has no setting `jounal_mode`; it takes `journal_mode`",
        ),
    ] {
        let error = engine.open(&with(settings), Seed(1)).expect_err("it is refused");
        assert_eq!(error.to_string(), why);
    }
    let error = Model::new().open(&with(WAL), Seed(1)).expect_err("it is refused");
    assert_eq!(error.to_string(), "the engine `model` has no setting `journal_mode`; leave it out");
}

#[test]
fn a_host_takes_the_journal_of_each_initial_state() {
    let script = "
        r: BEGIN
        r: SELECT v FROM t WHERE id = 1
        a: UPDATE t SET v = 11 WHERE id = 1
        a: !settle
    ";
    let fresh = |journal| run_from(&mut Sqlite::new().expect("a database"), &with(journal), script);
    assert_ne!(fresh(WAL), fresh(ROLLBACK));
    let mut engine = Sqlite::new().expect("a database can be made");
    for journal in [WAL, ROLLBACK, WAL] {
        assert_eq!(run_from(&mut engine, &with(journal), script), fresh(journal));
    }
}
