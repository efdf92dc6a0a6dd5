//! The engine on a live server: waits, changes, and the return to the initial rows.

use std::rc::Rc;
use std::time::Duration;

use retrial_engines::postgres::Postgres;
use retrial_sim::engine::{Done, Engine, InitialState, Reply, RowChange, SessionId, Value, Work};
use retrial_sim::seed::Seed;

use super::server;

const SCHEMA: &str = "CREATE TABLE t (id bigint PRIMARY KEY, v int NOT NULL CHECK (v < 100), note text);
    CREATE TABLE names (name text PRIMARY KEY, at timestamptz, serial int GENERATED ALWAYS AS IDENTITY);";

fn initial_state() -> Rc<InitialState> {
    let row = |id: i64| ("t", vec![id.into(), (10 * id).into(), Value::Null]);
    Rc::new(InitialState::new(SCHEMA, vec![row(1), row(2)]))
}

/// An engine at its initial rows, with this number of sessions.
fn engine(sessions: u32) -> (Postgres, Vec<SessionId>) {
    let mut engine = Postgres::new(&server()).unwrap();
    engine.open(&initial_state(), Seed(7)).unwrap();
    let sessions = (0..sessions).map(|_| engine.connect().unwrap()).collect();
    (engine, sessions)
}

fn done(engine: &mut Postgres, session: SessionId, sql: &str, params: &[Value]) -> Done {
    match engine.submit(session, sql, params).unwrap() {
        Reply::Done(done) => settled(engine, session, done),
        other => panic!("{sql}: {other:?}"),
    }
}

/// A write outside a transaction block is committed when its duration is over; here that is immediately.
fn settled(engine: &mut Postgres, session: SessionId, done: Done) -> Done {
    if !done.unsettled {
        return done;
    }
    assert!(done.committed.is_empty(), "no other session sees it before");
    match engine.settle(session).unwrap() {
        Reply::Done(end) => Done { result: done.result, work: done.work, ..end },
        other => panic!("its commit: {other:?}"),
    }
}

fn run(engine: &mut Postgres, session: SessionId, sql: &str) -> Done {
    done(engine, session, sql, &[])
}

fn code(done: &Done) -> &str {
    done.result.as_ref().err().map_or("none", |error| &error.code)
}

fn tell(change: &RowChange) -> String {
    let row = |row: &Option<Rc<[Value]>>| {
        row.as_ref().map_or("nothing".to_owned(), |row| {
            row.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        })
    };
    format!("{}: {} -> {}", change.table.name, row(&change.before), row(&change.after))
}

fn told(changes: &[RowChange]) -> Vec<String> {
    changes.iter().map(tell).collect()
}

fn woken(engine: &mut Postgres) -> Vec<SessionId> {
    let mut ready = Vec::new();
    engine.wake(&mut ready);
    ready
}

fn close(mut engine: Postgres, sessions: &[SessionId]) {
    sessions.iter().for_each(|session| engine.close(*session));
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn a_statement_answers_with_rows_and_counts() {
    let (mut engine, s) = engine(1);
    let read = done(&mut engine, s[0], "SELECT id, v, note FROM t WHERE id = $1", &[2.into()]);
    let answer = read.result.unwrap();
    assert_eq!(answer.rows, [Rc::from([Value::Integer(2), Value::Integer(20), Value::Null])]);
    assert_eq!((answer.changed, read.work), (0, Work::default()), "the server does not tell its work");
    let written = done(&mut engine, s[0], "UPDATE t SET note = $1", &["x".into()]);
    assert_eq!(written.result.unwrap().changed, 2);
    assert_eq!(told(&written.committed), ["t: 1 10 NULL -> 1 10 'x'", "t: 2 20 NULL -> 2 20 'x'"]);
    assert!(!written.holds_write_lock && !written.unsettled);
    let wrong = done(&mut engine, s[0], "UPDATE t SET v = $1 WHERE id = $2", &[100.into(), 1.into()]);
    assert_eq!(code(&wrong), "23514");
    assert!(engine.submit(s[0], "SELECT $1::int", &[]).is_err(), "a parameter is missing");
    assert!(engine.submit(s[0], "SELECT $1::point", &["(1,1)".into()]).is_err(), "no such type here");
    assert_eq!(code(&run(&mut engine, s[0], "SELECT 1")), "none", "a refusal leaves the session as it was");
    close(engine, &s);
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn a_writer_waits_for_another_and_goes_on_with_its_row() {
    let (mut engine, s) = engine(3);
    run(&mut engine, s[0], "BEGIN");
    let first = run(&mut engine, s[0], "UPDATE t SET v = v + 1 WHERE id = 1");
    assert!(first.holds_write_lock && first.committed.is_empty());
    let add = "UPDATE t SET v = v + $1 WHERE id = 1";
    let Reply::Blocked(on) = engine.submit(s[1], add, &[20.into()]).unwrap() else { panic!("it waits") };
    assert_eq!(on, [s[0]]);
    assert_eq!(run(&mut engine, s[2], "SELECT v FROM t WHERE id = 1").result.unwrap().rows[0][0], 10.into());
    assert!(woken(&mut engine).is_empty(), "nothing has been released");
    let committed = run(&mut engine, s[0], "COMMIT");
    assert_eq!(told(&committed.committed), ["t: 1 10 NULL -> 1 11 NULL"]);
    assert!(!committed.holds_write_lock);
    assert_eq!(woken(&mut engine), [s[1]]);
    let Reply::Done(second) = engine.resume(s[1]).unwrap() else { panic!("it may go on") };
    assert!(second.unsettled && second.holds_write_lock);
    let second = settled(&mut engine, s[1], second);
    assert_eq!(told(&second.committed), ["t: 1 11 NULL -> 1 31 NULL"]);
    let (table, rows) = engine.rows("t").unwrap();
    assert_eq!(table.columns, ["id", "v", "note"]);
    assert_eq!(rows[0][1], 31.into());
    close(engine, &s);
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn a_lock_timeout_is_the_drivers_error_and_aborts_the_transaction() {
    let (mut engine, s) = engine(2);
    run(&mut engine, s[0], "BEGIN");
    run(&mut engine, s[0], "SELECT * FROM t FOR UPDATE");
    run(&mut engine, s[1], "BEGIN");
    assert!(matches!(engine.submit(s[1], "DELETE FROM t", &[]).unwrap(), Reply::Blocked(_)));
    let expired = engine.expire(s[1]).unwrap();
    assert_eq!(code(&expired), "55P03");
    assert_eq!(code(&run(&mut engine, s[1], "SELECT 1")), "25P02");
    engine.rollback(s[1]);
    assert_eq!(code(&run(&mut engine, s[1], "SELECT 1")), "none");
    close(engine, &s);
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn a_deadlock_has_one_victim() {
    let (mut engine, s) = engine(2);
    for round in 0..5 {
        s.iter().for_each(|session| drop(run(&mut engine, *session, "BEGIN")));
        run(&mut engine, s[0], "UPDATE t SET v = 1 WHERE id = 1");
        run(&mut engine, s[1], "UPDATE t SET v = 2 WHERE id = 2");
        let cross = engine.submit(s[0], "UPDATE t SET v = 1 WHERE id = 2", &[]).unwrap();
        assert!(matches!(cross, Reply::Blocked(_)), "round {round}");
        // The victim is nearly always the last to wait. On a busy machine the first session's check may be so late that
        // it finds the cycle.
        let mut codes = Vec::new();
        if let Reply::Done(last) = engine.submit(s[1], "UPDATE t SET v = 2 WHERE id = 1", &[]).unwrap() {
            codes.push(code(&last).to_owned());
        }
        while codes.len() < 2 {
            let ready = woken(&mut engine);
            assert!(!ready.is_empty(), "a session may go on: {codes:?}");
            for session in ready {
                let Reply::Done(done) = engine.resume(session).unwrap() else { panic!("it may go on") };
                codes.push(code(&done).to_owned());
            }
        }
        codes.sort_unstable();
        assert_eq!(codes, ["40P01", "none"], "round {round}");
        s.iter().for_each(|session| engine.rollback(*session));
    }
    close(engine, &s);
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn a_waiter_goes_on_as_soon_as_the_failed_statement_has_been_reported() {
    let (mut engine, s) = engine(2);
    // The server reports the error before it releases the locks, so the check may pass by luck in a single round.
    for round in 0..100 {
        s.iter().for_each(|session| drop(run(&mut engine, *session, "BEGIN")));
        run(&mut engine, s[0], "UPDATE t SET v = 1 WHERE id = 1");
        let waits = engine.submit(s[1], "UPDATE t SET v = 2 WHERE id = 1", &[]).unwrap();
        assert!(matches!(waits, Reply::Blocked(_)), "round {round}");
        assert_eq!(code(&run(&mut engine, s[0], "SELECT 1 / 0")), "22012");
        assert_eq!(woken(&mut engine), [s[1]], "round {round}");
        let Reply::Done(done) = engine.resume(s[1]).unwrap() else { panic!("it may go on") };
        assert_eq!(code(&done), "none");
        s.iter().for_each(|session| engine.rollback(*session));
    }
    close(engine, &s);
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn a_queue_of_waiters_moves_up_one_at_a_time() {
    let (mut engine, s) = engine(3);
    for session in &s {
        run(&mut engine, *session, "BEGIN");
    }
    run(&mut engine, s[0], "SELECT pg_advisory_xact_lock(1)");
    for session in &s[1..] {
        let reply = engine.submit(*session, "SELECT pg_advisory_xact_lock(1)", &[]).unwrap();
        assert!(matches!(reply, Reply::Blocked(_)));
    }
    for pair in s.windows(2) {
        run(&mut engine, pair[0], "COMMIT");
        assert_eq!(woken(&mut engine), [pair[1]]);
        assert!(matches!(engine.resume(pair[1]).unwrap(), Reply::Done(_)));
    }
    close(engine, &s);
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn what_was_not_committed_leaves_no_trace() {
    let (mut engine, s) = engine(2);
    run(&mut engine, s[0], "BEGIN");
    run(&mut engine, s[0], "INSERT INTO t VALUES (3, 30)");
    engine.close(s[0]);
    run(&mut engine, s[1], "BEGIN");
    run(&mut engine, s[1], "DELETE FROM t WHERE id = 1");
    run(&mut engine, s[1], "SAVEPOINT a");
    run(&mut engine, s[1], "DELETE FROM t WHERE id = 2");
    run(&mut engine, s[1], "ROLLBACK TO a");
    let committed = run(&mut engine, s[1], "COMMIT");
    assert_eq!(told(&committed.committed), ["t: 1 10 NULL -> nothing"]);
    assert_eq!(committed.committed[0].key, 1);
    assert_eq!(engine.rows("t").unwrap().1.len(), 1);
    engine.close(s[1]);
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn a_session_that_crashes_while_it_waits_holds_nobody_up() {
    let (mut engine, s) = engine(3);
    run(&mut engine, s[0], "BEGIN");
    run(&mut engine, s[0], "UPDATE t SET v = 1");
    run(&mut engine, s[1], "BEGIN");
    run(&mut engine, s[1], "SELECT pg_advisory_lock(9)");
    assert!(matches!(engine.submit(s[1], "UPDATE t SET v = 2", &[]).unwrap(), Reply::Blocked(_)));
    engine.close(s[1]);
    assert_eq!(code(&run(&mut engine, s[2], "SELECT pg_advisory_lock(9)")), "none");
    assert!(matches!(engine.submit(s[2], "UPDATE t SET v = 3", &[]).unwrap(), Reply::Blocked(_)));
    engine.close(s[0]);
    assert_eq!(woken(&mut engine), [s[2]]);
    let Reply::Done(last) = engine.resume(s[2]).unwrap() else { panic!("it may go on") };
    let last = settled(&mut engine, s[2], last);
    assert_eq!(told(&last.committed), ["t: 1 10 NULL -> 1 3 NULL", "t: 2 20 NULL -> 2 3 NULL"]);
    engine.close(s[2]);
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn each_trial_begins_at_the_initial_rows_even_after_the_schema_changed() {
    let (mut engine, _) = engine(0);
    for trial in 0..6 {
        engine.open(&initial_state(), Seed(trial)).unwrap();
        let session = engine.connect().unwrap();
        let insert = "INSERT INTO names (name, at) VALUES ($1, $2) RETURNING serial, at";
        let added = done(
            &mut engine,
            session,
            insert,
            &["it's (a, \"b\")\\".into(), "2024-02-29T12:00:00.5Z".into()],
        );
        assert_eq!(
            told(&added.committed),
            ["names: nothing -> 'it's (a, \"b\")\\' time 762523200500000 1"],
            "trial {trial}"
        );
        assert_eq!(&*added.result.unwrap().rows[0], [1.into(), Value::Timestamp(762_523_200_500_000)]);
        run(&mut engine, session, "UPDATE t SET v = 0, id = id + 10");
        assert_eq!(engine.rows("t").unwrap().1[0][0], 11.into());
        assert_eq!(engine.rows("names").unwrap().1.len(), 1);
        if trial % 2 == 1 {
            run(&mut engine, session, "ALTER TABLE t ADD COLUMN extra int DEFAULT 5");
            run(&mut engine, session, "CREATE INDEX CONCURRENTLY ON t (v)");
            let changed = run(&mut engine, session, "UPDATE t SET extra = 6 WHERE id = 11");
            assert_eq!(told(&changed.committed), ["t: 11 0 NULL 5 -> 11 0 NULL 6"]);
            assert_eq!(engine.rows("t").unwrap().0.columns.len(), 4);
        }
        engine.close(session);
    }
    engine.open(&initial_state(), Seed(9)).unwrap();
    assert_eq!(engine.rows("t").unwrap().0.columns.len(), 3);
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn rows_that_the_account_does_not_come_to_are_refused() {
    let (mut engine, s) = engine(1);
    run(&mut engine, s[0], "BEGIN");
    run(&mut engine, s[0], "SET LOCAL session_replication_role = replica");
    run(&mut engine, s[0], "DELETE FROM t");
    run(&mut engine, s[0], "COMMIT");
    assert!(engine.rows("t").is_err());
    assert!(engine.rows("nowhere").is_err());
    close(engine, &s);
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn news_is_waited_for_by_the_real_clock_inside_a_trial() {
    let (mut engine, s) = engine(2);
    madsim::runtime::Runtime::new().block_on(async move {
        run(&mut engine, s[0], "BEGIN");
        run(&mut engine, s[0], "UPDATE t SET v = 1");
        run(&mut engine, s[1], "SET lock_timeout = '50ms'");
        assert!(matches!(engine.submit(s[1], "UPDATE t SET v = 2", &[]).unwrap(), Reply::Blocked(_)));
        assert!(engine.wait_for_news(Duration::from_secs(20)), "the server ends the wait by itself");
        assert_eq!(woken(&mut engine), [s[1]]);
        let Reply::Done(done) = engine.resume(s[1]).unwrap() else { panic!("it has ended") };
        assert_eq!(code(&done), "55P03");
        close(engine, &s);
    });
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn the_engines_randomness_is_seeded() {
    let (mut engine, s) = engine(1);
    let draw =
        |engine: &mut Postgres, session| run(engine, session, "SELECT random()::text").result.unwrap().rows;
    let first = draw(&mut engine, s[0]);
    engine.close(s[0]);
    for (seed, same) in [(7, true), (8, false)] {
        engine.open(&initial_state(), Seed(seed)).unwrap();
        let session = engine.connect().unwrap();
        assert_eq!(draw(&mut engine, session) == first, same);
        engine.close(session);
    }
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn a_lock_timeout_passes_on_the_trials_clock() {
    let (mut engine, s) = engine(2);
    let update = "UPDATE t SET v = v + 1 WHERE id = 1";
    run(&mut engine, s[0], "BEGIN");
    run(&mut engine, s[0], update);
    run(&mut engine, s[1], "BEGIN");
    run(&mut engine, s[1], "SET LOCAL lock_timeout = '30s'");
    engine.advance(Duration::from_secs(5));
    assert!(matches!(engine.submit(s[1], update, &[]), Ok(Reply::Blocked(_))));
    assert_eq!(engine.alarm(), Some(Duration::from_secs(35)));
    engine.advance(Duration::from_secs(34));
    assert!(woken(&mut engine).is_empty(), "it has a second left");
    engine.advance(Duration::from_secs(35));
    assert_eq!((woken(&mut engine), engine.alarm()), (vec![s[1]], None));
    let Reply::Done(given_up) = engine.resume(s[1]).unwrap() else { panic!("it has been given up") };
    assert_eq!(code(&given_up), "55P03");
    run(&mut engine, s[1], "ROLLBACK");
    assert!(matches!(engine.submit(s[1], update, &[]), Ok(Reply::Blocked(_))));
    assert_eq!(engine.alarm(), None, "SET LOCAL has ended with its transaction");
    close(engine, &s);
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn a_definition_lasts_and_rows_keep_the_shape_they_were_written_in() {
    let (mut engine, s) = engine(3);
    let update = "UPDATE t SET v = v + 1 WHERE id = 1";
    run(&mut engine, s[0], "BEGIN");
    run(&mut engine, s[0], update);
    let alter = "ALTER TABLE t ADD COLUMN more text";
    assert!(matches!(engine.submit(s[1], alter, &[]), Ok(Reply::Blocked(_))));
    // The commit lets the DDL run before the committed changes are read.
    let committed = run(&mut engine, s[0], "COMMIT").committed;
    assert_eq!(told(&committed), ["t: 1 10 NULL -> 1 11 NULL"]);
    assert_eq!(woken(&mut engine), [s[1]]);
    let Reply::Done(altered) = engine.resume(s[1]).unwrap() else { panic!("no other session is in its way") };
    assert!(altered.unsettled && altered.holds_write_lock, "it lasts until its time is over");
    assert!(matches!(engine.submit(s[2], update, &[]), Ok(Reply::Blocked(_))));
    engine.settle(s[1]).unwrap();
    assert_eq!(woken(&mut engine), [s[2]]);
    engine.resume(s[2]).unwrap();
    let Reply::Done(settled) = engine.settle(s[2]).unwrap() else { panic!("a commit does not wait") };
    assert_eq!(told(&settled.committed), ["t: 1 11 NULL NULL -> 1 12 NULL NULL"]);
    close(engine, &s);
}
