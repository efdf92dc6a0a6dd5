//! The console on a live server.

use std::time::Duration;

use retrial_engines::console::{Console, Grid, Message, Progress};
use retrial_engines::postgres::PostgresConsole;
use retrial_sim::engine::SessionId;

use super::server;

const LONG: Duration = Duration::from_secs(20);

/// Sends a text and waits until it finishes or is blocked by a lock.
fn say(console: &mut PostgresConsole, session: SessionId, text: &str) -> Progress {
    console.send(session, text).unwrap();
    settle(console, session)
}

fn settle(console: &mut PostgresConsole, session: SessionId) -> Progress {
    loop {
        match console.progress(session).unwrap() {
            Progress::Running => assert!(console.pass(LONG).unwrap(), "a running text may still end"),
            stands => return stands,
        }
    }
}

fn complete(tag: &str) -> Message {
    Message::Complete(tag.to_owned())
}

fn grid(columns: &[(&str, u32)], rows: &[&[Option<&str>]]) -> Message {
    Message::Rows(Grid {
        columns: columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
        types: columns.iter().map(|(_, oid)| *oid).collect(),
        rows: rows.iter().map(|row| row.iter().map(|value| value.map(str::to_owned)).collect()).collect(),
    })
}

fn error(code: &str, text: &str) -> Message {
    Message::Error { severity: "ERROR".to_owned(), code: code.to_owned(), text: text.to_owned() }
}

fn console(sessions: u32) -> (PostgresConsole, Vec<SessionId>) {
    let mut console = PostgresConsole::new(&server()).unwrap();
    let sessions = (1..=sessions).map(|number| console.connect(&format!("s{number}")).unwrap()).collect();
    (console, sessions)
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn a_text_of_several_statements_is_told_in_order() {
    let (mut console, sessions) = console(1);
    let text = "CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t VALUES (1, 'a'), (2, NULL); \
                SELECT id, name, id > 1 AS more FROM t ORDER BY id; SELECT * FROM t WHERE false; \
                UPDATE t SET name = 'b' RETURNING id; SHOW application_name";
    assert_eq!(say(&mut console, sessions[0], text), Progress::Finished);
    assert_eq!(
        console.messages(sessions[0]),
        [
            complete("CREATE TABLE"),
            complete("INSERT 0 2"),
            grid(
                &[("id", 23), ("name", 25), ("more", 16)],
                &[&[Some("1"), Some("a"), Some("f")], &[Some("2"), None, Some("t")]]
            ),
            grid(&[("id", 23), ("name", 25)], &[]),
            grid(&[("id", 23)], &[&[Some("1")], &[Some("2")]]),
            grid(&[("application_name", 25)], &[&[Some("s1")]]),
        ]
    );
    assert!(console.messages(sessions[0]).is_empty(), "messages are taken once");
    assert!(!console.pass(LONG).unwrap(), "nothing runs, so nothing can change");
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn notices_and_errors_are_told_and_an_error_ends_the_text() {
    let (mut console, sessions) = console(1);
    let text = "DROP TABLE IF EXISTS nowhere; DO $$ BEGIN RAISE WARNING 'mind'; RAISE INFO 'told'; END $$; \
                SELECT 1 / 0; SELECT 2";
    assert_eq!(say(&mut console, sessions[0], text), Progress::Finished);
    let notice =
        |severity: &str, text: &str| Message::Notice { severity: severity.to_owned(), text: text.to_owned() };
    assert_eq!(
        console.messages(sessions[0]),
        [
            notice("NOTICE", "table \"nowhere\" does not exist, skipping"),
            complete("DROP TABLE"),
            notice("WARNING", "mind"),
            notice("INFO", "told"),
            complete("DO"),
            error("22012", "division by zero"),
        ]
    );
    assert_eq!(say(&mut console, sessions[0], ""), Progress::Finished);
    assert_eq!(say(&mut console, sessions[0], "COMMIT"), Progress::Finished);
    assert_eq!(
        console.messages(sessions[0]),
        [notice("WARNING", "there is no transaction in progress"), complete("COMMIT")]
    );
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn a_session_waits_for_another_and_goes_on_when_that_commits() {
    let (mut console, sessions) = console(2);
    say(&mut console, sessions[0], "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0)");
    say(&mut console, sessions[0], "BEGIN; UPDATE t SET n = n + 1");
    assert_eq!(say(&mut console, sessions[1], "UPDATE t SET n = n + 10 RETURNING n"), Progress::Blocked);
    assert!(console.send(sessions[1], "SELECT 1").is_err(), "a session does one thing at a time");
    assert_eq!(say(&mut console, sessions[0], "COMMIT"), Progress::Finished);
    assert_eq!(settle(&mut console, sessions[1]), Progress::Finished);
    assert_eq!(console.messages(sessions[1]), [grid(&[("n", 23)], &[&[Some("11")]])]);
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn a_sleeping_session_is_running_and_can_be_cancelled() {
    let (mut console, sessions) = console(1);
    console.send(sessions[0], "SELECT pg_sleep(600)").unwrap();
    assert_eq!(console.progress(sessions[0]).unwrap(), Progress::Running);
    assert!(console.pass(Duration::from_millis(5)).unwrap());
    console.cancel(sessions[0]).unwrap();
    assert_eq!(settle(&mut console, sessions[0]), Progress::Finished);
    assert_eq!(console.messages(sessions[0]), [error("57014", "canceling statement due to user request")]);
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn a_deadlock_is_the_servers_to_break() {
    let (mut console, sessions) = console(2);
    say(
        &mut console,
        sessions[0],
        "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0), (2, 0)",
    );
    say(&mut console, sessions[0], "SET deadlock_timeout = '100s'; BEGIN; UPDATE t SET n = 1 WHERE id = 1");
    say(&mut console, sessions[1], "SET deadlock_timeout = '10ms'; BEGIN; UPDATE t SET n = 2 WHERE id = 2");
    console.messages(sessions[1]);
    assert_eq!(say(&mut console, sessions[0], "UPDATE t SET n = 1 WHERE id = 2"), Progress::Blocked);
    console.send(sessions[1], "UPDATE t SET n = 2 WHERE id = 1").unwrap();
    while console.progress(sessions[1]).unwrap() != Progress::Finished {
        assert!(console.pass(LONG).unwrap());
    }
    assert_eq!(console.messages(sessions[1]), [error("40P01", "deadlock detected")]);
    assert_eq!(settle(&mut console, sessions[0]), Progress::Finished);
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn a_closed_session_leaves_no_lock_and_no_change() {
    let (mut console, sessions) = console(2);
    say(&mut console, sessions[0], "CREATE TABLE t (id int PRIMARY KEY)");
    say(&mut console, sessions[0], "BEGIN; INSERT INTO t VALUES (1); LOCK TABLE t");
    console.close(sessions[0]);
    assert_eq!(say(&mut console, sessions[1], "SELECT count(*) FROM t"), Progress::Finished);
    assert_eq!(console.messages(sessions[1]), [grid(&[("count", 20)], &[&[Some("0")]])]);
    assert!(console.send(sessions[0], "SELECT 1").is_err(), "it is closed");
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn a_session_that_the_server_ended_says_so() {
    let (mut console, sessions) = console(2);
    say(&mut console, sessions[0], "SELECT pg_terminate_backend(pg_backend_pid())");
    let said = console.messages(sessions[0]);
    let [Message::Error { severity, code, .. }, Message::Lost] = &said[..] else { panic!("{said:?}") };
    assert_eq!((&**severity, &**code), ("FATAL", "57P01"));
    assert!(console.send(sessions[0], "SELECT 1").is_err());
    assert_eq!(say(&mut console, sessions[1], "SELECT 1"), Progress::Finished);
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn a_trial_may_talk_to_it_under_its_virtual_clock() {
    let (mut console, sessions) = console(1);
    let runtime = madsim::runtime::Runtime::new();
    runtime.block_on(async move {
        console.send(sessions[0], "SELECT pg_sleep(0.05)").unwrap();
        assert_eq!(settle(&mut console, sessions[0]), Progress::Finished);
        assert!(console.connect("late").is_ok(), "a session needs no thread of its own");
    });
}

#[test]
#[cfg_attr(not(live_postgres), ignore = "needs a PostgreSQL server: apt-get install postgresql")]
fn a_notification_is_told_behind_the_result_and_names_its_sender() {
    let (mut console, sessions) = console(2);
    say(&mut console, sessions[0], "LISTEN c");
    assert_eq!(console.messages(sessions[0]), [complete("LISTEN")]);
    let from = |console: &PostgresConsole, session: usize, payload: &str| Message::Notification {
        channel: "c".to_owned(),
        payload: payload.to_owned(),
        process: console.process(sessions[session]).unwrap(),
    };
    say(&mut console, sessions[0], "NOTIFY c, 'own'");
    assert_eq!(console.messages(sessions[0]), [complete("NOTIFY"), from(&console, 0, "own")]);
    say(&mut console, sessions[1], "NOTIFY c, 'other'");
    assert_eq!(console.messages(sessions[1]), [complete("NOTIFY")]);
    say(&mut console, sessions[0], "SELECT 1 AS one");
    let told = console.messages(sessions[0]);
    assert!(told.contains(&from(&console, 1, "other")), "{told:?}");
    assert!(told.contains(&grid(&[("one", 23)], &[&[Some("1")]])), "{told:?}");
}
