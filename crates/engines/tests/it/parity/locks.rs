//! Which statements leave a lock that keeps writers out.

use retrial_sim::engine::{Answer, Reply};
use retrial_sim::seed::Seed;

use super::{said_by_servers, servers};
use crate::script::initial_state;

#[test]
fn a_row_that_was_locked_keeps_writers_out_and_one_that_was_not_does_not() {
    let script = "
        a: BEGIN
        a: SELECT v FROM t
        a: SELECT v FROM t WHERE id = 9 FOR UPDATE
        a: SELECT 'FOR UPDATE' AS word FROM t
        a: SELECT v FROM t WHERE id = 1 FOR KEY SHARE
        a: SELECT 1
        a: COMMIT
        a: BEGIN
        a: SELECT v FROM t WHERE id = 1 FOR SHARE
        a: ROLLBACK
        a: BEGIN
        a: SELECT v FROM t WHERE id = 1 FOR NO KEY UPDATE
        a: COMMIT
        a: BEGIN
        a: SELECT v FROM t WHERE id = 1 FOR UPDATE
        a: SELECT no_such_column FROM t
        a: COMMIT
        a: BEGIN
        a: SELECT count(*) FROM (SELECT v FROM t WHERE id = 9 FOR UPDATE) x
        a: SELECT count(*) FROM (SELECT v FROM t WHERE id = 1 FOR UPDATE) x
        a: COMMIT
    ";
    insta::assert_snapshot!(said_by_servers(script), @r#"
    a: BEGIN -> 0 changed
    a: SELECT v FROM t -> (10) (20)
    a: SELECT v FROM t WHERE id = 9 FOR UPDATE -> 0 changed
    a: SELECT 'FOR UPDATE' AS word FROM t -> ('FOR UPDATE') ('FOR UPDATE')
    a: SELECT v FROM t WHERE id = 1 FOR KEY SHARE -> (10); holds the write lock
    a: SELECT 1 -> (1); holds the write lock
    a: COMMIT -> 0 changed
    a: BEGIN -> 0 changed
    a: SELECT v FROM t WHERE id = 1 FOR SHARE -> (10); holds the write lock
    a: ROLLBACK -> 0 changed
    a: BEGIN -> 0 changed
    a: SELECT v FROM t WHERE id = 1 FOR NO KEY UPDATE -> (10); holds the write lock
    a: COMMIT -> 0 changed
    a: BEGIN -> 0 changed
    a: SELECT v FROM t WHERE id = 1 FOR UPDATE -> (10); holds the write lock
    a: SELECT no_such_column FROM t -> column "no_such_column" does not exist (42703)
    a: COMMIT -> 0 changed
    a: BEGIN -> 0 changed
    a: SELECT count(*) FROM (SELECT v FROM t WHERE id = 9 FOR UPDATE) x -> (0)
    a: SELECT count(*) FROM (SELECT v FROM t WHERE id = 1 FOR UPDATE) x -> (1); holds the write lock
    a: COMMIT -> 0 changed
    finally (1,10) (2,20)
    "#);
}

#[test]
fn a_with_counts_for_what_is_in_it() {
    let script = "
        a: BEGIN
        a: WITH x AS (SELECT 1 AS n) SELECT n FROM x
        a: WITH x AS (SELECT id FROM t WHERE id = 9 FOR UPDATE) SELECT id FROM x
        a: WITH x AS (SELECT id FROM t WHERE id = 9 FOR UPDATE) DELETE FROM t USING x
        a: WITH x AS (SELECT id FROM t FOR UPDATE) SELECT id FROM x WHERE id = 9
        a: COMMIT
        a: BEGIN
        a: WITH x AS (UPDATE t SET v = 3 WHERE id = 9 RETURNING v) SELECT v FROM x
        a: WITH x AS (UPDATE t SET v = 3 WHERE id = 1 RETURNING v) SELECT v FROM x
        a: COMMIT
        a: BEGIN
        a: WITH x AS (SELECT id FROM t FOR UPDATE) DELETE FROM t USING x WHERE v < x.id
        a: ROLLBACK
        a: BEGIN
        a: WITH x AS (SELECT id FROM t FOR UPDATE) UPDATE t SET v = 4 WHERE id = 2
        a: COMMIT
    ";
    insta::assert_snapshot!(said_by_servers(script), @r"
    a: BEGIN -> 0 changed
    a: WITH x AS (SELECT 1 AS n) SELECT n FROM x -> (1)
    a: WITH x AS (SELECT id FROM t WHERE id = 9 FOR UPDATE) SELECT id FROM x -> 0 changed
    a: WITH x AS (SELECT id FROM t WHERE id = 9 FOR UPDATE) DELETE FROM t USING x -> 0 changed
    a: WITH x AS (SELECT id FROM t FOR UPDATE) SELECT id FROM x WHERE id = 9 -> 0 changed; holds the write lock
    a: COMMIT -> 0 changed
    a: BEGIN -> 0 changed
    a: WITH x AS (UPDATE t SET v = 3 WHERE id = 9 RETURNING v) SELECT v FROM x -> 0 changed
    a: WITH x AS (UPDATE t SET v = 3 WHERE id = 1 RETURNING v) SELECT v FROM x -> (3); holds the write lock
    a: COMMIT -> 0 changed; commits 1,10 => 1,3
    a: BEGIN -> 0 changed
    a: WITH x AS (SELECT id FROM t FOR UPDATE) DELETE FROM t USING x WHERE v < x.id -> 0 changed; holds the write lock
    a: ROLLBACK -> 0 changed
    a: BEGIN -> 0 changed
    a: WITH x AS (SELECT id FROM t FOR UPDATE) UPDATE t SET v = 4 WHERE id = 2 -> 1 changed; holds the write lock
    a: COMMIT -> 0 changed; commits 2,20 => 2,4
    finally (1,3) (2,4)
    ");
}

#[test]
fn a_table_is_locked_against_writers_in_some_modes_and_for_as_long_as_its_savepoint() {
    let script = "
        a: BEGIN
        a: LOCK TABLE t IN ROW EXCLUSIVE MODE
        a: SAVEPOINT s
        a: LOCK TABLE t IN SHARE MODE
        a: ROLLBACK TO s
        a: SAVEPOINT q
        a: UPDATE t SET v = 3 WHERE id = 1
        a: UPDATE t SET v = 1 / 0
        a: ROLLBACK TO q
        a: COMMIT
    ";
    insta::assert_snapshot!(said_by_servers(script), @r"
    a: BEGIN -> 0 changed
    a: LOCK TABLE t IN ROW EXCLUSIVE MODE -> 0 changed
    a: SAVEPOINT s -> 0 changed
    a: LOCK TABLE t IN SHARE MODE -> 0 changed; holds the write lock
    a: ROLLBACK TO s -> 0 changed
    a: SAVEPOINT q -> 0 changed
    a: UPDATE t SET v = 3 WHERE id = 1 -> 1 changed; holds the write lock
    a: UPDATE t SET v = 1 / 0 -> division by zero (22012); holds the write lock
    a: ROLLBACK TO q -> 0 changed; holds the write lock
    a: COMMIT -> 0 changed
    finally (1,10) (2,20)
    ");
}

#[test]
fn a_query_that_changes_rows_on_the_way_answers_with_rows_and_has_changed_none_itself() {
    for mut engine in servers() {
        engine.open(&initial_state(), Seed(7)).expect("the initial_state is sound");
        let session = engine.connect().expect("a connection is there");
        let change = "UPDATE t SET v = 3 WHERE id = 1 RETURNING v";
        for (sql, changed) in [(format!("WITH x AS ({change}) SELECT v FROM x"), 0), (change.to_owned(), 1)] {
            let reply = engine.submit(session, &sql, &[]).expect("nothing is refused");
            let Reply::Done(done) = reply else { panic!("no other session is in the way") };
            assert_eq!(done.result, Ok(Answer { rows: vec![[3.into()].into()], changed }));
            if done.unsettled {
                engine.settle(session).expect("it can be committed");
            }
        }
        engine.close(session);
    }
}
