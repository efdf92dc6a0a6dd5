//! The order in which several waiters resume. If each of them requests a lock on the row, the server keeps their order,
//! and the engine must preserve it. If a waiter that resumes writes a new version of the row, or several wait for one
//! transaction because of a key (ON CONFLICT, a duplicate), the server lets them race; that is not tested here.

use std::rc::Rc;

use retrial_engines::postgres::Postgres;
use retrial_sim::engine::{Engine, InitialState, Reply, SessionId};
use retrial_sim::seed::Seed;

use super::server;

const UPDATE: &str = "UPDATE t SET v = v + 1 WHERE id = 1";
const LOCK: &str = "SELECT v FROM t WHERE id = 1 FOR UPDATE";
const ADVISORY: &str = "SELECT pg_advisory_xact_lock(7)";

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn waiters_go_on_in_the_order_that_the_server_keeps() {
    let server = server();
    let mut engine = Postgres::new(&server).unwrap();
    let initial_state = Rc::new(InitialState::new(
        "CREATE TABLE t (id int PRIMARY KEY, v int)",
        vec![("t", vec![1.into(), 10.into()])],
    ));
    for (first, then) in [(LOCK, LOCK), (UPDATE, LOCK), (ADVISORY, ADVISORY)] {
        for round in 0..10 {
            engine.open(&initial_state, Seed(round)).unwrap();
            let s: Vec<SessionId> = (0..4).map(|_| engine.connect().unwrap()).collect();
            for session in &s {
                engine.submit(*session, "BEGIN", &[]).unwrap();
            }
            engine.submit(s[0], first, &[]).unwrap();
            for session in &s[1..] {
                assert!(
                    matches!(engine.submit(*session, then, &[]), Ok(Reply::Blocked(_))),
                    "{first}, {then}"
                );
            }
            for pair in s.windows(2) {
                engine.submit(pair[0], "COMMIT", &[]).unwrap();
                let mut ready = Vec::new();
                engine.wake(&mut ready);
                assert_eq!(ready, [pair[1]], "{first}, {then}, round {round}");
                assert!(matches!(engine.resume(pair[1]), Ok(Reply::Done(_))));
            }
            s.iter().for_each(|session| engine.close(*session));
        }
    }
}
