//! A failing server says nothing about the code under test: each of its failures must end a trial as a machine failure,
//! in time and with its cause.

use std::net::TcpListener;
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use retrial_engines::console::Console;
use retrial_engines::postgres::{Postgres, PostgresConsole, Server};
use retrial_sim::engine::{Engine, InitialState, Reply, SessionId};
use retrial_sim::error::Error;
use retrial_sim::seed::Seed;

/// A separate server that a test may damage.
fn own_server(answer: Duration) -> Arc<Server> {
    Server::find_within(None, answer).expect("the binaries start a server")
}

fn initial_state() -> Rc<InitialState> {
    let schema = "CREATE TABLE t (id int PRIMARY KEY, v int)";
    Rc::new(InitialState::new(schema, vec![("t", vec![1.into(), 10.into()])]))
}

fn engine(server: &Arc<Server>, sessions: usize) -> (Postgres, Vec<SessionId>) {
    let mut engine = Postgres::new(server).unwrap();
    engine.open(&initial_state(), Seed(1)).unwrap();
    let sessions = (0..sessions).map(|_| engine.connect().unwrap()).collect();
    (engine, sessions)
}

/// Sends a signal to the server and all of its processes.
fn signal(server: &Server, name: &str) {
    let process = server.process().unwrap();
    // A process may end while the list is read.
    let script =
        format!("kill -{name} {process} && kill -{name} $(ps -o pid= --ppid {process}) 2>/dev/null || true");
    assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
}

#[expect(clippy::disallowed_methods, reason = "the bound is on the clock of the wall")]
fn within(most: Duration, what: impl FnOnce()) {
    let began = Instant::now();
    what();
    assert!(began.elapsed() < most, "it took {:?}", began.elapsed());
}

#[track_caller]
fn check(failed: Result<impl Sized, Error>, why: &str) {
    let Err(error) = failed else { panic!("{why}: it went well") };
    let said = error.to_string();
    assert!(error.is_machine() && said.contains(why) && !said.contains('\n'), "{said}");
}

#[test]
#[cfg_attr(not(postgres_binaries), ignore = "needs PostgreSQL's binaries: apt-get install postgresql")]
fn a_server_that_is_stopped_midway_is_a_failure_of_the_machine() {
    for name in ["TERM", "INT", "QUIT", "KILL"] {
        let server = own_server(Duration::from_secs(10));
        let (mut engine, s) = engine(&server, 3);
        let mut console = PostgresConsole::new(&server).unwrap();
        let told = console.connect("told").unwrap();
        engine.submit(s[0], "BEGIN", &[]).unwrap();
        engine.submit(s[0], "UPDATE t SET v = 1", &[]).unwrap();
        engine.submit(s[1], "BEGIN", &[]).unwrap();
        assert!(matches!(engine.submit(s[1], "UPDATE t SET v = 2", &[]), Ok(Reply::Blocked(_))));
        within(Duration::from_secs(8), || {
            signal(&server, name);
            // A server process that has not been signalled yet may still answer.
            let failed = (0..1000).find_map(|_| engine.submit(s[2], "SELECT v FROM t", &[]).err());
            check(failed.map_or(Ok(()), Err), "the server at");
            s.iter().for_each(|session| engine.close(*session));
            check(engine.rows("t"), "the server at");
            check(engine.open(&initial_state(), Seed(2)), "the server at");
            let sent: Result<(), Error> = console.send(told, "SELECT 1").and_then(|()| {
                loop {
                    match console.progress(told)? {
                        retrial_engines::console::Progress::Finished => {
                            console.send(told, "SELECT 1")?;
                        }
                        _ => drop(console.pass(Duration::from_secs(1))?),
                    }
                }
            });
            check(sent, "the server");
        });
    }
}

#[test]
#[cfg_attr(not(postgres_binaries), ignore = "needs PostgreSQL's binaries: apt-get install postgresql")]
fn a_server_that_is_frozen_is_given_up_in_time() {
    let server = own_server(Duration::from_secs(1));
    let (mut engine, s) = engine(&server, 2);
    engine.submit(s[0], "BEGIN", &[]).unwrap();
    signal(&server, "STOP");
    within(Duration::from_secs(5), || {
        check(engine.submit(s[1], "SELECT v FROM t", &[]), "has not answered for 1s");
        s.iter().for_each(|session| engine.close(*session));
        check(engine.open(&initial_state(), Seed(2)), "has not answered for 1s");
        check(Postgres::new(&server), "has not answered for 1s");
        drop(engine);
    });
    signal(&server, "CONT");
}

#[test]
fn a_server_that_never_answers_is_given_up_in_time_and_no_password_is_told() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = format!("postgres://somebody:secret@127.0.0.1:{port}/d");
    within(Duration::from_secs(5), || {
        let Err(error) = Server::find_within(Some(&url), Duration::from_secs(1)) else {
            panic!("it is silent")
        };
        let said = error.to_string();
        assert!(
            error.is_machine() && said.contains(&format!("127.0.0.1:{port} has not answered for 1s")),
            "{said}"
        );
        assert!(!said.contains("secret"), "{said}");
    });
}

#[test]
#[cfg_attr(not(postgres_binaries), ignore = "needs PostgreSQL's binaries: apt-get install postgresql")]
fn a_statement_that_only_works_long_is_not_taken_for_a_silent_server() {
    let server = own_server(Duration::from_secs(1));
    let (mut engine, s) = engine(&server, 1);
    let Ok(Reply::Done(done)) = engine.submit(s[0], "SELECT pg_sleep(2.5)", &[]) else { panic!("it ends") };
    assert!(done.result.is_ok());
    engine.close(s[0]);
}

#[test]
#[cfg_attr(not(postgres_binaries), ignore = "needs PostgreSQL's binaries: apt-get install postgresql")]
fn a_session_that_the_trial_ends_is_the_trials_affair() {
    let server = own_server(Duration::from_secs(10));
    let (mut engine, s) = engine(&server, 2);
    let Ok(Reply::Done(done)) = engine.submit(s[0], "SELECT pg_terminate_backend(pg_backend_pid())", &[])
    else {
        panic!("it ends")
    };
    assert_eq!(done.result.unwrap_err().code, "57P01");
    let Ok(Reply::Done(done)) = engine.submit(s[1], "SELECT v FROM t", &[]) else { panic!("it lives") };
    assert!(done.result.is_ok());
    s.iter().for_each(|session| engine.close(*session));
    engine.open(&initial_state(), Seed(2)).unwrap();
}

#[test]
#[cfg_attr(not(postgres_binaries), ignore = "needs PostgreSQL's binaries: apt-get install postgresql")]
fn a_session_that_somebody_else_ends_is_a_failure_of_the_machine() {
    let server = own_server(Duration::from_secs(10));
    let (mut engine, s) = engine(&server, 1);
    let mut other = PostgresConsole::new(&server).unwrap();
    let session = other.connect("administrator").unwrap();
    let end =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'retrial session 0'";
    other.send(session, end).unwrap();
    while other.progress(session).unwrap() != retrial_engines::console::Progress::Finished {
        other.pass(Duration::from_secs(1)).unwrap();
    }
    check(engine.submit(s[0], "SELECT v FROM t", &[]), "the server at");
}

#[test]
#[cfg_attr(not(postgres_binaries), ignore = "needs PostgreSQL's binaries: apt-get install postgresql")]
fn more_connections_than_the_server_has_are_told_with_advice() {
    let server = own_server(Duration::from_secs(10));
    let (mut first, _) = engine(&server, 40);
    let (mut second, _) = engine(&server, 40);
    let failed = (0..40).find_map(|_| first.connect().and_then(|_| second.connect()).err());
    let error = failed.expect("the server has no more than 100");
    let said = error.to_string();
    assert!(error.is_machine(), "{said}");
    for part in ["2 jobs", "max_connections is 100", "--jobs 1 or fewer"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}
