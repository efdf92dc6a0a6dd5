//! Other actors run between the statements of a body, and see what it has committed so far: the same on each engine.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use retrial_sim::choice::Pace;
use retrial_sim::engine::Cost;
use retrial_sim::scheduler::Random;
use retrial_sim::seed::Seed;
use retrial_sim::trial::{Limits, Setup, TrialHost};

use super::{CALM, initial_state, script};
use crate::parity::servers;

/// The numbers of changed rows that another actor sees while the body runs, over a few schedules, and the traces.
fn seen(host: &mut TrialHost, body: &'static str) -> (BTreeSet<i64>, Vec<String>) {
    let (script, initial_state) = (script(&[body]), initial_state());
    let limits = Limits { safety_steps: 1_000, fair_steps: 500, progress: &["t"] };
    let setup = Setup {
        environment: &CALM,
        cost: Cost::FREE,
        limits,
        initial_state: Some(&initial_state),
        tables: &["t"],
    };
    let counts = Rc::new(RefCell::new(BTreeSet::new()));
    let mut traces = Vec::new();
    for seed in 0..60 {
        let run = host.run(&mut Random::new(Pace::Free), Seed(seed), Seed(seed), &setup, |world| {
            world.process("migration", move |boot| {
                let pool = boot.pool(1, None);
                boot.actor("migration", move |actor| async move {
                    let connection = pool.acquire(&actor).await;
                    script.run(&connection).await.expect("nothing fails");
                });
            });
            let counts = counts.clone();
            world.process("reader", move |boot| {
                let (pool, counts) = (boot.pool(1, None), counts.clone());
                boot.actor("reader", move |actor| async move {
                    let look = "SELECT count(*) FROM t WHERE v = 100";
                    for _ in 0..8 {
                        let answer = pool.execute(&actor, "look", look, []).await.expect("nothing fails");
                        counts.borrow_mut().extend(answer.rows[0][0].integer());
                    }
                });
            });
        });
        traces.push(run.expect("nothing is refused").trace.to_string());
    }
    (counts.take(), traces)
}

#[test]
fn others_see_a_body_chunk_by_chunk_where_it_commits_and_whole_where_it_does_not() {
    let chunks = "DO $$ BEGIN FOR i IN 1..3 LOOP UPDATE t SET v = 100 WHERE id = i; COMMIT; END LOOP; END $$";
    let whole = "DO $$ BEGIN FOR i IN 1..3 LOOP UPDATE t SET v = 100 WHERE id = i; END LOOP; END $$";
    for (body, expected) in [(chunks, vec![0, 1, 2, 3]), (whole, vec![0, 3])] {
        let mut told = Vec::new();
        for engine in servers() {
            let (counts, traces) = seen(&mut TrialHost::new(engine), body);
            assert_eq!(counts.into_iter().collect::<Vec<_>>(), expected, "{}", traces.concat());
            told.push(traces);
        }
        assert!(told.windows(2).all(|pair| pair[0] == pair[1]), "the engines made different traces");
    }
}
