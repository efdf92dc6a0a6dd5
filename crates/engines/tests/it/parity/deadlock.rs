//! Wait cycles: the session that closes one is the victim, immediately.

use super::said_by_servers;

#[test]
fn of_two_who_wait_for_each_other_the_second_is_given_up() {
    let script = "
        a: BEGIN
        b: BEGIN
        a: UPDATE t SET v = 1 WHERE id = 1
        b: UPDATE t SET v = 2 WHERE id = 2
        a: UPDATE t SET v = 1 WHERE id = 2
        b: UPDATE t SET v = 2 WHERE id = 1
        a: COMMIT
        b: COMMIT
    ";
    insta::assert_snapshot!(said_by_servers(script), @r"
    a: BEGIN -> 0 changed
    b: BEGIN -> 0 changed
    a: UPDATE t SET v = 1 WHERE id = 1 -> 1 changed; holds the write lock
    b: UPDATE t SET v = 2 WHERE id = 2 -> 1 changed; holds the write lock
    a: UPDATE t SET v = 1 WHERE id = 2 -> blocked by b
    b: UPDATE t SET v = 2 WHERE id = 1 -> deadlock detected (40P01)
        a goes on -> 1 changed; holds the write lock
    a: COMMIT -> 0 changed; commits 1,10 => 1,1; commits 2,20 => 2,1
    b: COMMIT -> 0 changed
    finally (1,1) (2,1)
    ");
}

#[test]
fn of_three_in_a_circle_the_third_is_given_up() {
    let script = "
        a: BEGIN
        b: BEGIN
        c: BEGIN
        a: SELECT pg_advisory_xact_lock(1)
        b: UPDATE t SET v = 2 WHERE id = 2
        c: SELECT v FROM t WHERE id = 1 FOR NO KEY UPDATE
        b: SELECT pg_advisory_xact_lock(1)
        a: UPDATE t SET v = 1 WHERE id = 1
        c: SELECT v FROM t WHERE id = 2 FOR UPDATE
        c: SELECT 1
        c: ROLLBACK
        a: COMMIT
        b: COMMIT
    ";
    insta::assert_snapshot!(said_by_servers(script), @r"
    a: BEGIN -> 0 changed
    b: BEGIN -> 0 changed
    c: BEGIN -> 0 changed
    a: SELECT pg_advisory_xact_lock(1) -> (NULL)
    b: UPDATE t SET v = 2 WHERE id = 2 -> 1 changed; holds the write lock
    c: SELECT v FROM t WHERE id = 1 FOR NO KEY UPDATE -> (10); holds the write lock
    b: SELECT pg_advisory_xact_lock(1) -> blocked by a
    a: UPDATE t SET v = 1 WHERE id = 1 -> blocked by c
    c: SELECT v FROM t WHERE id = 2 FOR UPDATE -> deadlock detected (40P01)
        a goes on -> 1 changed; holds the write lock
    c: SELECT 1 -> current transaction is aborted, commands ignored until end of transaction block (25P02)
    c: ROLLBACK -> 0 changed
    a: COMMIT -> 0 changed; commits 1,10 => 1,1
        b goes on -> (NULL); holds the write lock
    b: COMMIT -> 0 changed; commits 2,20 => 2,2
    finally (1,1) (2,2)
    ");
}

#[test]
fn who_goes_on_may_close_a_circle_by_its_next_wait() {
    let script = "
        a: BEGIN
        b: BEGIN
        c: BEGIN
        a: UPDATE t SET v = 1 WHERE id = 1
        c: UPDATE t SET v = 3 WHERE id = 2
        b: SELECT pg_advisory_xact_lock(1)
        c: SELECT pg_advisory_xact_lock(1)
        b: UPDATE t SET v = 2
        a: COMMIT
        c: COMMIT
        b: COMMIT
    ";
    insta::assert_snapshot!(said_by_servers(script), @r"
    a: BEGIN -> 0 changed
    b: BEGIN -> 0 changed
    c: BEGIN -> 0 changed
    a: UPDATE t SET v = 1 WHERE id = 1 -> 1 changed; holds the write lock
    c: UPDATE t SET v = 3 WHERE id = 2 -> 1 changed; holds the write lock
    b: SELECT pg_advisory_xact_lock(1) -> (NULL)
    c: SELECT pg_advisory_xact_lock(1) -> blocked by b
    b: UPDATE t SET v = 2 -> blocked by a
    a: COMMIT -> 0 changed; commits 1,10 => 1,1
        b goes on -> deadlock detected (40P01)
        c goes on -> (NULL); holds the write lock
    c: COMMIT -> 0 changed; commits 2,20 => 2,3
    b: COMMIT -> 0 changed
    finally (1,1) (2,3)
    ");
}

#[test]
fn a_circle_that_goes_through_a_place_in_a_queue_is_broken_by_overtaking() {
    let script = "
        d: BEGIN
        d: CREATE TABLE u (id int)
        d: COMMIT
        d: BEGIN
        e: BEGIN
        f: BEGIN
        g: BEGIN
        d: LOCK TABLE t IN ACCESS SHARE MODE
        e: LOCK TABLE u IN ACCESS SHARE MODE
        f: LOCK TABLE t IN ACCESS EXCLUSIVE MODE
        g: LOCK TABLE u IN ACCESS EXCLUSIVE MODE
        d: LOCK TABLE u IN ACCESS SHARE MODE
        e: LOCK TABLE t IN ACCESS SHARE MODE
        d: COMMIT
        f: COMMIT
        e: COMMIT
        g: COMMIT
    ";
    insta::assert_snapshot!(said_by_servers(script), @r"
    d: BEGIN -> 0 changed
    d: CREATE TABLE u (id int) -> 0 changed; holds the write lock
    d: COMMIT -> 0 changed
    d: BEGIN -> 0 changed
    e: BEGIN -> 0 changed
    f: BEGIN -> 0 changed
    g: BEGIN -> 0 changed
    d: LOCK TABLE t IN ACCESS SHARE MODE -> 0 changed
    e: LOCK TABLE u IN ACCESS SHARE MODE -> 0 changed
    f: LOCK TABLE t IN ACCESS EXCLUSIVE MODE -> blocked by d
    g: LOCK TABLE u IN ACCESS EXCLUSIVE MODE -> blocked by e
    d: LOCK TABLE u IN ACCESS SHARE MODE -> blocked by g
    e: LOCK TABLE t IN ACCESS SHARE MODE -> blocked by f
        d goes on -> 0 changed
    d: COMMIT -> 0 changed
        f goes on -> 0 changed; holds the write lock
    f: COMMIT -> 0 changed
        e goes on -> 0 changed
    e: COMMIT -> 0 changed
        g goes on -> 0 changed; holds the write lock
    g: COMMIT -> 0 changed
    finally (1,10) (2,20)
    ");
}
