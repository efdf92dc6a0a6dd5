//! A connection that breaks: its uncommitted changes are gone, it cannot be used any more, and the pool opens another.

use std::cell::RefCell;
use std::rc::Rc;

use retrial_sim::actor::Actor;
use retrial_sim::fault::Fault;
use retrial_sim::parts::pool::Pool;
use retrial_sim::trial::{Ending, Run, TrialHost};

use super::{ADD, Heard, engines, hear, meet, run_trial};
use crate::parity::servers;

/// A transaction of two writes, then one write outside it.
async fn transaction(actor: Actor, pool: Pool, heard: Heard) {
    match pool.begin(&actor, "begin", "BEGIN").await {
        Ok(transaction) => {
            hear(&heard, transaction.execute("first", ADD, []).await);
            hear(&heard, transaction.execute("second", ADD, []).await);
            hear(&heard, transaction.commit("commit").await);
        }
        Err(error) => hear::<()>(&heard, Err(error)),
    }
    hear(&heard, pool.execute(&actor, "after", ADD, []).await);
}

/// The number of locks that the trace reports as released before the last write.
fn released(run: &Run) -> usize {
    let trace = run.trace.to_string();
    let (before, _) = trace.split_once("after ->").expect("the last write ran");
    before.matches("held the lock").count()
}

#[test]
fn a_connection_that_broke_takes_its_transaction_with_it() {
    for (fault, label, said, value, locks) in [
        (Fault::RequestLost, "begin", "LOST ok", 11, 0),
        (Fault::RequestLost, "first", "LOST LOST LOST ok", 11, 0),
        (Fault::RequestLost, "second", "ok LOST LOST ok", 11, 1),
        (Fault::RequestLost, "commit", "ok ok LOST ok", 11, 1),
        (Fault::ReplyLost, "begin", "LOST ok", 11, 0),
        (Fault::ReplyLost, "first", "LOST LOST LOST ok", 11, 1),
        (Fault::ReplyLost, "second", "ok LOST LOST ok", 11, 1),
        (Fault::ReplyLost, "commit", "ok ok LOST ok", 13, 1),
    ] {
        for engine in engines() {
            let name = engine.name();
            let (heard, found, run) = meet(engine, (fault, label), transaction);
            let heard = heard.join(" ").replace("CONNECTION_LOST", "LOST");
            assert_eq!((&*heard, found, released(&run)), (said, value, locks), "{name}\n{}", run.trace);
        }
    }
}

#[test]
fn the_trace_tells_what_became_of_a_statement_whichever_way_it_was_lost() {
    for (fault, said) in [(Fault::RequestLost, Err("CONNECTION_LOST")), (Fault::ReplyLost, Ok(1))] {
        for engine in engines() {
            let (_, _, run) = meet(engine, (fault, "second"), transaction);
            let of = |label: &str| {
                let ran = run.trace.statements("writer").find(|(_, statement)| statement.label == label);
                let result = ran.expect("it is reported").1.result.as_ref();
                result.map(|answer| answer.changed).map_err(|error| error.code.as_str())
            };
            assert_eq!(of("second"), said);
            assert_eq!(of("commit"), Err("CONNECTION_LOST"));
        }
    }
}

#[test]
fn who_waits_for_the_connection_or_for_its_locks_goes_on() {
    for fault in [Fault::RequestLost, Fault::ReplyLost] {
        for engine in engines() {
            let run = run_trial(&mut TrialHost::new(engine), Some((fault, "second")), |world| {
                world.process("server", |boot| {
                    let pool = boot.pool(1, None);
                    for name in ["writer", "neighbour"] {
                        let pool = pool.clone();
                        boot.actor(name, move |actor| transaction(actor, pool, Heard::default()));
                    }
                });
                world.process("other", |boot| {
                    let pool = boot.pool(1, None);
                    boot.actor("other", move |actor| transaction(actor, pool, Heard::default()));
                });
            });
            assert_eq!(run.ending, Ending::Quiescent, "{}", run.trace);
            // Three transactions, of which one broke, and three separate writes.
            assert_eq!(run.rows("t")[0][1], 17.into(), "{}", run.trace);
        }
    }
}

#[test]
fn locks_fall_when_the_connection_breaks_and_not_when_it_is_let_go_of() {
    for engine in engines() {
        let heard = Heard::default();
        let told = heard.clone();
        let run = run_trial(&mut TrialHost::new(engine), Some((Fault::ReplyLost, "first")), |world| {
            let told = told.clone();
            world.process("server", move |boot| {
                let (pool, told) = (boot.pool(2, None), told.clone());
                boot.actor("writer", move |actor| async move {
                    told.borrow_mut().clear();
                    let broken = pool.begin(&actor, "begin", "BEGIN").await.expect("nothing injected here");
                    hear(&told, broken.execute("first", ADD, []).await);
                    hear(&told, pool.execute(&actor, "after", ADD, []).await);
                    hear(&told, broken.rollback("rollback").await);
                });
            });
        });
        assert_eq!((run.ending, run.tables[0].1[0][1].clone()), (Ending::Quiescent, 11.into()));
        assert_eq!(*heard.borrow(), ["CONNECTION_LOST", "ok", "CONNECTION_LOST"]);
    }
}

#[test]
fn whoever_tries_a_broken_connection_for_ever_is_seen_to() {
    for engine in engines() {
        let life = |actor: Actor, pool: Pool, _: Heard| async move {
            let connection = pool.acquire(&actor).await;
            while connection.execute("write", ADD, []).await.is_err() {}
        };
        let (_, value, run) = meet(engine, (Fault::RequestLost, "write"), life);
        let Ending::NoRest { cycle: Some(cycle), .. } = &run.ending else { panic!("{:?}", run.ending) };
        assert!(cycle.round[0].1.contains("CONNECTION_LOST"), "{cycle:?}");
        assert_eq!(value, 10);
    }
}

/// Takes an advisory lock on a reserved connection, which is returned to the pool or killed, and requests the lock on
/// another connection.
async fn locks(actor: Actor, pool: Pool, heard: Heard) {
    const TRY: &str = "SELECT pg_try_advisory_lock(1, 2)";
    let first = pool.reserve(&actor).await.expect("there is one");
    hear(&heard, first.execute("lock", TRY, []).await);
    actor.step("work").await;
    let second = pool.reserve(&actor).await.expect("there is another");
    hear(&heard, second.execute("other", TRY, []).await);
    hear(&heard, first.release("release").await);
    hear(&heard, second.execute("other", TRY, []).await);
    let again = pool.reserve(&actor).await.expect("the first is back, or another in its place");
    hear(&heard, again.execute("again", "SELECT pg_advisory_unlock(1, 2)", []).await);
}

#[test]
fn an_advisory_lock_survives_the_way_back_into_the_pool_and_falls_with_its_session() {
    for (strike, said) in [
        ((Fault::RequestLost, "never"), ""),
        ((Fault::Disconnect, "work"), "true true ok true false"),
        ((Fault::Disconnect, "release"), "true false ok true false"),
        ((Fault::ReleaseError, "release"), "true false RELEASE_FAILED true false"),
        ((Fault::StatementError, "again"), "true false ok false 57014"),
    ] {
        for engine in servers() {
            let name = engine.name();
            let heard = Rc::new(RefCell::new(Heard::default()));
            let strike = Some(strike).filter(|_| !said.is_empty());
            let run = run_trial(&mut TrialHost::new(engine), strike, |world| {
                let told = Heard::default();
                heard.replace(told.clone());
                world.process("server", move |boot| {
                    let (pool, told) = (boot.pool(2, None), told.clone());
                    boot.actor("writer", move |actor| locks(actor, pool, told));
                });
            });
            let said = if said.is_empty() { "true false ok false true" } else { said };
            assert_eq!(heard.take().take().join(" "), said, "{name}, {strike:?}\n{}", run.trace);
        }
    }
}
