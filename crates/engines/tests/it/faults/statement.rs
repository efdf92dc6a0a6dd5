//! An injected statement failure: the engine's own error, and its own effect on the transaction.

use retrial_sim::actor::Actor;
use retrial_sim::fault::Fault;
use retrial_sim::parts::pool::Pool;

use super::{ADD, Heard, hear, meet, sqlite};
use crate::parity::{said_by_servers, servers};

/// A transaction of two writes, and then one outside it.
async fn transaction(actor: Actor, pool: Pool, heard: Heard) {
    match pool.begin(&actor, "begin", "BEGIN").await {
        Ok(transaction) => {
            hear(&heard, transaction.execute("first", ADD, []).await);
            hear(&heard, transaction.execute("second", ADD, []).await);
            hear(&heard, transaction.execute("look", "SELECT 7", []).await);
            hear(&heard, transaction.commit("commit").await);
        }
        Err(error) => hear::<()>(&heard, Err(error)),
    }
    hear(&heard, pool.execute(&actor, "after", ADD, []).await);
}

fn fail_at(engine: Box<dyn retrial_sim::engine::Engine>, label: &'static str) -> (String, i64) {
    let (heard, value, run) = meet(engine, (Fault::StatementError, label), transaction);
    let trace = run.trace.to_string();
    let released = trace.split("after ->").next().map(|before| before.matches("held the lock").count());
    // However it ends, a transaction that has written releases its lock once.
    assert_eq!(released, Some(usize::from(label == "second" || label == "commit")), "{trace}");
    (heard.join(" "), value)
}

#[test]
fn in_a_server_the_transaction_is_aborted_until_it_is_ended() {
    for label in ["begin", "first", "second", "commit"] {
        let expected = match label {
            "begin" => ("57014 ok", 11),
            "first" => ("57014 25P02 25P02 ok ok", 11),
            "second" => ("ok 57014 25P02 ok ok", 11),
            _ => ("ok ok 7 57014 ok", 11),
        };
        for engine in servers() {
            assert_eq!(fail_at(engine, label), (expected.0.to_owned(), expected.1), "{label}");
        }
    }
}

#[test]
fn sqlite_rolls_the_whole_transaction_back() {
    // The next statement runs outside the transaction, and COMMIT finds nothing to commit.
    assert_eq!(fail_at(sqlite(), "second"), ("ok SQLITE_IOERR 7 SQLITE_ERROR ok".to_owned(), 11));
    assert_eq!(fail_at(sqlite(), "commit"), ("ok ok 7 SQLITE_IOERR ok".to_owned(), 11));
}

#[test]
fn a_failed_statement_does_to_a_session_what_the_server_does() {
    let script = "
        a: !fail SELECT 1
        a: BEGIN
        a: SELECT v FROM t WHERE id = 1 FOR UPDATE
        a: !fail SELECT 1
        a: !fail SELECT 1
        a: SELECT 1
        b: BEGIN
        b: SELECT v FROM t WHERE id = 1 FOR UPDATE
        b: ROLLBACK
        a: !fail ROLLBACK
        a: SELECT 1
        a: COMMIT
        a: SELECT 1
        a: BEGIN ISOLATION LEVEL REPEATABLE READ
        a: SAVEPOINT s
        a: !fail UPDATE t SET v = 3
        b: BEGIN
        b: UPDATE t SET v = 4 WHERE id = 2
        b: COMMIT
        a: ROLLBACK TO s
        a: SELECT v FROM t WHERE id = 2
        a: COMMIT
        a: BEGIN
        a: UPDATE t SET v = 5 WHERE id = 1
        a: !fail COMMIT
        a: COMMIT
        a: SELECT v FROM t WHERE id = 1
    ";
    insta::assert_snapshot!(said_by_servers(script), @r"
    a: !fail SELECT 1 -> canceling statement due to statement timeout (57014)
    a: BEGIN -> 0 changed
    a: SELECT v FROM t WHERE id = 1 FOR UPDATE -> (10); holds the write lock
    a: !fail SELECT 1 -> canceling statement due to statement timeout (57014)
    a: !fail SELECT 1 -> canceling statement due to statement timeout (57014)
    a: SELECT 1 -> current transaction is aborted, commands ignored until end of transaction block (25P02)
    b: BEGIN -> 0 changed
    b: SELECT v FROM t WHERE id = 1 FOR UPDATE -> (10); holds the write lock
    b: ROLLBACK -> 0 changed
    a: !fail ROLLBACK -> canceling statement due to statement timeout (57014)
    a: SELECT 1 -> current transaction is aborted, commands ignored until end of transaction block (25P02)
    a: COMMIT -> 0 changed
    a: SELECT 1 -> (1)
    a: BEGIN ISOLATION LEVEL REPEATABLE READ -> 0 changed
    a: SAVEPOINT s -> 0 changed
    a: !fail UPDATE t SET v = 3 -> canceling statement due to statement timeout (57014)
    b: BEGIN -> 0 changed
    b: UPDATE t SET v = 4 WHERE id = 2 -> 1 changed; holds the write lock
    b: COMMIT -> 0 changed; commits 2,20 => 2,4
    a: ROLLBACK TO s -> 0 changed
    a: SELECT v FROM t WHERE id = 2 -> (20)
    a: COMMIT -> 0 changed
    a: BEGIN -> 0 changed
    a: UPDATE t SET v = 5 WHERE id = 1 -> 1 changed; holds the write lock
    a: !fail COMMIT -> canceling statement due to statement timeout (57014)
    a: COMMIT -> 0 changed
    a: SELECT v FROM t WHERE id = 1 -> (10)
    finally (1,10) (2,4)
    ");
}
