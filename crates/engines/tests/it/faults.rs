//! Faults as a write path meets them on real SQLite: what took effect, and what the actor was told.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use retrial_engines::sqlite::{Journal, Sqlite};
use retrial_sim::choice::Pace;
use retrial_sim::engine::Cost;
use retrial_sim::fault::{Fault, Offer, Rung};
use retrial_sim::scheduler::Random;
use retrial_sim::seed::Seed;
use retrial_sim::trial::{Limits, Setup, TestBed};

use crate::script::opening;

/// Holds a trial of one writer whose one statement meets that fault; tells what the writer heard each time it ran, and
/// the value in the end, which each run that took effect raised by one.
fn meet(fault: Fault) -> (Vec<String>, i64) {
    let offers: &'static [Offer] =
        Box::leak(Box::new([Offer { fault, actors: &["writer"], labels: &["write"] }]));
    let rung = Rung { name: "one", about: "one fault", offers, budget: 1 };
    let opening = opening();
    let cost = Cost::FREE;
    let limits = Limits { safety_steps: 100, fair_steps: 100, progress: &["t"] };
    let setup = Setup { rung: &rung, cost, limits, opening: Some(&opening), tables: &["t"] };
    let mut bed = TestBed::new(Box::new(Sqlite::new(Journal::Wal).expect("a database can be made")));
    for seed in 0.. {
        let heard = Rc::new(RefCell::new(Vec::new()));
        let told = heard.clone();
        let run = bed.hold(&mut Random::new(Pace::Free), Seed(seed), Seed(seed), &setup, |world| {
            world.process("server", move |boot| {
                let (pool, told) = (boot.pool(1, Duration::from_secs(5)), told.clone());
                boot.actor("writer", move |actor| async move {
                    let said = pool.execute(&actor, "write", "UPDATE t SET v = v + 1 WHERE id = 1", []).await;
                    told.borrow_mut().push(said.map_or_else(|error| error.code, |_| "ok".to_owned()));
                });
            });
        });
        let run = run.expect("nothing is refused");
        if run.strikes == [(fault, "write")] {
            return (heard.take(), run.rows("t")[0][1].integer().expect("a number"));
        }
    }
    unreachable!("some seed strikes")
}

#[test]
fn a_lost_reply_hides_a_statement_that_took_effect() {
    assert_eq!(meet(Fault::ReplyLost), (vec!["CONNECTION_LOST".to_owned()], 11));
}

#[test]
fn a_failed_statement_took_no_effect() {
    assert_eq!(meet(Fault::StatementError), (vec!["SQLITE_IOERR".to_owned()], 10));
}

#[test]
fn a_crash_before_the_statement_leaves_nothing_and_one_after_it_leaves_its_effect() {
    // The process starts again and runs the statement once more; only the second crash left a first effect behind.
    assert_eq!(meet(Fault::CrashBefore), (vec!["ok".to_owned()], 11));
    assert_eq!(meet(Fault::CrashAfter), (vec!["ok".to_owned()], 12));
}
